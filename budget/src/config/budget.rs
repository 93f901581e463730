//! Budgets from a configuration file.

use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, de};

use super::value::{Refused, Value, table};
use crate::{AnyBudget, Costs, InFlightBudget, Invalid, RatioBudget, TokenBudget, Unlimited};

/// A budget as a configuration file has it: a recipe, checked while it is read.
///
/// `kind` says which it is. A field that its kind does not have is refused, and so is an unknown one. Durations are written
/// as people do: `"10s"`, `"1m"`.
///
/// | `kind` | field | | default |
/// | --- | --- | --- | --- |
/// | `"ratio"` | `ratio` | extra attempts for each original, 0 to 1000 | [`RatioBudget::DEFAULT_RATIO`] |
/// | | `min_per_second` | extra attempts a second that need no originals | [`RatioBudget::DEFAULT_MIN_PER_SECOND`] |
/// | | `ttl` | how long both count, 1 s to 60 s | [`RatioBudget::DEFAULT_TTL`] |
/// | `"aws"` | `capacity` | in tokens | [`TokenBudget::DEFAULT_CAPACITY`] |
/// | | `revision` | `"2026"` or `"earlier"`: [`Costs::REVISION_2026`], [`Costs::EARLIER`] | `"2026"` |
/// | | `costs` | instead of a revision: `{ transient, throttled, timeout, hedge }`, all four, in tokens | |
/// | `"grpc"` | `max_tokens` | 0.001 to 1000 | must be given |
/// | | `token_ratio` | 0.001 to 1000 | must be given |
/// | `"in_flight"` | `share` | of the originals in flight, 0 to 1000 | [`InFlightBudget::DEFAULT_SHARE`] |
/// | | `min_concurrency` | extra attempts in flight however few those are | [`InFlightBudget::DEFAULT_MIN_CONCURRENCY`] |
/// | `"unlimited"` | | | |
///
/// ```
/// use evenkeel_budget::{Balance, BudgetConfig};
///
/// let config: BudgetConfig = toml::from_str(
///     r#"
///     kind = "ratio"
///     ratio = 0.1
///     min_per_second = 5
///     ttl = "30s"
///     "#,
/// )?;
/// let budget = config.build();
/// assert_eq!(budget.balance(), 150.0);
///
/// let refused = toml::from_str::<BudgetConfig>("kind = \"ratio\"\nttl = \"900ms\"");
/// assert_eq!(refused.unwrap_err().message(), "ttl is 900ms: it must be from 1 s to 60 s");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetConfig(Recipe);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Recipe {
    Ratio { ratio: f64, min_per_second: u32, ttl: Duration },
    Aws { capacity: u32, costs: Costs },
    Grpc { max_tokens: f64, token_ratio: f64 },
    InFlight { share: f64, min_concurrency: u32 },
    Unlimited,
}

impl BudgetConfig {
    /// A new budget: each call makes one of its own.
    #[must_use]
    pub fn build(&self) -> AnyBudget {
        // The default value of a clock parameter.
        #[allow(clippy::disallowed_methods)]
        self.build_with_clock(Instant::now)
    }

    /// A new budget whose time, if it has any, is what `clock` says: under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`.
    #[must_use]
    pub fn build_with_clock(&self, clock: fn() -> Instant) -> AnyBudget {
        // A config is made only by `checked` and by `default`, and what can be built once can be built again.
        self.0.build(clock).expect("it was built when it was read")
    }

    fn checked(recipe: Recipe) -> Result<Self, Refused> {
        // The default value of a clock parameter.
        #[allow(clippy::disallowed_methods)]
        recipe.build(Instant::now)?;
        Ok(Self(recipe))
    }
}

/// What [`TokenBudget::default`] is made from.
impl Default for BudgetConfig {
    fn default() -> Self {
        Self(Recipe::Aws { capacity: TokenBudget::DEFAULT_CAPACITY, costs: Costs::REVISION_2026 })
    }
}

