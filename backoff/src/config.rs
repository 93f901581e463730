//! Schedules and policies from a configuration file.

use std::{fmt, format, num::NonZeroU32, time::Duration, time::Instant};

use serde::{Deserialize, Deserializer, de};

use crate::{
    AnySchedule, AttemptTimeout, Builder, Constant, DEFAULT_MAX_SERVER_DELAY, Decorrelated, ErrIsTransient,
    Exponential, Fibonacci, Invalid, Jitter, Linear, Ratio, Retry, Schedule, Unbudgeted,
    curve::{Curve, Jittered},
};

/// A policy as a configuration file has it; unknown fields and contradictions are refused while it is read.
///
/// Durations are written as people do: `"250ms"`, `"1m 30s"`.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `schedule.kind` | `"constant"`, `"linear"`, `"exponential"`, `"fibonacci"`, `"decorrelated"` | |
/// | `schedule.first` | the first delay | |
/// | `schedule.step` | of a linear schedule | |
/// | `schedule.factor` | of an exponential schedule, 1 to 255 | 2 |
/// | `schedule.jitter` | `"none"`, `"full"`, `"equal"`, `{ around = 0.1 }` | `"full"` |
/// | `schedule.floor`, `schedule.cap` | the shortest and the longest delay | none |
/// | `schedule.within` | the longest sum of the delays | none |
/// | `schedule.seed` | replays the jitter | none |
/// | `max_attempts` | the first included | [`DEFAULT_MAX_ATTEMPTS`](crate::DEFAULT_MAX_ATTEMPTS), or none with a deadline |
/// | `deadline` | for the request as a whole | none |
/// | `attempt_timeout` | for each attempt | none |
/// | `max_server_delay` | the longest delay that a server may ask for | [`DEFAULT_MAX_SERVER_DELAY`] |
///
/// ```
/// use evenkeel_backoff::RetryConfig;
///
/// let config: RetryConfig = toml::from_str(
///     r#"
///     max_attempts = 5
///     deadline = "20s"
///     attempt_timeout = "8s"
///     schedule = { kind = "exponential", first = "50ms", cap = "5s", jitter = "equal" }
///     "#,
/// )?;
/// let retry = config.policy(tokio::time::sleep, || "too late");
/// # let _ = retry;
///
/// let refused = toml::from_str::<RetryConfig>(
///     r#"schedule = { kind = "exponential", first = "50ms", factor = 0.5 }"#,
/// );
/// assert!(refused.unwrap_err().to_string().contains("factor is 0.5: it must be a number from 1 to 255"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The delays between attempts.
    pub schedule: AnySchedule,
    /// The most attempts, the first included.
    pub max_attempts: Option<NonZeroU32>,
    /// For the request as a whole.
    pub deadline: Option<Duration>,
    /// For each attempt; longer than zero.
    pub attempt_timeout: Option<Duration>,
    /// The longest delay that a server may ask for.
    pub max_server_delay: Duration,
}

impl RetryConfig {
    /// The policy. `make_error` makes the error of an attempt that takes longer than `attempt_timeout`, where there is
    /// one.
    pub fn policy<W, M>(&self, sleep: W, make_error: M) -> Configured<W, M> {
        self.without_timeout(sleep).timeout(AttemptTimeout::new(self.attempt_timeout, make_error))
    }

    /// The policy for threads.
    ///
    /// # Errors
    ///
    /// When there is an `attempt_timeout`: a thread cannot be stopped in the middle of an attempt.
    pub fn blocking_policy<W>(&self, sleep: W) -> Result<Retry<AnySchedule, W>, Invalid> {
        match self.attempt_timeout {
            Some(_) => Err(Invalid::given("attempt_timeout", "left out for a policy that blocks")),
            None => Ok(self.without_timeout(sleep)),
        }
    }

    fn without_timeout<W>(&self, sleep: W) -> Retry<AnySchedule, W> {
        let mut retry = Retry::new(self.schedule, sleep).max_server_delay(self.max_server_delay);
        retry.limits.max_attempts = self.max_attempts;
        retry.limits.deadline = self.deadline;
        retry
    }
}

