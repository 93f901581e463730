//! Maps of breakers that open at the first failure, for ten seconds, and whose keys are idle after a minute.
#![allow(dead_code)] // Each test takes what it needs.
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerMap, BreakerObserver, MapBuilder, State};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const OPEN: Duration = Duration::from_secs(10);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn size(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).unwrap()
}

pub(crate) fn breaker() -> BreakerBuilder {
    Breaker::builder().consecutive_failures(1).open_for([OPEN])
}

pub(crate) fn builder<K>(capacity: usize) -> MapBuilder<K> {
    BreakerMap::builder(size(capacity), breaker()).idle_after(MINUTE)
}

/// And a time from which on it is used.
pub(crate) fn map(capacity: usize) -> (BreakerMap<String>, Instant) {
    (builder(capacity).build().unwrap(), Instant::now())
}

/// Its rules say that it should open now.
pub(crate) fn fail<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>, now: Instant) {
    breaker.try_acquire_at(now).unwrap().failure_at(now);
}

/// It closes by a probe, which it must be due for.
pub(crate) fn recover<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>, now: Instant) {
    breaker.try_acquire_at(now).unwrap().success_at(now);
    assert_eq!(breaker.state_at(now), State::Closed);
}

pub(crate) fn keys(map: &BreakerMap<String>) -> Vec<String> {
    let mut keys: Vec<_> = map.snapshots().into_iter().map(|(key, _)| key).collect();
    keys.sort();
    keys
}
