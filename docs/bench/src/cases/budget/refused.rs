//! Retries that are refused.

use std::{
    cell::Cell,
    sync::Mutex,
    time::{Duration, Instant},
};

use evenkeel_budget::{Account, Budget, Cause, Costs, InFlightBudget, Outcome, RatioBudget, TokenBudget};
use tower::retry::budget::{Budget as _, TpsBudget};

use super::{AREA, retry};
use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    let start = Instant::now();
    let towers = || TpsBudget::new(Duration::from_secs(10), 0, 1.0);
    let clocked = || RatioBudget::builder().min_per_second(0).build().expect("valid");
    let time = Cell::new(start);
    let spent = || {
        time.set(start);
        let budget = RatioBudget::builder().ratio(0.1).min_per_second(1).clock(|| time.get()).build().expect("valid");
        // Some windows old, its reserve spent in the middle of one.
        for second in 0..35 {
            time.set(start + Duration::from_millis(1_010 * second));
            budget.deposit();
            let _ = budget.try_withdraw();
        }
        while budget.try_withdraw().is_ok() {}
        budget
    };
    let with_refund = || {
        let budget = spent();
        // One was cancelled before it was sent, and its place taken by another.
        (0..10).for_each(|_| budget.deposit());
        drop(Budget::open(&&budget).withdraw(Cause::Transient));
        while budget.try_withdraw().is_ok() {}
        budget
    };
    let empty = || TokenBudget::new(0, Costs::REVISION_2026);
    let by_grpc = || {
        let budget = TokenBudget::grpc(1.0, 0.1).expect("valid");
        budget.open().record(Outcome::Transient);
        budget
    };
    let closed = || InFlightBudget::builder().share(0.0).min_concurrency(0).build().expect("valid");
    let (tower, timed, still, refunded) = (towers(), clocked(), spent(), with_refund());
    let (tokens, grpc, in_flight, locked) = (empty(), by_grpc(), closed(), Mutex::new(0_u32));
    let refused = |granted: bool| assert!(!granted);
    bench.compare(
        AREA,
        "a refusal",
        vec![
            Candidate::new("`RatioBudget`, with the clock", || refused(timed.try_withdraw().is_ok())).keeps(clocked),
            Candidate::new("`RatioBudget`, its clock stands", || refused(still.try_withdraw().is_ok())).keeps(spent),
            Candidate::new("the same, with a refund in its window", || refused(refunded.try_withdraw().is_ok()))
                .keeps(with_refund),
            Candidate::new("`TokenBudget`, AWS", || refused(retry(&&tokens))).keeps(empty),
            Candidate::new("`TokenBudget`, gRPC, its account opened before", {
                let mut account = Budget::open(&&grpc);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            })
            .keeps(by_grpc),
            Candidate::new("`InFlightBudget`, its account opened before", {
                let mut account = Budget::open(&&in_flight);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            })
            .keeps(closed),
            Candidate::new("tower `TpsBudget`, with the clock", || refused(tower.withdraw())).keeps(towers),
            Candidate::new("by hand: a counter behind a lock", || {
                refused(*locked.lock().expect("nobody panics with it") > 0);
            })
            .keeps(Mutex::<u32>::default),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}