/// The policy of a [`RetryConfig`], before it is given a classifier, a budget, an observer.
pub type Configured<W, M> = Retry<AnySchedule, W, ErrIsTransient, Unbudgeted, (), fn() -> Instant, AttemptTimeout<M>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetry {
    schedule: AnySchedule,
    max_attempts: Option<NonZeroU32>,
    deadline: Option<Human>,
    attempt_timeout: Option<Human>,
    max_server_delay: Option<Human>,
}

impl<'de> Deserialize<'de> for RetryConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawRetry::deserialize(deserializer)?;
        let duration = |human: Option<Human>| human.map(|Human(duration)| duration);
        let attempt_timeout = duration(raw.attempt_timeout);
        if attempt_timeout == Some(Duration::ZERO) {
            return Err(de::Error::custom(Invalid::number("attempt_timeout", 0.0, "longer than zero")));
        }
        Ok(Self {
            schedule: raw.schedule,
            max_attempts: raw.max_attempts,
            deadline: duration(raw.deadline),
            attempt_timeout,
            max_server_delay: duration(raw.max_server_delay).unwrap_or(DEFAULT_MAX_SERVER_DELAY),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Constant,
    Linear,
    Exponential,
    Fibonacci,
    Decorrelated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSchedule {
    kind: Kind,
    first: Human,
    step: Option<Human>,
    factor: Option<f64>,
    jitter: Option<Jitter>,
    floor: Option<Human>,
    cap: Option<Human>,
    within: Option<Human>,
    seed: Option<u64>,
}

impl<'de> Deserialize<'de> for AnySchedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawSchedule::deserialize(deserializer)?.build().map_err(de::Error::custom)
    }
}

impl RawSchedule {
    fn build(&self) -> Result<AnySchedule, Invalid> {
        let Human(first) = self.first;
        self.refuse(Kind::Linear, "step", self.step.is_some(), "left out: only a linear schedule has it")?;
        self.refuse(
            Kind::Exponential,
            "factor",
            self.factor.is_some(),
            "left out: only an exponential schedule has it",
        )?;
        match self.kind {
            Kind::Constant => self.jittered(Constant::builder(first)),
            Kind::Linear => {
                let Human(step) = self.step.ok_or(Invalid::absent("step", "given for a linear schedule"))?;
                self.jittered(Linear::builder(first, step))
            }
            Kind::Exponential => {
                let builder = Exponential::builder(first);
                self.jittered(self.factor.map_or(builder, |factor| builder.factor(factor)))
            }
            Kind::Fibonacci => self.jittered(Fibonacci::builder(first)),
            Kind::Decorrelated => {
                let own = "left out: a decorrelated schedule spreads by itself, from its first delay up";
                if self.jitter.is_some() {
                    return Err(Invalid::given("jitter", own));
                }
                if self.floor.is_some() {
                    return Err(Invalid::given("floor", own));
                }
                self.bounded(Decorrelated::new(first).to_builder())
            }
        }
    }

    fn jittered<C: Jittered>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Invalid>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(jitter) = self.jitter {
            builder = builder.jitter(jitter);
        }
        if let Some(Human(floor)) = self.floor {
            builder = builder.floor(floor);
        }
        self.bounded(builder)
    }

    fn bounded<C: Curve>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Invalid>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(Human(cap)) = self.cap {
            builder = builder.cap(cap);
        }
        if let Some(Human(within)) = self.within {
            builder = builder.within(within);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        builder.build().map(Into::into)
    }

    /// Refuses a field that only the schedule `only` has, where it is given for another.
    fn refuse(&self, only: Kind, field: &'static str, given: bool, range: &'static str) -> Result<(), Invalid> {
        if given && self.kind != only { Err(Invalid::given(field, range)) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Jitter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Raw {
            None,
            Full,
            Equal,
            Around(Ratio),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::None => Self::None,
            Raw::Full => Self::Full,
            Raw::Equal => Self::Equal,
            Raw::Around(ratio) => Self::Around(ratio),
        })
    }
}

/// A duration as people write it.
#[derive(Clone, Copy)]
struct Human(Duration);

impl<'de> Deserialize<'de> for Human {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HumanVisitor)
    }
}

struct HumanVisitor;

impl de::Visitor<'_> for HumanVisitor {
    type Value = Human;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"250ms\" or \"1m 30s\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Human, E> {
        humantime::parse_duration(text)
            .map(Human)
            .map_err(|error| E::custom(format!("`{text}` is no duration such as \"250ms\": {error}")))
    }
}
