//! Every observer that counts, made and driven until each of its series has something to show.

use std::{
    future::pending,
    num::{NonZeroU32, NonZeroUsize},
    time::{Duration, Instant},
};

use evenkeel_backoff as backoff;
use evenkeel_backoff::{Observer as _, Stop};
use evenkeel_breaker::{
    self as breaker, Abandoned, Breaker, BreakerMap, BreakerMapMetrics, BreakerMetrics, BreakerObserver as _,
};
use evenkeel_budget::{
    BudgetMetrics, BudgetObserver as _, Cause, Costs, Priority, ThrottleMetrics, ThrottleObserver as _, TokenBudget,
    Unlimited, Verdict,
};
use evenkeel_hedging::{Hedge, HedgeMetrics, Quantile};
use tokio::time::sleep;

/// Drives all of them. What it returns is to be kept until the series are read, for some are gone with what they show.
pub(crate) fn all() -> impl Sized {
    retry();
    budget();
    throttle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without I/O");
    // Whoever makes it anew sets its gauges back.
    let metrics = BreakerMetrics::new("api").with_durations();
    runtime.block_on(prober(metrics.clone()));
    one_breaker(metrics);
    runtime.block_on(hedge());
    breakers()
}

const MS: Duration = Duration::from_millis(1);

const CAUSES: [Cause; 3] = [Cause::Transient, Cause::Throttled, Cause::Timeout];

fn retry() {
    let metrics = backoff::Metrics::new("api");
    (0..2).for_each(|attempt| metrics.on_attempt(attempt));
    for verdict in [Verdict::success(), Verdict::transient(), Verdict::throttled(), Verdict::permanent()] {
        metrics.on_verdict(0, verdict);
    }
    CAUSES.into_iter().for_each(|cause| metrics.on_retry(1, cause, MS));
    Stop::ALL.iter().for_each(|stop| metrics.on_stop(1, *stop));
}

fn budget() {
    let metrics = BudgetMetrics::new("api");
    metrics.on_deposit(5.0);
    for cause in CAUSES.into_iter().chain([Cause::Hedge]) {
        metrics.on_withdrawal(cause, 4.0);
        metrics.on_refusal(cause, 4.0);
        metrics.on_refund(cause, 5.0);
    }
    BudgetMetrics::of_many("tenants").on_balance(1.0);
}

fn throttle() {
    let metrics = ThrottleMetrics::new("api");
    for priority in Priority::ALL {
        metrics.on_admit(priority, 0.5);
        metrics.on_reject(priority, 0.5);
    }
    metrics.on_outcome(true);
}

/// Its events can be made by a breaker alone.
fn one_breaker(metrics: BreakerMetrics) {
    metrics.on_held_closed(breaker::Cause::FailureRate);
    let breaker = Breaker::builder().consecutive_failures(2).open_for([Duration::ZERO, 100 * MS]);
    let breaker = breaker.slow_calls(MS, 1.0).abandoned(Abandoned::Failure).observe(metrics).build();
    let (breaker, start) = (breaker.expect("settings in their ranges"), Instant::now());
    let call = || breaker.try_acquire_owned_at(start).expect("not open");
    let late = call();
    call().success_at(start + 2 * MS); // a slow one
    call().abandon_at(start);
    call().failure_at(start);
    late.success_at(start);
    call().failure_at(start); // a probe
    assert!(breaker.try_acquire_at(start).is_err());
}

/// The service is down, and users do not call.
async fn prober(metrics: BreakerMetrics) {
    let clock = || tokio::time::Instant::now().into_std();
    let breaker = Breaker::builder().clock(clock).observe(metrics).build();
    let breaker = breaker.expect("the defaults are in their ranges");
    let prober = breaker.prober(sleep, || async { Err::<(), _>("down") }).while_closed(MS);
    tokio::select! {
        never = prober => match never {},
        () = sleep(10 * MS) => {}
    }
}

async fn hedge() {
    let late = Quantile::builder(0.95).warm_up(NonZeroU32::MIN).build().expect("settings in their ranges");
    late.record(5 * MS);
    let metrics = HedgeMetrics::new("api").alternates(["first"]).threshold_of(&late);
    let hedge = Hedge::new([5 * MS], sleep).observe(metrics).budget(Unlimited);

    let hangs = |attempt| async move { if attempt == 0 { pending().await } else { Ok::<_, ()>(()) } };
    let _ = hedge.clone().run(hangs).await;
    let slow = |attempt| async move {
        if attempt > 0 {
            pending::<()>().await;
        }
        sleep(9 * MS).await;
        Ok::<_, ()>(())
    };
    let _ = hedge.clone().run(slow).await;
    let _ = hedge.clone().budget(TokenBudget::new(0, Costs::REVISION_2026)).run(slow).await;
    for verdict in [Verdict::transient(), Verdict::throttled(), Verdict::permanent()] {
        let _ = hedge.clone().when(move |_: &Result<(), ()>| verdict).run(|_| async { Err(()) }).await;
    }
}

/// Two keys, of which one may be open: the other one would be, but is held closed. A third is dropped.
fn breakers() -> impl Sized {
    let metrics = BreakerMapMetrics::new("hosts");
    let (two, start) = (NonZeroUsize::MIN.saturating_add(1), Instant::now());
    let map = BreakerMap::builder(two.saturating_add(1), Breaker::builder().consecutive_failures(1)).max_open(0.5);
    let map = map.observe_each(move |_: &String| metrics.of_key()).build().expect("settings in their ranges");
    let breakers = ["a", "b"].map(|key| map.breaker_at(key, start));
    for breaker in &breakers {
        breaker.try_acquire_at(start).expect("closed").failure_at(start);
    }
    assert!(breakers[0].try_acquire_at(start).is_err(), "open");
    assert!(breakers[1].try_acquire_at(start).is_ok(), "held closed");
    drop(map.breaker_at("c", start));
    map.remove("c");
    (map, breakers)
}
