//! Budgets and the throttle by the traffic in their windows.

use std::{hint::black_box, time::Duration};

use evenkeel_budget::{Account, AdaptiveThrottle, Budget, Cause, Costs, Outcome, Priority, RatioBudget, TokenBudget};
use tower::retry::budget::{Budget as _, TpsBudget};

use super::{
    grower::{At, Grower},
    hand::Hand,
};

const WINDOW: Duration = Duration::from_secs(10);
/// One token a retry, and room for all: what is deposited is withdrawn.
const ONE: Costs = Costs { transient: 1, throttled: 1, timeout: 1, hedge: 1 };

pub(super) fn run(grower: &mut Grower) {
    let mut points = Vec::new();
    for requests in grower.tens(10, 1_000_000) {
        let step = WINDOW / requests as u32;
        let tokens = TokenBudget::new(1 << 30, ONE);
        points.push(filled("TokenBudget", requests, move || {
            tokens.open().record(Outcome::Success);
            retries(&&tokens)
        }));

        let hand = Hand::new();
        let ratio = RatioBudget::builder().ratio(1.0).ttl(WINDOW).clock(hand.reader()).build().expect(RANGES);
        points.push(filled("RatioBudget", requests, move || {
            hand.pass(step);
            retries(&&ratio)
        }));

        let hand = Hand::new();
        let throttle = AdaptiveThrottle::builder().window(WINDOW).clock(hand.reader()).build().expect(RANGES);
        points.push(filled("AdaptiveThrottle", requests, move || {
            hand.pass(step);
            throttle.try_acquire(Priority::Normal).map(|admission| admission.record(Outcome::Success)).is_ok()
        }));

        let tower = TpsBudget::new(WINDOW, 10, 1.0);
        points.push(filled("tower's TpsBudget, with the clock", requests, move || {
            tower.deposit();
            tower.withdraw()
        }));
    }
    grower.time("budget-traffic", points);
}

const RANGES: &str = "settings in their ranges";

/// A point whose window has its traffic already.
fn filled(line: &'static str, requests: u64, mut op: impl FnMut() -> bool + 'static) -> At<'static> {
    for _ in 0..requests {
        black_box(op());
    }
    At::new(line, requests, op)
}

/// One request that fails, and asks for a retry.
fn retries<B: Budget>(budget: &B) -> bool {
    let mut account = budget.open();
    account.record(Outcome::Transient);
    account.withdraw(Cause::Transient).map(|mut token| account.sent(&mut token)).is_ok()
}
