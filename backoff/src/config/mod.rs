//! Schedules and policies from a configuration file.

mod human;
mod schedule;

use std::{num::NonZeroU32, time::Duration, time::Instant};

use serde::{Deserialize, Deserializer, de};

use crate::{AnySchedule, AttemptTimeout, DEFAULT_MAX_SERVER_DELAY, ErrIsTransient, Invalid, Retry, Unbudgeted};
use human::{Human, Refused};

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
    /// For the request as a whole; longer than zero.
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
    max_attempts: Option<u32>,
    deadline: Option<Human>,
    attempt_timeout: Option<Human>,
    max_server_delay: Option<Human>,
}

impl<'de> Deserialize<'de> for RetryConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawRetry::deserialize(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawRetry {
    fn checked(&self) -> Result<RetryConfig, Refused> {
        let positive =
            |value: &Option<Human>, field| value.as_ref().map(|value| value.read_positive(field)).transpose();
        let at_least_one = |attempts| {
            NonZeroU32::new(attempts).ok_or(Invalid::number("max_attempts", f64::from(attempts), "at least 1"))
        };
        let max_server_delay =
            self.max_server_delay.as_ref().map(|delay| delay.read("max_server_delay")).transpose()?;
        Ok(RetryConfig {
            schedule: self.schedule,
            max_attempts: self.max_attempts.map(at_least_one).transpose()?,
            deadline: positive(&self.deadline, "deadline")?,
            attempt_timeout: positive(&self.attempt_timeout, "attempt_timeout")?,
            max_server_delay: max_server_delay.unwrap_or(DEFAULT_MAX_SERVER_DELAY),
        })
    }
}
