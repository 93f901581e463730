//! The peers and ours under one trait: a call whose result is known, and whether it was made.

use std::{
    hint::black_box,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder};
use failsafe::{
    CircuitBreaker as _, Config, FailurePolicy, StateMachine,
    backoff::{self, EqualJittered},
    failure_policy::{ConsecutiveFailures, OrElse, SuccessRateOverTimeWindow, consecutive_failures},
};
use recloser::Recloser;
use tower_layer::Layer;
use tower_resilience_circuitbreaker::{
    CircuitBreaker, CircuitBreakerConfigBuilder, CircuitBreakerError, DefaultClassifier, circuit_breaker_builder,
};

use crate::{echo::Echo, measure::request};

/// Longer than the bench runs: what is open stays open.
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// What a call comes to.
pub(super) type Answer = Result<u64, u64>;

/// What calls come to, by their number.
pub(super) mod answers {
    use super::Answer;

    pub(in super::super) const fn success(n: u64) -> Answer {
        Ok(n)
    }

    pub(in super::super) const fn every_second_fails(n: u64) -> Answer {
        if n % 2 == 0 { Ok(n) } else { Err(n) }
    }

    /// A breaker that lets everything fail is none: one success in so many, and no rule opens that asks for more.
    pub(in super::super) const ONE_IN: u64 = 128;

    pub(in super::super) const fn nearly_all_fail(n: u64) -> Answer {
        if n % ONE_IN == 0 { Ok(n) } else { Err(n) }
    }

    /// Often enough for a window of 500 never to be without a failure.
    pub(in super::super) const fn few_fail(n: u64) -> Answer {
        if n % 500 == 0 { Err(n) } else { Ok(n) }
    }
}

/// A handle of a breaker; its clones are the same breaker.
pub(super) trait Peer: Clone {
    /// Makes a call that comes to `answer`, if the breaker admits it; whether it does.
    fn admits(&mut self, answer: Answer) -> bool;
}

impl<C: Fn() -> Instant> Peer for Breaker<C> {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        match self.try_acquire() {
            Ok(permit) => {
                match answer {
                    Ok(_) => permit.success(),
                    Err(_) => permit.failure(),
                }
                true
            }
            Err(rejected) => {
                // It says more than the others do: not to be optimised away.
                black_box(rejected);
                false
            }
        }
    }
}

impl Peer for Arc<Recloser> {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        !matches!(Recloser::call(self, || answer), Err(recloser::Error::Rejected))
    }
}

impl<P: FailurePolicy> Peer for StateMachine<P, ()> {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        !matches!(self.call_with(failsafe::Any, || answer), Err(failsafe::Error::Rejected))
    }
}

/// tower-resilience has no other form than the layer.
#[derive(Clone)]
pub(super) struct Resilience(pub(super) CircuitBreaker<Echo, DefaultClassifier>);

impl Peer for Resilience {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        let result = request(&mut self.0, answer);
        !matches!(result, Err(CircuitBreakerError::OpenCircuit))
    }
}

/// The least that a breaker could be: is it closed, and one more.
#[derive(Clone, Default)]
pub(super) struct Atomics(Arc<Line>);

/// No neighbour on its cache line.
#[derive(Default)]
#[repr(align(128))]
struct Line {
    state: AtomicU64,
    count: AtomicU64,
}

impl Peer for Atomics {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        let Line { state, count } = &*self.0;
        let closed = state.load(Ordering::Acquire) == 0;
        count.fetch_add(u64::from(answer.is_err()) + 1, Ordering::Relaxed);
        closed
    }
}

/// What one would write without thinking much: failures in a row, behind a lock. It opens after so many.
#[derive(Clone)]
pub(super) struct Locked(Arc<Mutex<(u32, u32)>>);

impl Locked {
    pub(super) fn new(most: u32) -> Self {
        Self(Arc::new(Mutex::new((0, most))))
    }
}

impl Peer for Locked {
    #[inline(always)]
    fn admits(&mut self, answer: Answer) -> bool {
        let locked = || self.0.lock().expect("nobody panics with it");
        let closed = {
            let of = locked();
            of.0 < of.1
        };
        if closed {
            let mut of = locked();
            of.0 = if answer.is_ok() { 0 } else { of.0 + 1 };
        }
        closed
    }
}

/// The default rules, but for the share and the failures in a row that it takes.
pub(super) fn ours(rate: f64, run: u32) -> BreakerBuilder {
    Breaker::builder().consecutive_failures(run).failure_rate(rate)
}

/// Its defaults, but for the share that it takes; above 1 it never opens.
pub(super) fn recloser(rate: f32) -> Arc<Recloser> {
    Arc::new(unshared(rate))
}

/// The same before it is shared.
pub(super) fn unshared(rate: f32) -> Recloser {
    Recloser::custom().error_rate(rate).closed_len(100).half_open_len(10).open_wait(HOUR).build()
}

/// With the lightest of its policies.
pub(super) fn failsafe(run: u32) -> StateMachine<ConsecutiveFailures<backoff::Constant>, ()> {
    Config::new().failure_policy(consecutive_failures(run, backoff::constant(HOUR))).build()
}

/// failsafe's default policy: a share by time or a number in a row.
type Both = OrElse<SuccessRateOverTimeWindow<EqualJittered>, ConsecutiveFailures<EqualJittered>>;

/// With both of its policies, as is its default, but for the share and the failures in a row that they take.
pub(super) fn failsafe_both(rate: f64, run: u32) -> StateMachine<Both, ()> {
    let backoff = || backoff::equal_jittered(Duration::from_secs(10), Duration::from_secs(300));
    let window = Duration::from_secs(30);
    let share = failsafe::failure_policy::success_rate_over_time_window(1.0 - rate, 5, window, backoff());
    Config::new().failure_policy(share.or_else(consecutive_failures(run, backoff()))).build()
}

/// What tower-resilience's breaker is built of.
type Rules = CircuitBreakerConfigBuilder<DefaultClassifier>;

/// Its defaults, but for what `rules` changes.
pub(super) fn resilience(rules: impl FnOnce(Rules) -> Rules) -> Resilience {
    let layer = rules(circuit_breaker_builder().wait_duration_in_open(HOUR)).build().expect("rules that it takes");
    Resilience(layer.layer(Echo))
}
