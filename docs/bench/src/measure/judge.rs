//! What was promised, and what it came to.

use std::collections::BTreeMap;

use super::quartiles;
use crate::{
    row::Measured,
    target::{Beside, Target},
};

/// The figure of each round is that of the candidate by itself, or its ratio to another's in the same round, when both
/// were measured in the same millisecond or so: the median of those is steadier than the ratio of the medians.
pub(super) fn judge(target: &Target, rounds: &BTreeMap<&'static str, Vec<f64>>) -> Measured {
    let Target { promise, area, case, ours, beside, limit, at_least } = *target;
    let of = |name: &str| {
        rounds.get(name).unwrap_or_else(|| panic!("{area}: {case} has no candidate `{name}`, which a promise names"))
    };
    let ratio = |name: &str| median(of(ours).iter().zip(of(name)).map(|(ours, theirs)| ours / theirs).collect());
    let (beside, figure) = match beside {
        Beside::Peers(names) => {
            let ratios = names.iter().map(|&name| (Some(name.to_owned()), ratio(name)));
            // Beside the best of the peers the ratio is the least favourable.
            let best = ratios.max_by(|a, b| if at_least { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
            best.expect("a promise beside nobody")
        }
        Beside::Nothing => (None, median(of(ours).clone())),
    };
    Measured {
        promise: promise.to_owned(),
        case: format!("{area}: {case}"),
        candidate: ours.to_owned(),
        beside,
        limit,
        figure,
        kept: if at_least { figure >= limit } else { figure <= limit },
    }
}

fn median(of: Vec<f64>) -> f64 {
    quartiles(of)[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target {
        promise: "half",
        area: "area",
        case: "case",
        ours: "ours",
        beside: Beside::Peers(&["slow", "quick"]),
        limit: 0.5,
        at_least: false,
    };

    /// The machine is three times as slow in the second round, and busy with something else for a part of the third.
    fn rounds(ours: f64) -> BTreeMap<&'static str, Vec<f64>> {
        let drift = |of: f64| vec![of, 3.0 * of, of];
        let mut disturbed = drift(ours);
        disturbed[2] *= 50.0;
        [("ours", disturbed), ("slow", drift(40.0)), ("quick", drift(20.0))].into()
    }

    #[test]
    fn a_promise_is_kept_up_to_its_limit_and_missed_above_beside_the_best_of_the_peers() {
        let kept = judge(&TARGET, &rounds(10.0));
        assert_eq!((kept.kept, kept.figure, kept.beside.as_deref()), (true, 0.5, Some("quick")));
        assert_eq!((&*kept.case, &*kept.candidate, kept.limit), ("area: case", "ours", 0.5));
        let missed = judge(&TARGET, &rounds(11.0));
        assert_eq!((missed.kept, missed.figure), (false, 0.55));
    }

    #[test]
    fn of_what_is_to_be_much_the_best_of_the_peers_has_most() {
        let target = Target { at_least: true, ..TARGET };
        let kept = judge(&target, &rounds(20.0));
        assert_eq!((kept.kept, kept.figure, kept.beside.as_deref()), (true, 0.5, Some("slow")));
        assert!(!judge(&target, &rounds(19.0)).kept);
    }

    #[test]
    fn beside_nobody_it_is_the_median_of_the_rounds() {
        let target = Target { beside: Beside::Nothing, ..TARGET };
        let gained = [("ours", vec![0.4, 9.0, 0.5])].into();
        let most = judge(&target, &gained);
        assert_eq!((most.kept, most.figure, most.beside), (true, 0.5, None));
        assert!(judge(&Target { at_least: true, ..target }, &gained).kept);
        assert!(!judge(&Target { at_least: true, limit: 0.6, ..target }, &gained).kept);
    }

    #[test]
    #[should_panic(expected = "has no candidate `quick`")]
    fn a_promise_about_nobody_is_a_mistake() {
        judge(&TARGET, &[("ours", vec![1.0]), ("slow", vec![1.0])].into());
    }
}
