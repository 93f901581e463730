//! One breaker from a configuration file.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::value::{Refused, Value, table};
use crate::{Abandoned, Breaker, BreakerBuilder, Invalid, OpenTimes};

/// A breaker as a configuration file has it: a recipe, checked while it is read. Unknown fields are refused, and what is
/// left out is the [builder](BreakerBuilder)'s own default.
///
/// Durations are written as people do: `"10s"`, `"1m 30s"`.
///
/// | field | |
/// | --- | --- |
/// | `consecutive_failures` | opens after so many in a row, 1 to 1000 |
/// | `failure_rate` | opens at this share of failures in the window, above 0 and at most 1 |
/// | `slow_calls` | `{ threshold, rate }`, both: opens at this share of calls that took so long |
/// | `count_window` | the window is the last so many results, 1 to 500 |
/// | `time_window` | or those of so long, `"1ms"` to `"1day"` |
/// | `minimum_calls` | no share is judged before there are so many results in the window |
/// | `open_for` | a list, `["1s", "5s", "30s"]`: the last again and again; or `{ first, cap }` of [`OpenTimes`] |
/// | `max_hint` | the longest that the service may ask for |
/// | `half_open_permits` | probes at the same time, 1 to 1000 |
/// | `half_open_successes` | probes that must succeed, 1 to 1000 |
/// | `half_open_calls` | of so many, from as many to 1000 |
/// | `probe_timeout` | a probe that is out for so long has failed |
/// | `ramp` | after closing, how long until all calls are admitted |
/// | `abandoned` | `"ignored"`, `"failure"`, or `{ failure_after = "2s" }`: see [`Abandoned`] |
/// | `dry_run` | `true`: it only says what it would reject |
///
/// ```
/// use evenkeel_breaker::BreakerConfig;
///
/// let config: BreakerConfig = toml::from_str(
///     r#"
///     failure_rate = 0.3
///     slow_calls = { threshold = "5s", rate = 0.8 }
///     time_window = "10s"
///     minimum_calls = 10
///     open_for = ["1s", "2s", "5s", "10s"]
///     "#,
/// )?;
/// let breaker = config.build();
/// assert!(breaker.try_acquire().is_ok());
///
/// let refused = toml::from_str::<BreakerConfig>("failure_rate = 30").unwrap_err();
/// assert_eq!(refused.message(), "failure_rate is 30: it must be a number above 0 and at most 1");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BreakerConfig {
    consecutive_failures: Option<u32>,
    failure_rate: Option<f64>,
    slow_calls: Option<(Duration, f64)>,
    window: Option<Window>,
    minimum_calls: Option<u32>,
    open_for: Option<OpenFor>,
    max_hint: Option<Duration>,
    half_open_permits: Option<u32>,
    half_open_successes: Option<u32>,
    half_open_calls: Option<u32>,
    probe_timeout: Option<Duration>,
    ramp: Option<Duration>,
    abandoned: Option<Abandoned>,
    dry_run: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Window {
    Count(u32),
    Time(Duration),
}

#[derive(Clone, Debug, PartialEq)]
enum OpenFor {
    List(Vec<Duration>),
    Times(OpenTimes),
}

impl BreakerConfig {
    /// A new breaker, closed: each call makes one of its own.
    #[must_use]
    pub fn build(&self) -> Breaker {
        // A config is made only by reading, which builds it once, and by `default`, which is the builder's own.
        self.try_build().expect("it was built when it was read")
    }

    /// The builder with these settings, for a clock or an observer besides.
    ///
    /// ```
    /// use evenkeel_breaker::{BreakerConfig, State};
    /// use std::time::{Duration, Instant};
    ///
    /// let start = Instant::now();
    /// let config: BreakerConfig = toml::from_str("consecutive_failures = 1\nopen_for = [\"5s\"]")?;
    /// let breaker = config.builder().clock(move || start).build().expect("it was read");
    /// breaker.try_acquire().unwrap().failure();
    /// assert_eq!(breaker.state(), State::Open);
    /// assert_eq!(breaker.ready_at(), Some(start + Duration::from_secs(5)));
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    pub fn builder(&self) -> BreakerBuilder {
        let mut builder = Breaker::builder();
        if let Some(consecutive_failures) = self.consecutive_failures {
            builder = builder.consecutive_failures(consecutive_failures);
        }
        if let Some(failure_rate) = self.failure_rate {
            builder = builder.failure_rate(failure_rate);
        }
        if let Some((threshold, rate)) = self.slow_calls {
            builder = builder.slow_calls(threshold, rate);
        }
        builder = match self.window {
            Some(Window::Count(results)) => builder.count_window(results),
            Some(Window::Time(span)) => builder.time_window(span),
            None => builder,
        };
        if let Some(minimum_calls) = self.minimum_calls {
            builder = builder.minimum_calls(minimum_calls);
        }
        builder = match &self.open_for {
            Some(OpenFor::List(times)) => builder.open_for(times.clone()),
            Some(OpenFor::Times(times)) => builder.open_for(*times),
            None => builder,
        };
        if let Some(max_hint) = self.max_hint {
            builder = builder.max_hint(max_hint);
        }
        self.recovery(builder)
    }

    fn recovery(&self, mut builder: BreakerBuilder) -> BreakerBuilder {
        if let Some(permits) = self.half_open_permits {
            builder = builder.half_open_permits(permits);
        }
        if let Some(successes) = self.half_open_successes {
            builder = builder.half_open_successes(successes);
        }
        if let Some(calls) = self.half_open_calls {
            builder = builder.half_open_calls(calls);
        }
        if let Some(probe_timeout) = self.probe_timeout {
            builder = builder.probe_timeout(probe_timeout);
        }
        if let Some(ramp) = self.ramp {
            builder = builder.ramp(ramp);
        }
        if let Some(abandoned) = self.abandoned {
            builder = builder.abandoned(abandoned);
        }
        if let Some(dry_run) = self.dry_run {
            builder = builder.dry_run(dry_run);
        }
        builder
    }

