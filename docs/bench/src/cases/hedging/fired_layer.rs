//! Layers: two attempts, of which the first never answers and the second does.

use std::{future::ready, time::Duration};

use evenkeel_hedging::{Alternates, AtOnce, Hedge};
use tokio::{runtime::Runtime, time::sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{
    DELAY, done,
    fired::{endless, over},
    peers::{quick_tower, resilience},
    turn::{Lame, two},
    warm, warm_whose_clock_stands,
};
use crate::{
    cases::runtime::{awaited, with_time},
    measure::{Bench, Candidate, drive, request},
};

pub(super) fn run(bench: &mut Bench) {
    after_a_delay(bench);
    both_at_once(bench);
    in_tokio(bench, &with_time());
}

/// The peers' timer is tokio's: they are beside ours where it runs.
fn after_a_delay(bench: &mut Bench) {
    let lame = [(); 5].map(|()| Lame::new());
    let service = |n: usize| {
        let lame = lame[n];
        service_fn(move |_: u64| lame.answer())
    };
    let fixed = || Hedge::after(DELAY, over).budget(endless()).layer().layer(service(0));
    let quantile = || Hedge::new(warm(), over).budget(endless()).layer().layer(service(1));
    let still = || Hedge::new(warm_whose_clock_stands(), over).budget(endless()).layer().layer(service(2));
    let policy = || Hedge::after(DELAY, over).budget(endless());
    let alternates = || Alternates::new([service(3), service(3)]).policy(policy());
    let (mut fixed_1, mut quantile_1, mut still_1, mut alternates_1) = (fixed(), quantile(), still(), alternates());
    bench.compare(
        "hedging",
        "layer, fired",
        vec![
            Candidate::new("`HedgeLayer`, a fixed delay", || done(request(&mut fixed_1, 1))).keeps(fixed),
            Candidate::new("`HedgeLayer`, `Quantile`", || done(request(&mut quantile_1, 1))).keeps(quantile),
            Candidate::new("`HedgeLayer`, `Quantile`, its clock stands", || done(request(&mut still_1, 1)))
                .keeps(still),
            Candidate::new("`Alternates` of two, a fixed delay", || done(request(&mut alternates_1, 1)))
                .keeps(alternates),
            Candidate::new("by hand", || done(drive(two(|| lame[4].answer(), ready(()))))),
        ],
    );
}

/// Without a timer, which tower cannot do.
fn both_at_once(bench: &mut Bench) {
    let lame = [(); 4].map(|()| Lame::new());
    let service = |n: usize| {
        let lame = lame[n];
        service_fn(move |_: u64| lame.answer())
    };
    let policy = || Hedge::new(AtOnce, over).budget(endless());
    let ours = || policy().layer().layer(service(0));
    let alternates = || Alternates::new([service(1), service(1)]).policy(policy());
    let other = || resilience(service(2), Duration::ZERO);
    let (mut ours_1, mut alternates_1, mut other_1) = (ours(), alternates(), other());
    bench.compare(
        "hedging",
        "layer, two at once",
        vec![
            Candidate::new("`HedgeLayer`, `AtOnce`", || done(request(&mut ours_1, 1))).keeps(ours),
            Candidate::new("`Alternates` of two, `AtOnce`", || done(request(&mut alternates_1, 1))).keeps(alternates),
            Candidate::new("by hand", || done(drive(two(|| lame[3].answer(), ready(()))))),
            Candidate::new("tower-resilience-hedge", || done(request(&mut other_1, 1))).keeps(other),
        ],
    );
}

/// The shortest timer that each has. It ends with the next millisecond of tokio's: that is most of what these take.
fn in_tokio(bench: &mut Bench, runtime: &Runtime) {
    const SHORTEST: Duration = Duration::from_nanos(1);
    let lame = [(); 4].map(|()| Lame::new());
    let service = |n: usize| {
        let lame = lame[n];
        service_fn(move |_: u64| lame.answer())
    };
    let ours = || Hedge::after(SHORTEST, sleep).budget(endless()).layer().layer(service(0));
    let (towers, other) = (|| quick_tower(service(1)), || resilience(service(2), SHORTEST));
    let (mut ours_1, mut towers_1, mut other_1) = (ours(), towers(), other());
    bench.compare(
        "hedging",
        "layer, fired, in tokio",
        vec![
            awaited("`HedgeLayer`, a fixed delay", runtime, async || send(&mut ours_1).await).keeps(ours),
            awaited("by hand", runtime, async || done(two(|| lame[3].answer(), sleep(SHORTEST)).await)),
            awaited("tower::hedge", runtime, async || send(&mut towers_1).await).keeps(towers),
            awaited("tower-resilience-hedge", runtime, async || send(&mut other_1).await).keeps(other),
        ],
    );
}

async fn send(service: &mut impl Service<u64, Response = u64>) -> u64 {
    done(done(service.ready().await).call(1).await)
}
