//! Keyed budgets from a configuration file.

use std::{hash::Hash, num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Deserializer, de};

use super::{
    budget::BudgetConfig,
    value::{Refused, Value, table},
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
        self.builder(|budget| budget).build().expect("it was built when it was read")
    }

    /// The builder with these settings, for a clock besides. Each budget goes through `wrap`: to be observed, say.
    ///
    /// ```
    /// # #[cfg(feature = "metrics")] {
    /// use evenkeel_budget::{AnyBudget, BudgetMap, BudgetMapConfig, BudgetMetrics, Observed};
    ///
    /// let config: BudgetMapConfig = toml::from_str("capacity = 100\nbudget = { kind = 'aws' }")?;
    /// let metrics = BudgetMetrics::of_many("tenants");
    /// let budgets: BudgetMap<String, Observed<AnyBudget, BudgetMetrics>> =
    ///     config.builder(move |budget| Observed::new(budget, metrics.clone())).build().expect("it was read");
    /// # let _ = budgets;
    /// # }
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    pub fn builder<K, B>(&self, wrap: impl Fn(AnyBudget) -> B + Send + Sync + 'static) -> MapBuilder<K, B> {
        let budget = self.budget;
        BudgetMap::builder(self.capacity, move || wrap(budget.build())).idle_after(self.idle_after)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    capacity: Value,
    idle_after: Option<Value>,
    budget: BudgetConfig,
}

impl<'de> Deserialize<'de> for BudgetMapConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<RawMap, D>(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawMap {
    fn checked(&self) -> Result<BudgetMapConfig, Refused> {
        let capacity = self.capacity.whole("capacity", usize::MAX as u64)?;
        let refused = Invalid::number("capacity", 0.0, "at least 1");
        let capacity = NonZeroUsize::new(capacity).ok_or(refused)?;
        let idle_after = self.idle_after.as_ref().map(|idle| idle.duration("idle_after")).transpose()?;
        let idle_after = idle_after.unwrap_or(BudgetMap::<()>::DEFAULT_IDLE_AFTER);
        let config = BudgetMapConfig { capacity, idle_after, budget: self.budget };
        config.builder::<(), _>(|budget| budget).build()?;
        Ok(config)
    }
}
