//! What a breaker takes: its own size and what it has on the heap, when it is built and when its window is full.

use std::time::Duration;

use allocation_counter::measure;
use evenkeel_breaker::{Abandoned, Breaker, BreakerBuilder};

use crate::{
    HOUR, SPAN,
    peers::{Answer, Peer, answers, failsafe, failsafe_both, ours, recloser, resilience},
};

pub(crate) fn compare_memory() {
    // Its first call in a thread allocates for the thread.
    assert!((&recloser(0.5)).admits(Ok(0)));
    println!("\n### Bytes of a closed breaker: its own and on the heap\n");
    println!("| | built | after 2000 calls |");
    println!("| --- | ---: | ---: |");
    let breaker = |name, builder: BreakerBuilder| {
        row(name, || builder.build().unwrap(), |mut breaker, answer| breaker.admits(answer));
    };
    breaker("the default rules", Breaker::builder());
    breaker("failures in a row", Breaker::builder().consecutive_failures(10));
    breaker("count window of 100", Breaker::builder().failure_rate(0.5));
    breaker("count window of 500", Breaker::builder().failure_rate(0.5).count_window(500));
    breaker("time window", Breaker::builder().failure_rate(0.5).time_window(SPAN));
    breaker("the default rules and a slow rule", ours(0.5, 10).slow_calls(HOUR, 0.5));
    breaker("everything on, count window of 500", everything().count_window(500));
    breaker("everything on, time window", everything().time_window(SPAN));
    row("recloser", || recloser(0.5), |mut recloser, answer| recloser.admits(answer));
    row("failsafe, failures in a row", || failsafe(5), |mut failsafe, answer| failsafe.admits(answer));
    row("failsafe, both policies", || failsafe_both(0.2, 5), |mut failsafe, answer| failsafe.admits(answer));
    row(
        "tower-resilience, with its layer",
        || resilience(|rules| rules),
        |service, answer| service.clone().admits(answer),
    );
}

fn everything() -> BreakerBuilder {
    ours(0.5, 10)
        .slow_calls(HOUR, 0.5)
        .half_open_permits(10)
        .half_open_successes(5)
        .half_open_calls(10)
        .probe_timeout(HOUR)
        .ramp(Duration::from_secs(30))
        .abandoned(Abandoned::FailureAfter(HOUR))
}

fn row<B>(name: &str, build: impl FnOnce() -> B, call: impl Fn(&B, Answer) -> bool) {
    let mut breaker = None;
    let built = size_of::<B>() as i64 + measure(|| breaker = Some(build())).bytes_current;
    let breaker = breaker.expect("it was built");
    let calls = || (1..=2_000).for_each(|n| assert!(call(&breaker, answers::few_fail(n)), "{name}"));
    let used = built + measure(calls).bytes_current;
    println!("| {name} | {built} | {used} |");
}
