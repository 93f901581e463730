//! The warning on what is measured before the outage.

use super::Warning;
use crate::plan::{Measured, human::number};

/// With fewer answers in the calm, what is measured is not what the outage does.
pub(super) fn unwell([none, _, yours]: &[Measured; 3]) -> Option<Warning> {
    if none.answered_calm.min(yours.answered_calm) >= WELL {
        return None;
    }
    let percent = |seen: &Measured| number(seen.answered_calm * 100.0);
    Warning::new(
        "calm-is-not-well",
        format!(
            "before the outage {} % of the requests are answered with this policy, and {} % where nothing is tried again",
            percent(yours),
            percent(none)
        ),
        "What is measured is the service and the time limits as much as the outage: a service with few workers has a line \
         though it has room in the mean.",
        "More capacity_rps, longer time limits, or more load of a larger service: one worker is no fleet's service.",
    )
}

/// The share that must be answered.
const WELL: f64 = 0.99;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_when_one_of_a_hundred_is_not_answered_with_the_policy_or_without_it() {
        let seen = |share: f64| Measured { answered_calm: share, ..Measured::default() };
        let warns = |none, naive, yours| unwell(&[seen(none), seen(naive), seen(yours)]).map(|warning| warning.id);
        assert_eq!(warns(0.99, 0.0, 0.99), None, "the naive are not asked");
        assert_eq!(warns(0.989, 1.0, 1.0), Some("calm-is-not-well"));
        assert_eq!(warns(1.0, 1.0, 0.989), Some("calm-is-not-well"));
    }
}
