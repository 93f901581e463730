//! Two threads that send through one layer, each with a clone of the service, beside one. `tower::hedge` cannot be cloned.

use evenkeel_hedging::{Hedge, HedgeLayer, TokenBudget};
use tokio::{runtime::Runtime, time::sleep};
use tower::Layer;

use super::{DELAY, peers::resilience, warm};
use crate::{
    cases::{
        forever,
        threads::{alone, shared},
    },
    echo::Echo,
    measure::Bench,
};

pub(super) fn run(bench: &mut Bench, runtime: &Runtime) {
    let fixed = || HedgeLayer::new([DELAY], sleep).layer(Echo);
    let quantile = || HedgeLayer::new(warm(), sleep).layer(Echo);
    let lent_fixed = || {
        let policy = Hedge::after(DELAY, sleep).budget(TokenBudget::default());
        HedgeLayer::of(forever(policy)).layer(Echo)
    };
    let lent_quantile = || {
        let policy = Hedge::new(warm(), sleep).budget(TokenBudget::default());
        HedgeLayer::of(forever(policy)).layer(Echo)
    };
    let other = || resilience(Echo, DELAY);
    let candidates = [
        shared("`HedgeLayer`, a fixed delay", runtime, 1_u64, fixed),
        shared("`HedgeLayer`, `Quantile`", runtime, 1, quantile),
        shared("`HedgeLayer`, a fixed delay, its policy by reference", runtime, 1, lent_fixed),
        shared("`HedgeLayer`, `Quantile`, its policy by reference", runtime, 1, lent_quantile),
        shared("tower-resilience-hedge", runtime, 1, other),
        alone("each thread its own `HedgeLayer`, a fixed delay: what the machine has", runtime, 1_u64, fixed),
    ];
    bench.share("hedging", "two threads, a layer, ready at once", &candidates);
}
