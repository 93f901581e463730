//! Which policies meet which services in the experiment of the book.

use super::{Hedging, Paying, Policy, Scenario};

/// The rows. A brown-out is what budgets are for; elsewhere there is none unless the name says so.
pub(super) const CASES: [(Scenario, &[Policy]); 6] = [
    (
        Scenario::Headline,
        &[
            unlimited(Hedging::None),
            unlimited(Hedging::Fixed10Ms),
            unlimited(Hedging::P90),
            unlimited(Hedging::P90x2),
            unlimited(Hedging::P95),
            unlimited(Hedging::P95x2),
            tokens(Hedging::P90),
            tokens(Hedging::P95),
            unlimited(Hedging::TowerP90),
            unlimited(Hedging::TowerP95),
            unlimited(Hedging::TowerP95Eager),
        ],
    ),
    (Scenario::Tail2, TAIL),
    (Scenario::Tail10, TAIL),
    (
        Scenario::Correlated,
        &[unlimited(Hedging::None), unlimited(Hedging::P90), unlimited(Hedging::P95), unlimited(Hedging::P95x2)],
    ),
    (
        Scenario::Failing,
        &[unlimited(Hedging::None), unlimited(Hedging::P95), unlimited(Hedging::P95x2), unlimited(Hedging::TowerP95)],
    ),
    (
        Scenario::BrownOut,
        &[
            ratio(Hedging::None),
            ratio(Hedging::Fixed10Ms),
            ratio(Hedging::P90),
            ratio(Hedging::P90x2),
            ratio(Hedging::P95),
            ratio(Hedging::P95x2),
            tokens(Hedging::P95),
            unlimited(Hedging::Fixed10Ms),
            unlimited(Hedging::P95),
            unlimited(Hedging::P95x2),
            unlimited(Hedging::TowerP95),
        ],
    ),
];

const TAIL: &[Policy] = &[
    unlimited(Hedging::None),
    unlimited(Hedging::Fixed10Ms),
    unlimited(Hedging::P90),
    unlimited(Hedging::P90x2),
    unlimited(Hedging::P95),
    unlimited(Hedging::P95x2),
    unlimited(Hedging::TowerP95),
];

const fn unlimited(hedge: Hedging) -> Policy {
    Policy { hedge, budget: Paying::Unlimited }
}

const fn ratio(hedge: Hedging) -> Policy {
    Policy { hedge, budget: Paying::Ratio }
}

const fn tokens(hedge: Hedging) -> Policy {
    Policy { hedge, budget: Paying::Tokens }
}
