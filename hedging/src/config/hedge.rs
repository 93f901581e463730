//! A policy from a configuration file.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use serde::{Deserialize, Deserializer, de};

use super::{
    quantile::QuantileConfig,
    value::{Refused, Value, table},
};
use crate::{AllFailed, AnyDelays, AtOnce, Every, Hedge, OnFailure};

/// A policy as a configuration file has it: a recipe, checked while it is read. Unknown fields and contradictions are
/// refused.
///
/// Durations are written as people do: `"250ms"`, `"1m 30s"`.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `delays` | `"30ms"`, longer than zero: before each further attempt ([`Every`]) | must be given |
/// | | `["10ms", "20ms"]`, at least one: before each its own, and so many further attempts | |
/// | | `{ quantile = 0.95, … }`, with the fields of a [`QuantileConfig`]: when the first is late | |
/// | | `"on_failure"`: not by time ([`OnFailure`]) | |
/// | | `"at_once"`: all together ([`AtOnce`]) | |
/// | `max_attempts` | the first included, at least 1: [`Hedge::max_attempts`] | as [`Hedge::new`] has it |
/// | `max_server_delay` | the longest delay that a server may ask for | [`DEFAULT_MAX_SERVER_DELAY`](crate::DEFAULT_MAX_SERVER_DELAY) |
/// | `all_failed` | `"best"`, `"last"`, `"first"`: see [`AllFailed`] | `"best"` |
/// | `elsewhere` | `true`: each attempt asks someone else, see [`Hedge::elsewhere`] | `false` |
/// | `charge_failures` | whether attempts after a failure are paid for | `true`, but `false` with `elsewhere` |
///
/// `max_attempts = 1` is the switch that turns hedging off, whatever else there is. Otherwise it may cut a list short, but
/// not ask for more attempts than the list has delays for; and with `elsewhere` there is no `max_server_delay`, as nobody
/// heeds what a server asks for.
///
/// ```
/// use evenkeel_hedging::HedgeConfig;
///
/// let config: HedgeConfig = toml::from_str(
///     r#"
///     max_attempts = 3
///     max_server_delay = "10s"
///     delays = { quantile = 0.95, window = "1m", until_warm = "500ms", at_most = "2s" }
///     "#,
/// )?;
/// let hedge = config.policy(tokio::time::sleep);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert_eq!(hedge.run(|_| async { Ok::<_, ()>("done") }).await, Ok("done"));
/// # });
/// assert_eq!(hedge.delays().quantile().unwrap().threshold(), None, "it is not warm yet");
///
/// let refused = toml::from_str::<HedgeConfig>("delays = \"at once\"").unwrap_err();
/// assert!(refused.message().starts_with("delays is `at once`: it must be"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HedgeConfig {
    delays: Recipe,
    max_attempts: Option<NonZeroU32>,
    max_server_delay: Option<Duration>,
    all_failed: Option<AllFailed>,
    elsewhere: bool,
    charge_failures: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
enum Recipe {
    Every(Duration),
    Each(Vec<Duration>),
    Quantile(QuantileConfig),
    OnFailure,
    AtOnce,
}

impl HedgeConfig {
    /// The policy, before it is given a classifier, a budget, an observer. Each call makes an estimate of its own, where there
    /// is one.
    pub fn policy<W>(&self, sleep: W) -> Hedge<AnyDelays, W> {
        // The default value of a clock parameter.
        #[allow(clippy::disallowed_methods)]
        self.policy_with_clock(sleep, Instant::now)
    }

    /// The policy whose time, if it has an estimate, is what `clock` says: under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`.
    pub fn policy_with_clock<W>(&self, sleep: W, clock: fn() -> Instant) -> Hedge<AnyDelays, W> {
        let mut hedge = Hedge::new(self.delays.build(clock), sleep);
        if let Some(attempts) = self.max_attempts {
            hedge = hedge.max_attempts(attempts);
        }
        if let Some(delay) = self.max_server_delay {
            hedge = hedge.max_server_delay(delay);
        }
        if let Some(answer) = self.all_failed {
            hedge = hedge.all_failed(answer);
        }
        if self.elsewhere {
            hedge = hedge.elsewhere();
        }
        if let Some(charge) = self.charge_failures {
            hedge = hedge.charge_failures(charge);
        }
        hedge
    }

