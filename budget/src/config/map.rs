//! Keyed budgets from a configuration file.

use std::{hash::Hash, num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Deserializer, de};

use super::{
    budget::BudgetConfig,
    human::{Human, Refused},
};
use crate::{AnyBudget, BudgetMap, Invalid, MapBuilder};

/// A [`BudgetMap`] as a configuration file has it: a recipe, checked while it is read. Unknown fields are refused.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `capacity` | the most keys, at least 1 | must be given |
/// | `idle_after` | when a key that is not asked for is dropped, at least `"1s"` | [`BudgetMap::DEFAULT_IDLE_AFTER`] |
/// | `budget` | of each key: a [`BudgetConfig`] | must be given |
///
/// ```
/// use evenkeel_budget::{AnyBudget, BudgetMap, BudgetMapConfig};
///
/// let config: BudgetMapConfig = toml::from_str(
///     r#"
///     capacity = 10_000
///     idle_after = "15m"
///     budget = { kind = "aws", capacity = 100 }
///     "#,
/// )?;
/// let budgets: BudgetMap<String, AnyBudget> = config.build();
/// assert_eq!(budgets.capacity().get(), 10_000);
///
/// let refused = toml::from_str::<BudgetMapConfig>("capacity = 0\nbudget = { kind = \"aws\" }").unwrap_err();
/// assert_eq!(refused.message(), "capacity is 0: it must be at least 1");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetMapConfig {
    capacity: NonZeroUsize,
    idle_after: Duration,
    budget: BudgetConfig,
}

impl BudgetMapConfig {
    /// A new map, without keys.
    #[must_use]
    pub fn build<K: Hash + Eq + Clone>(&self) -> BudgetMap<K, AnyBudget> {
        // A config is made only by reading, which builds it once.
        self.builder().build().expect("it was built when it was read")
    }

    fn builder<K>(&self) -> MapBuilder<K, AnyBudget> {
        let budget = self.budget;
        BudgetMap::builder(self.capacity, move || budget.build()).idle_after(self.idle_after)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    capacity: usize,
    idle_after: Option<Human>,
    budget: BudgetConfig,
}

impl<'de> Deserialize<'de> for BudgetMapConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawMap::deserialize(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawMap {
    fn checked(&self) -> Result<BudgetMapConfig, Refused> {
        let refused = || Invalid::number("capacity", self.capacity as f64, "at least 1");
        let capacity = NonZeroUsize::new(self.capacity).ok_or_else(refused)?;
        let idle_after = self.idle_after.as_ref().map(|idle| idle.read("idle_after")).transpose()?;
        let idle_after = idle_after.unwrap_or(BudgetMap::<()>::DEFAULT_IDLE_AFTER);
        let config = BudgetMapConfig { capacity, idle_after, budget: self.budget };
        config.builder::<()>().build()?;
        Ok(config)
    }
}
