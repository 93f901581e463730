//! Layers around a service whose first answer is in time: at the first poll, and at the second.

use std::future::Future;

use evenkeel_hedging::{Alternates, Hedge, HedgeLayer, TokenBudget};
use tokio::time::sleep;
use tower::{Layer, service_fn};

use super::{
    DELAY, done,
    peers::{resilience, warm_tower},
    turn::{Answer, Turn, beside_a_timer, well},
    warm, warm_whose_clock_stands,
};
use crate::{
    cases::forever,
    measure::{Bench, Candidate, drive, request},
};

pub(super) fn run(bench: &mut Bench) {
    around(bench, "layer, ready at once", well);
    around(bench, "layer, pending winner", || Turn::SECOND);
}

fn around<F>(bench: &mut Bench, case: &str, answer: impl Fn() -> F + Copy + Send + 'static)
where
    F: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(move |_: u64| answer());
    let fixed = || HedgeLayer::new([DELAY], sleep).layer(service);
    let quantile = || HedgeLayer::new(warm(), sleep).layer(service);
    let still = || HedgeLayer::new(warm_whose_clock_stands(), sleep).layer(service);
    let alternates = || Alternates::new([service, service]).policy(Hedge::after(DELAY, sleep));
    let towers = || warm_tower(service);
    let other = || resilience(service, DELAY);
    let policy = || Hedge::after(DELAY, sleep).budget(TokenBudget::default());
    let lent = || HedgeLayer::of(forever(policy())).layer(service);
    let (mut fixed_1, mut quantile_1, mut still_1, mut alternates_1) = (fixed(), quantile(), still(), alternates());
    let (mut lent_1, mut towers_1, mut other_1, mut bare) = (lent(), towers(), other(), service);
    bench.compare(
        "hedging",
        case,
        vec![
            Candidate::new("`HedgeLayer`, a fixed delay", || done(request(&mut fixed_1, 1))).keeps(fixed),
            Candidate::new("`HedgeLayer`, a fixed delay, its policy by reference", || done(request(&mut lent_1, 1)))
                .keeps(lent),
            Candidate::new("`HedgeLayer`, `Quantile`", || done(request(&mut quantile_1, 1))).keeps(quantile),
            Candidate::new("`HedgeLayer`, `Quantile`, its clock stands", || done(request(&mut still_1, 1)))
                .keeps(still),
            Candidate::new("`Alternates` of two, a fixed delay", || done(request(&mut alternates_1, 1)))
                .keeps(alternates),
            Candidate::new("by hand: a call and a timer", || done(drive(beside_a_timer(answer(), || sleep(DELAY))))),
            Candidate::new("no layer", || done(request(&mut bare, 1))),
            Candidate::new("tower::hedge", || done(request(&mut towers_1, 1))).keeps(towers),
            Candidate::new("tower-resilience-hedge", || done(request(&mut other_1, 1))).keeps(other),
        ],
    );
}
