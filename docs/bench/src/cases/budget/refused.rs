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
    let tower = TpsBudget::new(Duration::from_secs(10), 0, 1.0);
    let timed = RatioBudget::builder().min_per_second(0).build().expect("valid");
    let time = Cell::new(start);
    let [still, refunded] = [(); 2].map(|()| {
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
    });
    // One was cancelled before it was sent, and its place taken by another.
    (0..10).for_each(|_| refunded.deposit());
    drop(Budget::open(&&refunded).withdraw(Cause::Transient));
    while refunded.try_withdraw().is_ok() {}
    let tokens = TokenBudget::new(0, Costs::REVISION_2026);
    let grpc = TokenBudget::grpc(1.0, 0.1).expect("valid");
    grpc.open().record(Outcome::Transient);
    let in_flight = InFlightBudget::builder().share(0.0).min_concurrency(0).build().expect("valid");
    let locked = Mutex::new(0_u32);
    let refused = |granted: bool| assert!(!granted);
    bench.compare(
        AREA,
        "a refusal",
        vec![
            Candidate::new("`RatioBudget`, with the clock", || refused(timed.try_withdraw().is_ok())),
            Candidate::new("`RatioBudget`, its clock stands", || refused(still.try_withdraw().is_ok())),
            Candidate::new("the same, with a refund in its window", || refused(refunded.try_withdraw().is_ok())),
            Candidate::new("`TokenBudget`, AWS", || refused(retry(&&tokens))),
            Candidate::new("`TokenBudget`, gRPC, its account opened before", {
                let mut account = Budget::open(&&grpc);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            }),
            Candidate::new("`InFlightBudget`, its account opened before", {
                let mut account = Budget::open(&&in_flight);
                move || refused(account.withdraw(Cause::Transient).is_ok())
            }),
            Candidate::new("tower `TpsBudget`, with the clock", || refused(tower.withdraw())),
            Candidate::new("by hand: a counter behind a lock", || {
                refused(*locked.lock().expect("nobody panics with it") > 0);
            }),
            Candidate::new("the clock alone", Instant::now),
        ],
    );
}