    fn checked(self) -> Result<Self, Refused> {
        if self.max_attempts == Some(NonZeroU32::MIN) {
            return Ok(self);
        }
        if let (Recipe::Each(delays), Some(attempts)) = (&self.delays, self.max_attempts) {
            let most = delays.len().saturating_add(1);
            if attempts.get() as usize > most {
                let attempts = Value::Whole(attempts.get().into());
                let must = format_args!("at most {most}, as delays has {}", delays.len());
                return Err(attempts.refused("max_attempts", must));
            }
        }
        if self.elsewhere && self.max_server_delay.is_some() {
            return Err(Refused::given("max_server_delay", "with elsewhere nobody heeds what a server asks for"));
        }
        Ok(self)
    }
}

impl Recipe {
    fn build(&self, clock: fn() -> Instant) -> AnyDelays {
        match self {
            Self::Every(delay) => Every(*delay).into(),
            Self::Each(delays) => delays.clone().into(),
            // A config is made only by reading, which builds it once.
            Self::Quantile(config) => {
                config.builder().clock(clock).build().expect("it was built when it was read").into()
            }
            Self::OnFailure => OnFailure.into(),
            Self::AtOnce => AtOnce.into(),
        }
    }

    fn read(value: &Value) -> Result<Self, Refused> {
        const DELAYS: &str = "delays";
        let must =
            "a duration such as \"30ms\", a list of them, a table with a `quantile`, \"on_failure\" or \"at_once\"";
        match value {
            Value::Text(text) if text == "on_failure" => Ok(Self::OnFailure),
            Value::Text(text) if text == "at_once" => Ok(Self::AtOnce),
            Value::Text(text) => match humantime::parse_duration(text) {
                Ok(_) => value.positive(DELAYS, ", or \"at_once\"").map(Self::Every),
                Err(error) => Err(value.refused(DELAYS, format_args!("{must} ({error})"))),
            },
            Value::List(delays) if !delays.is_empty() => {
                delays.iter().map(|delay| delay.duration(DELAYS)).collect::<Result<_, _>>().map(Self::Each)
            }
            Value::Nothing | Value::List(_) | Value::Table(_) | Value::Flag(_) | Value::Whole(_) | Value::Real(_) => {
                let estimate = QuantileConfig::read(value, Some(DELAYS));
                estimate.unwrap_or_else(|| Err(value.refused(DELAYS, must))).map(Self::Quantile)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHedge {
    delays: Option<Value>,
    max_attempts: Option<Value>,
    max_server_delay: Option<Value>,
    all_failed: Option<Value>,
    elsewhere: Option<Value>,
    charge_failures: Option<Value>,
}

impl<'de> Deserialize<'de> for HedgeConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<RawHedge, D>(deserializer)?.read().and_then(HedgeConfig::checked).map_err(de::Error::custom)
    }
}

const ANSWERS: [(&str, AllFailed); 3] =
    [("best", AllFailed::Best), ("last", AllFailed::Last), ("first", AllFailed::First)];

impl RawHedge {
    fn read(&self) -> Result<HedgeConfig, Refused> {
        let flag = |field, value: &Option<Value>| value.as_ref().map(|value| value.flag(field)).transpose();
        let delays = self.delays.as_ref().ok_or_else(|| Refused::missing("delays"))?;
        Ok(HedgeConfig {
            delays: Recipe::read(delays)?,
            max_attempts: self.max_attempts.as_ref().map(|value| value.count("max_attempts")).transpose()?,
            max_server_delay: self
                .max_server_delay
                .as_ref()
                .map(|value| value.duration("max_server_delay"))
                .transpose()?,
            all_failed: self.all_failed.as_ref().map(|value| value.one_of("all_failed", &ANSWERS)).transpose()?,
            elsewhere: flag("elsewhere", &self.elsewhere)?.unwrap_or(false),
            charge_failures: flag("charge_failures", &self.charge_failures)?,
        })
    }
}
