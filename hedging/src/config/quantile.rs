//! An estimate from a configuration file.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Deserializer, de};

use super::value::{Refused, Value, table};
use crate::{Quantile, QuantileBuilder};

/// A [`Quantile`] as a configuration file has it: a recipe, checked while it is read. Unknown fields are refused, and what is
/// left out is the [builder](QuantileBuilder)'s own default.
///
/// Durations are written as people do: `"250ms"`, `"1m 30s"`.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `quantile` | the share of requests that are not late, above 0 and below 1 | must be given |
/// | `window` | over how long it looks back, `"2ms"` to `"1h"` | [`Quantile::DEFAULT_WINDOW`] |
/// | `warm_up` | so many requests in the window make a threshold, at least 1 | [`Quantile::DEFAULT_WARM_UP`] |
/// | `until_warm` | the delay of a hedge until then, longer than zero | no hedge until then |
/// | `at_least` | no threshold is shorter | none |
/// | `at_most` | no threshold is longer; not shorter than `at_least`, and longer than zero | none |
///
/// For one estimate each for many endpoints, it makes those of a [`QuantileMap`](crate::QuantileMap):
///
/// ```
/// use evenkeel_hedging::{QuantileConfig, QuantileMap};
/// use std::{num::NonZeroUsize, time::Duration};
///
/// let config: QuantileConfig = toml::from_str("quantile = 0.99\nwarm_up = 1\nat_most = \"2s\"")?;
/// let estimates: QuantileMap<String> = QuantileMap::new(NonZeroUsize::new(100).unwrap(), move || config.build());
///
/// let p99 = estimates.quantile("/v1/embeddings");
/// p99.record(Duration::from_secs(30));
/// assert_eq!(p99.threshold(), Some(Duration::from_secs(2)));
///
/// let refused = toml::from_str::<QuantileConfig>("quantile = 99").unwrap_err();
/// assert_eq!(refused.message(), "quantile is 99: it must be a number above 0 and below 1");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileConfig {
    share: f64,
    window: Option<Duration>,
    warm_up: Option<NonZeroU32>,
    until_warm: Option<Duration>,
    at_least: Option<Duration>,
    at_most: Option<Duration>,
}

impl QuantileConfig {
    /// A new estimate, cold: each call makes one of its own.
    #[must_use]
    pub fn build(&self) -> Quantile {
        // A config is made only by reading, which builds it once.
        self.builder().build().expect("it was built when it was read")
    }

    /// The builder with these settings, for a clock besides.
    ///
    /// ```
    /// use evenkeel_hedging::QuantileConfig;
    ///
    /// let config: QuantileConfig = toml::from_str("quantile = 0.95")?;
    /// let p95 = config.builder().clock(|| tokio::time::Instant::now().into_std()).build().expect("it was read");
    /// assert_eq!(p95.threshold(), None);
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    pub fn builder(&self) -> QuantileBuilder {
        let mut builder = Quantile::builder(self.share);
        if let Some(window) = self.window {
            builder = builder.window(window);
        }
        if let Some(warm_up) = self.warm_up {
            builder = builder.warm_up(warm_up);
        }
        if let Some(until_warm) = self.until_warm {
            builder = builder.until_warm(until_warm);
        }
        if let Some(at_least) = self.at_least {
            builder = builder.at_least(at_least);
        }
        if let Some(at_most) = self.at_most {
            builder = builder.at_most(at_most);
        }
        builder
    }

    /// None if it is no table. `field`: which one of another table it is.
    pub(super) fn read(value: &Value, field: Option<&str>) -> Option<Result<Self, Refused>> {
        let place = field.map_or(String::new(), |field| format!(" in {field}"));
        let within = field.map_or(String::new(), |field| format!("{field}."));
        let fields = value.fields(&place, ["quantile", "window", "warm_up", "until_warm", "at_least", "at_most"])?;
        Some(fields.and_then(|fields| Self::checked(fields, &within)))
    }

    fn checked(fields: [Option<&Value>; 6], within: &str) -> Result<Self, Refused> {
        let [quantile, window, warm_up, until_warm, at_least, at_most] = fields;
        let name = |field: &str| format!("{within}{field}");
        let quantile = quantile.ok_or_else(|| Refused::missing(&name("quantile")))?;
        let config = Self {
            share: quantile.number(&name("quantile"), "a number above 0 and below 1")?,
            window: window.map(|value| value.duration(&name("window"))).transpose()?,
            warm_up: warm_up.map(|value| value.count(&name("warm_up"))).transpose()?,
            until_warm: until_warm.map(|value| value.positive(&name("until_warm"), "")).transpose()?,
            at_least: at_least.map(|value| value.duration(&name("at_least"))).transpose()?,
            at_most: at_most.map(|value| value.positive(&name("at_most"), "")).transpose()?,
        };
        config.builder().build().map_err(|invalid| {
            let field = if invalid.field() == "share" { "quantile" } else { invalid.field() };
            Refused::of(&invalid, &name(field))
        })?;
        Ok(config)
    }
}

impl<'de> Deserialize<'de> for QuantileConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value: Value = table(deserializer)?;
        // What has no names was refused.
        let read = Self::read(&value, None).unwrap_or_else(|| Err(value.refused("the estimate", "a table")));
        read.map_err(de::Error::custom)
    }
}
