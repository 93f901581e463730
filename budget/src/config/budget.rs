//! Budgets from a configuration file.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::human::{Human, Refused};
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
        // A config is made only by `checked` and by `default`, and what can be built once can be built again.
        self.0.build().expect("it was built when it was read")
    }

    fn checked(recipe: Recipe) -> Result<Self, Refused> {
        recipe.build()?;
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
    fn build(&self) -> Result<AnyBudget, Invalid> {
        Ok(match *self {
            Self::Ratio { ratio, min_per_second, ttl } => {
                RatioBudget::builder().ratio(ratio).min_per_second(min_per_second).ttl(ttl).build()?.into()
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

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Ratio,
    Aws,
    Grpc,
    InFlight,
    Unlimited,
}

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

#[derive(Clone, Copy, Deserialize)]
enum Revision {
    #[serde(rename = "2026")]
    Of2026,
    #[serde(rename = "earlier")]
    Earlier,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCosts {
    transient: u32,
    throttled: u32,
    timeout: u32,
    hedge: u32,
}

impl From<&RawCosts> for Costs {
    fn from(&RawCosts { transient, throttled, timeout, hedge }: &RawCosts) -> Self {
        Self { transient, throttled, timeout, hedge }
    }
}

/// The fields of all kinds, so that one in the wrong place can be named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBudget {
    kind: Kind,
    ratio: Option<f64>,
    min_per_second: Option<u32>,
    ttl: Option<Human>,
    capacity: Option<u32>,
    revision: Option<Revision>,
    costs: Option<RawCosts>,
    max_tokens: Option<f64>,
    token_ratio: Option<f64>,
    share: Option<f64>,
    min_concurrency: Option<u32>,
}

impl<'de> Deserialize<'de> for BudgetConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawBudget::deserialize(deserializer)?;
        raw.recipe().and_then(Self::checked).map_err(de::Error::custom)
    }
}

impl RawBudget {
    fn recipe(&self) -> Result<Recipe, Refused> {
        self.has_only_its_own()?;
        Ok(match self.kind {
            Kind::Ratio => Recipe::Ratio {
                ratio: self.ratio.unwrap_or(RatioBudget::DEFAULT_RATIO),
                min_per_second: self.min_per_second.unwrap_or(RatioBudget::DEFAULT_MIN_PER_SECOND),
                ttl: self.ttl.as_ref().map_or(Ok(RatioBudget::DEFAULT_TTL), |ttl| ttl.read("ttl"))?,
            },
            Kind::Aws => {
                Recipe::Aws { capacity: self.capacity.unwrap_or(TokenBudget::DEFAULT_CAPACITY), costs: self.costs()? }
            }
            Kind::Grpc => {
                let given = |field, value: Option<f64>| value.ok_or(Refused::missing(field, "kind \"grpc\""));
                Recipe::Grpc {
                    max_tokens: given("max_tokens", self.max_tokens)?,
                    token_ratio: given("token_ratio", self.token_ratio)?,
                }
            }
            Kind::InFlight => Recipe::InFlight {
                share: self.share.unwrap_or(InFlightBudget::DEFAULT_SHARE),
                min_concurrency: self.min_concurrency.unwrap_or(InFlightBudget::DEFAULT_MIN_CONCURRENCY),
            },
            Kind::Unlimited => Recipe::Unlimited,
        })
    }

    fn costs(&self) -> Result<Costs, Refused> {
        match (&self.costs, self.revision) {
            (Some(_), Some(_)) => Err(Refused::given("revision", format_args!("costs are given as well"))),
            (Some(costs), None) => Ok(costs.into()),
            (None, Some(Revision::Of2026) | None) => Ok(Costs::REVISION_2026),
            (None, Some(Revision::Earlier)) => Ok(Costs::EARLIER),
        }
    }

    fn has_only_its_own(&self) -> Result<(), Refused> {
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
        let (kind, own) = self.kind.fields();
        match given.into_iter().find(|(field, is_given)| *is_given && !own.contains(field)) {
            Some((field, _)) => Err(Refused::given(field, format_args!("kind \"{kind}\" does not have it"))),
            None => Ok(()),
        }
    }
}
