//! Keyed breakers from a configuration file.

use std::{hash::Hash, num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Deserializer, de};

use super::{
    breaker::BreakerConfig,
    value::{Refused, Value, table},
};
use crate::{BreakerMap, MapBuilder};

/// A [`BreakerMap`] as a configuration file has it: a recipe, checked while it is read. Unknown fields are refused.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `capacity` | the most keys, at least 1 | must be given |
/// | `max_open` | the share of keys that reject at most, above 0 and at most 1 | [`BreakerMap::DEFAULT_MAX_OPEN`] |
/// | `idle_after` | when a key that is not asked for may be dropped, at least `"1s"` | [`BreakerMap::DEFAULT_IDLE_AFTER`] |
/// | `breaker` | of each key: a [`BreakerConfig`] | its defaults |
///
/// ```
/// use evenkeel_breaker::{BreakerMap, BreakerMapConfig};
///
/// let config: BreakerMapConfig = toml::from_str(
///     r#"
///     capacity = 1_000
///     max_open = 0.2
///     breaker = { consecutive_failures = 5 }
///     "#,
/// )?;
/// let breakers: BreakerMap<String> = config.build();
/// assert_eq!((breakers.capacity().get(), breakers.max_open()), (1_000, 0.2));
///
/// let refused = toml::from_str::<BreakerMapConfig>("capacity = 0").unwrap_err();
/// assert_eq!(refused.message(), "capacity is 0: it must be a whole number, at least 1");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerMapConfig {
    capacity: NonZeroUsize,
    max_open: f64,
    idle_after: Duration,
    breaker: BreakerConfig,
}

impl BreakerMapConfig {
    /// A new map, without keys.
    #[must_use]
    pub fn build<K: Hash + Eq + Clone>(&self) -> BreakerMap<K> {
        // A config is made only by reading, which builds it once.
        self.builder().build().expect("it was built when it was read")
    }

    /// The builder with these settings, for a clock or observers besides.
    pub fn builder<K: Hash + Eq + Clone>(&self) -> MapBuilder<K> {
        let builder = BreakerMap::builder(self.capacity, self.breaker.builder());
        builder.max_open(self.max_open).idle_after(self.idle_after)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    capacity: Value,
    max_open: Option<Value>,
    idle_after: Option<Value>,
    #[serde(default)]
    breaker: BreakerConfig,
}

impl<'de> Deserialize<'de> for BreakerMapConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<RawMap, D>(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawMap {
    fn checked(self) -> Result<BreakerMapConfig, Refused> {
        let must = "a whole number, at least 1";
        let capacity = self.capacity.whole("capacity", must)?;
        let capacity = usize::try_from(capacity).ok().and_then(NonZeroUsize::new);
        let capacity = capacity.ok_or_else(|| self.capacity.refused("capacity", must))?;
        let max_open =
            self.max_open.map(|share| share.number("max_open", "a number above 0 and at most 1")).transpose()?;
        let idle_after = self.idle_after.map(|idle| idle.duration("idle_after")).transpose()?;
        let config = BreakerMapConfig {
            capacity,
            max_open: max_open.unwrap_or(BreakerMap::DEFAULT_MAX_OPEN),
            idle_after: idle_after.unwrap_or(BreakerMap::DEFAULT_IDLE_AFTER),
            breaker: self.breaker,
        };
        config.builder::<()>().build()?;
        Ok(config)
    }
}
