//! With which probability a request is rejected: pure functions of what a window holds.

use super::Priority;

/// What the counts of a window lead to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Requests for each accepted one: from 1.
    pub(super) k: f64,
    /// The aggregate probability is never above it: from 0 to 1.
    pub(super) max_rejection: f64,
}

/// What is in a window, one number for each of [`Priority::ALL`].
///
/// Requests are kept as those that were accepted and those that were not, and not as all and the accepted: so each request
/// is one count, and nobody ever sees it without its accept. Their difference has no way to go below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) accepted: [u64; 3],
    /// Rejected here, failed there, or given up.
    pub(super) unaccepted: [u64; 3],
}

impl Counts {
    /// Of one priority.
    fn of(&self, priority: Priority) -> u64 {
        self.accepted[priority.index()] + self.unaccepted[priority.index()]
    }

    pub(super) fn accepts(&self) -> u64 {
        self.accepted.iter().sum()
    }

    pub(super) fn requests(&self) -> u64 {
        self.accepts() + self.unaccepted.iter().sum::<u64>()
    }
}

impl Rule {
    /// The probability with which the next request is rejected, whatever its priority:
    /// `max(0, (requests − k · accepts) / (requests + 1))`.
    pub(super) fn aggregate(self, counts: &Counts) -> f64 {
        (self.to_reject(counts) / (counts.requests() + 1) as f64).min(self.max_rejection)
    }

    /// The probability with which the next request is rejected if it is of that `priority`. It is counted in: so its own
    /// share is never empty.
    pub(super) fn next(self, counts: &Counts, priority: Priority) -> f64 {
        let mut requests = Priority::ALL.map(|priority| counts.of(priority));
        requests[priority.index()] += 1;
        fill(self.to_reject(counts), &requests, priority)
    }

    /// How many requests of those in the window and the next one are to be rejected: what the aggregate is a share of, and
    /// not yet divided by them, so that it is as whole as they are.
    fn to_reject(self, counts: &Counts) -> f64 {
        let (requests, accepts) = (counts.requests() as f64, counts.accepts() as f64);
        (requests - self.k * accepts).clamp(0.0, self.max_rejection * (requests + 1.0))
    }
}

