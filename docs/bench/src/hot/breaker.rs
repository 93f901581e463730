//! Breakers: closed by each of their rules, and not closed.

use std::{fmt, future::ready, hint::black_box, num::NonZeroUsize, time::Duration};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerLayer, BreakerMap, Permit, State};
use tower_layer::Layer;
use tower_service::Service;

use super::{Echo, KEY, LONG, STILL, repeat};
use crate::poll::{drive, request};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// One of each kind, its window full.
#[derive(Debug)]
pub struct Breakers {
    default: Breaker,
    time_window: Breaker,
    slow_calls: Breaker,
    failing: Breaker,
    open: Breaker,
    half_open: Breaker,
    /// Without it the half-open one would let another through.
    _probe: Permit<Breaker>,
    forced: Breaker,
    map: BreakerMap<u64>,
}

impl Breakers {
    fn new() -> Self {
        let built = |rules: BreakerBuilder| {
            let breaker = rules.clock(STILL).build().expect("what it is given is in range");
            (0..2_000).for_each(|_| assert!(succeed(&breaker)));
            breaker
        };
        let failed = |rules: BreakerBuilder| {
            let breaker = built(rules);
            while let Ok(permit) = breaker.try_acquire() {
                permit.failure();
            }
            breaker
        };
        let open = failed(Breaker::builder().open_for([HOUR]));
        let half_open = failed(Breaker::builder().open_for([LONG]).probe_timeout(HOUR));
        let probe = half_open.try_acquire_owned_at(STILL() + LONG).expect("its time is over");
        let forced = built(Breaker::builder());
        forced.force_open();
        let states = [open.state(), half_open.state(), forced.state()];
        assert_eq!(states, [State::Open, State::HalfOpen, State::ForcedOpen]);
        let map = BreakerMap::builder(NonZeroUsize::MIN, Breaker::builder().clock(STILL)).build();
        let map = map.expect("it has room");
        assert!(succeed(&map.breaker(&KEY)));
        Self {
            default: built(Breaker::builder()),
            time_window: built(Breaker::builder().time_window(LONG)),
            slow_calls: built(Breaker::builder().slow_calls(Duration::from_secs(1), 0.5)),
            failing: built(Breaker::builder().failure_rate(0.9)),
            open,
            half_open,
            _probe: probe,
            forced,
            map,
        }
    }
}

pub(super) fn run() {
    let breakers = Breakers::new();
    repeat(|| assert!(success(&breakers)));
    repeat(|| assert!(success_time_window(&breakers)));
    repeat(|| assert!(success_slow_calls(&breakers)));
    repeat(|| assert!(success_owned(&breakers)));
    repeat(|| assert!(failure_and_success(&breakers)));
    repeat(|| assert!(rejection_open(&breakers)));
    repeat(|| assert!(rejection_half_open(&breakers)));
    repeat(|| assert!(rejection_forced(&breakers)));
    repeat(|| assert!(map_success(&breakers)));
    repeat(|| assert!(call(&breakers)));
    let mut closed = BreakerLayer::new(breakers.default.clone()).layer(Echo);
    repeat(|| assert!(layer_success(&mut closed)));
    let mut lent = BreakerLayer::of(&breakers.default).layer(Echo);
    repeat(|| assert!(layer_success_by_reference(&mut lent)));
    let mut open = BreakerLayer::new(breakers.open.clone()).layer(Echo);
    repeat(|| assert!(layer_rejection(&mut open)));
}

/// With the default rules: a permit, and a success.
#[inline(never)]
pub fn success(breakers: &Breakers) -> bool {
    succeed(&breakers.default)
}

/// With a time window whose clock stands.
#[inline(never)]
pub fn success_time_window(breakers: &Breakers) -> bool {
    succeed(&breakers.time_window)
}

/// With a limit on slow calls, and so two readings of a clock, which stands.
#[inline(never)]
pub fn success_slow_calls(breakers: &Breakers) -> bool {
    succeed(&breakers.slow_calls)
}

/// With the default rules, the permit a handle of its own.
#[inline(never)]
pub fn success_owned(breakers: &Breakers) -> bool {
    breakers.default.try_acquire_owned().map(Permit::success).is_ok()
}

/// With the default rules but for the share: a failure that opens nothing, and a success.
#[inline(never)]
pub fn failure_and_success(breakers: &Breakers) -> bool {
    breakers.failing.try_acquire().map(Permit::failure).is_ok() && succeed(&breakers.failing)
}

/// Open after failures, for longer than its clock knows, which stands.
#[inline(never)]
pub fn rejection_open(breakers: &Breakers) -> bool {
    black_box(breakers.open.try_acquire()).is_err()
}

/// Half-open, its probe out; the clock stands.
#[inline(never)]
pub fn rejection_half_open(breakers: &Breakers) -> bool {
    black_box(breakers.half_open.try_acquire()).is_err()
}

/// Open, and forced to be.
#[inline(never)]
pub fn rejection_forced(breakers: &Breakers) -> bool {
    black_box(breakers.forced.try_acquire()).is_err()
}

/// The breaker of a key that is there, closed by the default rules; the clock stands.
#[inline(never)]
pub fn map_success(breakers: &Breakers) -> bool {
    breakers.map.try_acquire(black_box(&KEY)).map(Permit::success).is_ok()
}

/// The future around a call that answers at once.
#[inline(never)]
pub fn call(breakers: &Breakers) -> bool {
    drive(breakers.default.call(ready(black_box(Ok::<u64, fmt::Error>(1))))).is_ok()
}

/// A layer, its breaker closed.
#[inline(never)]
pub fn layer_success(service: &mut impl Service<u64>) -> bool {
    request(service, 1).is_ok()
}

/// The same by reference.
#[inline(never)]
pub fn layer_success_by_reference(service: &mut impl Service<u64>) -> bool {
    request(service, 3).is_ok()
}

/// A layer, its breaker open after failures; the clock stands.
#[inline(never)]
pub fn layer_rejection(service: &mut impl Service<u64>) -> bool {
    request(service, 2).is_err()
}

#[inline(always)]
fn succeed(breaker: &Breaker) -> bool {
    breaker.try_acquire().map(Permit::success).is_ok()
}
