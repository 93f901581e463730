//! How a client hedges, by name.

use super::{Scenario, peer::Settings};

/// How a client hedges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// When further attempts are sent.
    pub hedge: Hedging,
    /// What pays for them.
    pub budget: Paying,
}

/// When further attempts are sent, at most one unless it says else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hedging {
    /// Never.
    None,
    /// After 10 ms.
    Fixed10Ms,
    /// When the first takes longer than 90 % do.
    P90,
    /// Then, and again at twice that.
    P90x2,
    /// When the first takes longer than 95 % do.
    P95,
    /// Then, and again at twice that.
    P95x2,
    /// `tower::hedge` at its own estimate of what 90 % do not pass.
    TowerP90,
    /// `tower::hedge` at its own estimate of what 95 % do not pass.
    TowerP95,
    /// The same, told not to wait for data.
    TowerP95Eager,
}

/// What pays for further attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paying {
    /// Nothing has to.
    Unlimited,
    /// A ratio budget of a fifth of the requests over 10 s, without a reserve.
    Ratio,
    /// The budget that a layer gives itself.
    Tokens,
}

impl Policy {
    /// What the rows call it: without its budget where that is the rule of the scenario.
    #[must_use]
    pub const fn name(self, scenario: Scenario) -> &'static str {
        let ruled = match scenario {
            Scenario::BrownOut => Paying::Ratio,
            Scenario::Headline | Scenario::Tail2 | Scenario::Tail10 | Scenario::Correlated | Scenario::Failing => {
                Paying::Unlimited
            }
        };
        let names = match self.hedge {
            Hedging::None => ["none"; 4],
            Hedging::Fixed10Ms => ["fixed-10ms", "fixed-10ms-no-budget", "fixed-10ms-ratio", "fixed-10ms-tokens"],
            Hedging::P90 => ["p90", "p90-no-budget", "p90-ratio", "p90-tokens"],
            Hedging::P90x2 => ["p90x2", "p90x2-no-budget", "p90x2-ratio", "p90x2-tokens"],
            Hedging::P95 => ["p95", "p95-no-budget", "p95-ratio", "p95-tokens"],
            Hedging::P95x2 => ["p95x2", "p95x2-no-budget", "p95x2-ratio", "p95x2-tokens"],
            Hedging::TowerP90 => ["tower-p90"; 4],
            Hedging::TowerP95 => ["tower-p95"; 4],
            Hedging::TowerP95Eager => ["tower-p95-eager"; 4],
        };
        match (self.budget, ruled) {
            (Paying::Unlimited, Paying::Unlimited) | (Paying::Ratio, Paying::Ratio) => names[0],
            (Paying::Unlimited, _) => names[1],
            (Paying::Ratio, _) => names[2],
            (Paying::Tokens, _) => names[3],
        }
    }
}

impl Hedging {
    /// What `tower::hedge` is told, where that is who hedges.
    pub(super) const fn tower(self) -> Option<Settings> {
        match self {
            Self::TowerP90 => Some(Settings { share: 0.9, min_data_points: 100 }),
            Self::TowerP95 => Some(Settings { share: 0.95, min_data_points: 100 }),
            Self::TowerP95Eager => Some(Settings { share: 0.95, min_data_points: 0 }),
            Self::None | Self::Fixed10Ms | Self::P90 | Self::P90x2 | Self::P95 | Self::P95x2 => None,
        }
    }
}