impl Recipe {
    fn build(&self, clock: fn() -> Instant) -> Result<AnyBudget, Invalid> {
        Ok(match *self {
            Self::Ratio { ratio, min_per_second, ttl } => {
                RatioBudget::builder().ratio(ratio).min_per_second(min_per_second).ttl(ttl).clock(clock).build()?.into()
            }
            Self::Aws { capacity, costs } => TokenBudget::new(capacity, costs).into(),
            Self::Grpc { max_tokens, token_ratio } => TokenBudget::grpc(max_tokens, token_ratio)?.into(),
            Self::InFlight { share, min_concurrency } => {
                InFlightBudget::builder().share(share).min_concurrency(min_concurrency).build()?.into()
            }
            Self::Unlimited => Unlimited.into(),
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Ratio,
    Aws,
    Grpc,
    InFlight,
    Unlimited,
}

const KINDS: [(&str, Kind); 5] = [
    ("ratio", Kind::Ratio),
    ("aws", Kind::Aws),
    ("grpc", Kind::Grpc),
    ("in_flight", Kind::InFlight),
    ("unlimited", Kind::Unlimited),
];

const REVISIONS: [(&str, Costs); 2] = [("2026", Costs::REVISION_2026), ("earlier", Costs::EARLIER)];

impl Kind {
    /// Its name, and the fields that it has.
    const fn fields(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Ratio => ("ratio", &["ratio", "min_per_second", "ttl"]),
            Self::Aws => ("aws", &["capacity", "revision", "costs"]),
            Self::Grpc => ("grpc", &["max_tokens", "token_ratio"]),
            Self::InFlight => ("in_flight", &["share", "min_concurrency"]),
            Self::Unlimited => ("unlimited", &[]),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCosts {
    transient: Value,
    throttled: Value,
    timeout: Value,
    hedge: Value,
}

impl RawCosts {
    fn checked(&self) -> Result<Costs, Refused> {
        Ok(Costs {
            transient: whole("transient", &self.transient)?,
            throttled: whole("throttled", &self.throttled)?,
            timeout: whole("timeout", &self.timeout)?,
            hedge: whole("hedge", &self.hedge)?,
        })
    }
}

fn whole(field: &str, value: &Value) -> Result<u32, Refused> {
    value.whole(field, u32::MAX.into())
}

fn whole_or(field: &str, value: Option<&Value>, default: u32) -> Result<u32, Refused> {
    value.map_or(Ok(default), |value| whole(field, value))
}

fn number_or(field: &str, value: Option<&Value>, default: f64) -> Result<f64, Refused> {
    value.map_or(Ok(default), |value| value.number(field))
}

/// The fields of all kinds, so that one in the wrong place can be named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBudget {
    kind: Value,
    ratio: Option<Value>,
    min_per_second: Option<Value>,
    ttl: Option<Value>,
    capacity: Option<Value>,
    revision: Option<Value>,
    costs: Option<RawCosts>,
    max_tokens: Option<Value>,
    token_ratio: Option<Value>,
    share: Option<Value>,
    min_concurrency: Option<Value>,
}

impl<'de> Deserialize<'de> for BudgetConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: RawBudget = table(deserializer)?;
        raw.recipe().and_then(Self::checked).map_err(de::Error::custom)
    }
}

impl RawBudget {
    fn recipe(&self) -> Result<Recipe, Refused> {
        let kind = self.kind.one_of("kind", &KINDS)?;
        self.has_only_its_own(kind)?;
        Ok(match kind {
            Kind::Ratio => Recipe::Ratio {
                ratio: number_or("ratio", self.ratio.as_ref(), RatioBudget::DEFAULT_RATIO)?,
                min_per_second: whole_or(
                    "min_per_second",
                    self.min_per_second.as_ref(),
                    RatioBudget::DEFAULT_MIN_PER_SECOND,
                )?,
                ttl: self.ttl.as_ref().map_or(Ok(RatioBudget::DEFAULT_TTL), |ttl| ttl.duration("ttl"))?,
            },
            Kind::Aws => Recipe::Aws {
                capacity: whole_or("capacity", self.capacity.as_ref(), TokenBudget::DEFAULT_CAPACITY)?,
                costs: self.costs()?,
            },
            Kind::Grpc => {
                let given = |field, value: &Option<Value>| {
                    value.as_ref().ok_or(Refused::missing(field, "kind \"grpc\""))?.number(field)
                };
                Recipe::Grpc {
                    max_tokens: given("max_tokens", &self.max_tokens)?,
                    token_ratio: given("token_ratio", &self.token_ratio)?,
                }
            }
            Kind::InFlight => Recipe::InFlight {
                share: number_or("share", self.share.as_ref(), InFlightBudget::DEFAULT_SHARE)?,
                min_concurrency: whole_or(
                    "min_concurrency",
                    self.min_concurrency.as_ref(),
                    InFlightBudget::DEFAULT_MIN_CONCURRENCY,
                )?,
            },
            Kind::Unlimited => Recipe::Unlimited,
        })
    }

    fn costs(&self) -> Result<Costs, Refused> {
        match (&self.costs, &self.revision) {
            (Some(_), Some(_)) => Err(Refused::given("revision", format_args!("costs are given as well"))),
            (Some(costs), None) => costs.checked(),
            (None, Some(revision)) => revision.one_of("revision", &REVISIONS),
            (None, None) => Ok(Costs::REVISION_2026),
        }
    }

    fn has_only_its_own(&self, kind: Kind) -> Result<(), Refused> {
        let given = [
            ("ratio", self.ratio.is_some()),
            ("min_per_second", self.min_per_second.is_some()),
            ("ttl", self.ttl.is_some()),
            ("capacity", self.capacity.is_some()),
            ("revision", self.revision.is_some()),
            ("costs", self.costs.is_some()),
            ("max_tokens", self.max_tokens.is_some()),
            ("token_ratio", self.token_ratio.is_some()),
            ("share", self.share.is_some()),
            ("min_concurrency", self.min_concurrency.is_some()),
        ];
        let (kind, own) = kind.fields();
        match given.into_iter().find(|(field, is_given)| *is_given && !own.contains(field)) {
            Some((field, _)) => Err(Refused::given(field, format_args!("kind \"{kind}\" does not have it"))),
            None => Ok(()),
        }
    }
}