    fn try_build(&self) -> Result<Breaker, Invalid> {
        self.builder().build()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreaker {
    consecutive_failures: Option<Value>,
    failure_rate: Option<Value>,
    slow_calls: Option<Value>,
    count_window: Option<Value>,
    time_window: Option<Value>,
    minimum_calls: Option<Value>,
    open_for: Option<Value>,
    max_hint: Option<Value>,
    half_open_permits: Option<Value>,
    half_open_successes: Option<Value>,
    half_open_calls: Option<Value>,
    probe_timeout: Option<Value>,
    ramp: Option<Value>,
    abandoned: Option<Value>,
    dry_run: Option<Value>,
}

impl<'de> Deserialize<'de> for BreakerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<RawBreaker, D>(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawBreaker {
    fn checked(&self) -> Result<BreakerConfig, Refused> {
        let whole =
            |field, value: &Option<Value>, range| value.as_ref().map(|value| value.whole(field, range)).transpose();
        let time = |field, value: &Option<Value>| value.as_ref().map(|value| value.duration(field)).transpose();
        let rate = self.failure_rate.as_ref().map(|rate| rate.number("failure_rate", RATE));
        let config = BreakerConfig {
            consecutive_failures: whole("consecutive_failures", &self.consecutive_failures, FEW)?,
            failure_rate: rate.transpose()?,
            slow_calls: self.slow_calls.as_ref().map(slow_calls).transpose()?,
            window: self.window()?,
            minimum_calls: whole("minimum_calls", &self.minimum_calls, MINIMUM)?,
            open_for: self.open_for.as_ref().map(open_for).transpose()?,
            max_hint: time("max_hint", &self.max_hint)?,
            half_open_permits: whole("half_open_permits", &self.half_open_permits, FEW)?,
            half_open_successes: whole("half_open_successes", &self.half_open_successes, FEW)?,
            half_open_calls: whole("half_open_calls", &self.half_open_calls, CALLS)?,
            probe_timeout: time("probe_timeout", &self.probe_timeout)?,
            ramp: time("ramp", &self.ramp)?,
            abandoned: self.abandoned.as_ref().map(abandoned).transpose()?,
            dry_run: self.dry_run.as_ref().map(|dry_run| dry_run.flag("dry_run")).transpose()?,
        };
        config.try_build()?;
        Ok(config)
    }

    fn window(&self) -> Result<Option<Window>, Refused> {
        Ok(match (&self.count_window, &self.time_window) {
            (Some(_), Some(_)) => return Err(Refused::given("time_window", "count_window is given as well")),
            (Some(results), None) => Some(Window::Count(results.whole("count_window", RESULTS)?)),
            (None, Some(span)) => Some(Window::Time(span.duration("time_window")?)),
            (None, None) => None,
        })
    }
}

// As the builder says them.
const FEW: &str = "a whole number from 1 to 1000";
const RESULTS: &str = "a whole number from 1 to 500";
const MINIMUM: &str = "a whole number from 1 to what the window has room for";
const CALLS: &str = "a whole number from half_open_successes to 1000";
const RATE: &str = "a number above 0 and at most 1";

fn slow_calls(value: &Value) -> Result<(Duration, f64), Refused> {
    let fields = value.fields("slow_calls", ["threshold", "rate"]);
    let [threshold, rate] =
        fields.ok_or_else(|| value.refused("slow_calls", "a table of `threshold` and `rate`"))??;
    let missing = |field| Refused::missing(field, "slow_calls");
    let threshold = threshold.ok_or_else(|| missing("threshold"))?.duration("slow_calls.threshold")?;
    let rate = rate.ok_or_else(|| missing("rate"))?.number("slow_calls.rate", RATE)?;
    Ok((threshold, rate))
}

fn open_for(value: &Value) -> Result<OpenFor, Refused> {
    if let Value::List(times) = value {
        return Ok(OpenFor::List(times.iter().map(|time| time.duration("open_for")).collect::<Result<_, _>>()?));
    }
    let must = "a list of durations, or a table of `first` and `cap`";
    let [first, cap] = value.fields("open_for", ["first", "cap"]).ok_or_else(|| value.refused("open_for", must))??;
    let first = first.map_or(Ok(Breaker::DEFAULT_FIRST_OPEN), |first| first.duration("open_for.first"))?;
    // What is not said is not a mistake.
    let longest = Breaker::DEFAULT_LONGEST_OPEN.max(first);
    let cap = cap.map_or(Ok(longest), |cap| cap.duration("open_for.cap"))?;
    if cap < first {
        // In a file it is a mistake: the one would silently be the other.
        return Err(Invalid::time("open_for.cap", cap, "no shorter than open_for.first").into());
    }
    Ok(OpenFor::Times(OpenTimes::new(first, cap)))
}

fn abandoned(value: &Value) -> Result<Abandoned, Refused> {
    let must = "\"ignored\", \"failure\", or a table of `failure_after`";
    match value {
        Value::Text(text) if text == "ignored" => return Ok(Abandoned::Ignored),
        Value::Text(text) if text == "failure" => return Ok(Abandoned::Failure),
        _ => {}
    }
    let fields = value.fields("abandoned", ["failure_after"]);
    let [least] = fields.ok_or_else(|| value.refused("abandoned", must))??;
    let least = least.ok_or_else(|| Refused::missing("failure_after", "a table of abandoned"))?;
    Ok(Abandoned::FailureAfter(least.duration("abandoned.failure_after")?))
}
