//! Two threads that send through one layer, each with a clone of the service, beside one.

use evenkeel_backoff::{Retry, RetryLayer, TokenBudget};
use tokio::runtime::Runtime;
use tower::Layer;

use super::{
    layer::made,
    peers::{Tower, awake, resilience},
};
use crate::{
    cases::{
        forever,
        schedules::{self, SCHEDULE},
        threads::{alone, shared},
    },
    echo::Echo,
    measure::Bench,
};

/// The peers' policies are for such an error.
const SENT: Result<u64, u64> = Ok(1);

pub(super) fn run(bench: &mut Bench, runtime: &Runtime) {
    let policy = || Retry::new(SCHEDULE.take(3), made).budget(TokenBudget::default());
    let ours = || RetryLayer::new(SCHEDULE.take(3), made).layer(Echo);
    let towers = || tower::retry::Retry::new(Tower::waiting(awake), Echo);
    let other = || resilience(schedules::peers::resilience()).layer(Echo);
    let candidates = [
        shared("`RetryLayer`", runtime, SENT, ours),
        shared("`RetryLayer`, its policy by reference", runtime, SENT, || {
            RetryLayer::of(forever(policy())).layer(Echo)
        }),
        shared("tower::retry", runtime, SENT, towers),
        shared("tower-resilience-retry", runtime, SENT, other),
        alone("each thread its own `RetryLayer`: what the machine has", runtime, SENT, ours),
    ];
    bench.share("retry", "two threads, a layer, success at once", &candidates);
}
