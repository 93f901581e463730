//! What will hurt, and what to do instead.

mod breaker;
mod budget;
mod calm;
mod hedge;
mod limits;
mod retry;

use serde::Serialize;

use super::{Bounds, Load, Measured, Policy};

/// Something in a configuration that is legal, and will not do what it is there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its name, which does not change.
    pub id: &'static str,
    /// What there is.
    pub what: String,
    /// Why that hurts.
    pub why: &'static str,
    /// What to do.
    pub instead: String,
}

/// What a rule looks at.
struct Case<'a> {
    policy: &'a Policy,
    load: &'a Load,
    bounds: &'a Bounds,
}

impl Warning {
    /// What is wrong before the outage, as it was measured without retries and with the policy.
    pub(super) fn of_calm(measured: &[Measured; 3]) -> Option<Self> {
        calm::unwell(measured)
    }

    /// All that there are of the configuration, the worst first. A [`Report`](super::Report) may have one more, of what it has
    /// seen: `calm-is-not-well`.
    #[must_use]
    pub fn all(policy: &Policy, load: &Load, bounds: &Bounds) -> Vec<Self> {
        let case = Case { policy, load, bounds };
        RULES.iter().flat_map(|rules| rules.iter()).filter_map(|rule| rule(&case)).collect()
    }

    fn new(id: &'static str, what: impl Into<String>, why: &'static str, instead: impl Into<String>) -> Option<Self> {
        Some(Self { id, what: what.into(), why, instead: instead.into() })
    }
}

type Rule = fn(&Case<'_>) -> Option<Warning>;

const RULES: [&[Rule]; 5] = [budget::RULES, retry::RULES, limits::RULES, breaker::RULES, hedge::RULES];