/// The probability with which a request of that `priority` is rejected, so that of all `requests` so many are: those to
/// reject are filled up from the sheddable ones.
///
/// A priority of which there are none is treated as if there were one.
fn fill(to_reject: f64, requests: &[u64; 3], priority: Priority) -> f64 {
    let (own, before) = (requests[priority.index()], &requests[priority.index() + 1..]);
    let left = to_reject - before.iter().sum::<u64>() as f64;
    (left / own.max(1) as f64).clamp(0.0, 1.0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SRE: Rule = Rule { k: 2.0, max_rejection: 1.0 };

    fn fills(aggregate: f64, requests: [u64; 3]) -> [f64; 3] {
        let to_reject = aggregate * requests.iter().sum::<u64>() as f64;
        Priority::ALL.map(|priority| fill(to_reject, &requests, priority))
    }

    /// Lays the requests out in a row, sheddable ones first, rejects that part of the row, and looks what was hit.
    fn naive(aggregate: f64, requests: [u64; 3]) -> [f64; 3] {
        let row: Vec<usize> = (0..3).rev().flat_map(|class| (0..requests[class]).map(move |_| class)).collect();
        let mut to_reject = aggregate * row.len() as f64;
        let mut rejected = [0.0; 3];
        for class in row {
            rejected[class] += to_reject.clamp(0.0, 1.0);
            to_reject -= 1.0;
        }
        [0, 1, 2].map(|class| rejected[class] / requests[class] as f64)
    }

    #[test]
    fn the_formula_is_that_of_the_book() {
        let of = |accepted, unaccepted| {
            let counts = Counts { accepted: [0, accepted, 0], unaccepted: [0, unaccepted, 0] };
            SRE.aggregate(&counts)
        };
        assert_eq!(of(0, 0), 0.0);
        assert_eq!(of(50, 50), 0.0, "as many as k allows");
        assert_eq!(of(50, 51), 1.0 / 102.0);
        assert_eq!(of(0, 1), 0.5);
        assert_eq!(of(0, 99), 0.99);
        assert_eq!(of(10, 89), 0.79);
    }

    #[test]
    fn sheddable_requests_go_first_and_critical_ones_last() {
        let close = |left: [f64; 3], right: [f64; 3]| {
            assert!((0..3).all(|class| (left[class] - right[class]).abs() < 1e-12), "{left:?} is not {right:?}");
        };
        close(fills(0.1, [10, 10, 20]), [0.0, 0.0, 0.2]);
        close(fills(0.5, [10, 10, 20]), [0.0, 0.0, 1.0]);
        close(fills(0.6, [10, 10, 20]), [0.0, 0.4, 1.0]);
        close(fills(0.75, [10, 10, 20]), [0.0, 1.0, 1.0]);
        close(fills(0.9, [10, 10, 20]), [0.6, 1.0, 1.0]);
        close(fills(1.0, [10, 10, 20]), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn with_one_priority_the_aggregate_is_its_own() {
        for priority in Priority::ALL {
            let mut unaccepted = [0; 3];
            unaccepted[priority.index()] = 9;
            let counts = Counts { accepted: [0; 3], unaccepted };
            assert!((SRE.next(&counts, priority) - 0.9).abs() < 1e-12);
        }
    }

    #[test]
    fn the_first_of_a_priority_is_judged_by_those_of_the_others() {
        let counts = Counts { accepted: [0; 3], unaccepted: [0, 9, 0] };
        assert_eq!(SRE.next(&counts, Priority::Critical), 0.0, "there are normal ones to reject");
        assert_eq!(SRE.next(&counts, Priority::Sheddable), 1.0, "rather than a normal one");
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        let most = u64::from(u32::MAX);
        for (k, max_rejection) in [(1.0, 1.0), (1000.0, 1.0), (1000.0, 0.0)] {
            let rule = Rule { k, max_rejection };
            for counts in [
                Counts { accepted: [most; 3], unaccepted: [most; 3] },
                Counts { accepted: [0; 3], unaccepted: [most; 3] },
                Counts { accepted: [most; 3], unaccepted: [0; 3] },
            ] {
                for priority in Priority::ALL {
                    assert!((0.0..=1.0).contains(&rule.next(&counts, priority)));
                }
            }
        }
    }

    fn requests() -> impl Strategy<Value = [u64; 3]> {
        prop_oneof![[0..4_u64, 0..4, 0..4], [0..200_u64, 0..200, 0..200]]
    }

    proptest! {
        #[test]
        fn all_priorities_together_reject_the_aggregate(aggregate in 0.0..=1.0, requests in requests()) {
            let total = requests.iter().sum::<u64>() as f64;
            let fills = fills(aggregate, requests);
            let rejected: f64 = (0..3).map(|class| fills[class] * requests[class] as f64).sum();
            prop_assert!((rejected - aggregate * total).abs() < 1e-9);
        }

        #[test]
        fn it_does_what_a_row_of_requests_shows(aggregate in 0.0..=1.0, requests in requests()) {
            let (fills, naive) = (fills(aggregate, requests), naive(aggregate, requests));
            for class in (0..3).filter(|&class| requests[class] > 0) {
                prop_assert!((fills[class] - naive[class]).abs() < 1e-9, "{fills:?} is not {naive:?}");
            }
        }

        #[test]
        fn what_matters_more_is_never_rejected_more(aggregate in 0.0..=1.0, requests in requests()) {
            let [critical, normal, sheddable] = fills(aggregate, requests);
            prop_assert!(critical <= normal && normal <= sheddable);
        }

        #[test]
        fn a_higher_aggregate_never_rejects_less(low in 0.0..=1.0, more in 0.0..=1.0_f64, requests in requests()) {
            let (low, high) = (fills(low, requests), fills((low + more).min(1.0), requests));
            prop_assert!((0..3).all(|class| low[class] <= high[class]));
        }

        #[test]
        fn a_request_is_judged_no_worse_for_mattering_more(
            accepted in requests(),
            unaccepted in requests(),
            k in 1.0..5.0,
            max_rejection in 0.0..=1.0,
        ) {
            let (rule, counts) = (Rule { k, max_rejection }, Counts { accepted, unaccepted });
            prop_assert!(rule.aggregate(&counts) <= max_rejection);
            let [critical, normal, sheddable] = Priority::ALL.map(|priority| rule.next(&counts, priority));
            prop_assert!(critical <= normal + 1e-9 && normal <= sheddable + 1e-9);
            prop_assert!(sheddable == 0.0 || rule.aggregate(&counts) > 0.0);
        }
    }
}
