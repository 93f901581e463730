//! What a map of breakers is made of, checked before there is one.

use std::{
    fmt,
    marker::PhantomData,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use super::{BreakerMap, Shared, slots::Slots};
use crate::{
    BreakerBuilder, BreakerObserver, Invalid,
    open_times::nanos,
    quota::Quota,
    sync::{Arc, AtomicU64, RwLock},
};

/// Makes a [`BreakerMap`]; each setting has a default.
///
/// ```
/// use evenkeel_breaker::{Breaker, BreakerMap};
/// use std::{num::NonZeroUsize, time::Duration};
///
/// let thousand = NonZeroUsize::new(1_000).unwrap();
/// let builder = || BreakerMap::<String>::builder(thousand, Breaker::builder().failure_rate(0.3));
/// let breakers = builder().max_open(0.2).idle_after(Duration::from_secs(3_600)).build()?;
/// assert!(breakers.is_empty());
///
/// let refused = builder().max_open(20.0).build();
/// assert_eq!(refused.unwrap_err().to_string(), "max_open is 20: it must be a number above 0 and at most 1");
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
#[must_use = "a builder makes nothing until `build` is called"]
pub struct MapBuilder<K, C = fn() -> Instant, O = ()> {
    capacity: NonZeroUsize,
    breaker: BreakerBuilder<C>,
    observe: Observe<K, O>,
    idle_after: Duration,
    max_open: f64,
    keys: PhantomData<fn(K)>,
}

/// Makes the observer of a key.
pub(super) type Observe<K, O> = Box<dyn Fn(&K) -> O + Send + Sync>;

impl<K, C> MapBuilder<K, C> {
    pub(super) fn new(capacity: NonZeroUsize, breaker: BreakerBuilder<C>) -> Self {
        Self {
            capacity,
            breaker,
            observe: Box::new(|_| ()),
            idle_after: BreakerMap::DEFAULT_IDLE_AFTER,
            max_open: BreakerMap::DEFAULT_MAX_OPEN,
            keys: PhantomData,
        }
    }
}

impl<K, C, O> MapBuilder<K, C, O> {
    /// At most this share of the keys reject at the same time, above 0 and at most 1: rounded down, and one in any case. A half
    /// when left out; with 1 there is no limit. What it means is with [`BreakerMap`].
    pub fn max_open(mut self, max_open: f64) -> Self {
        self.max_open = max_open;
        self
    }

    /// When a key that is not asked for is idle, at least 1 s. 10 minutes when left out; [`Duration::MAX`] is never.
    pub fn idle_after(mut self, idle_after: Duration) -> Self {
        self.idle_after = idle_after;
        self
    }

    /// The time is what `clock` says, for the map and all of its breakers: that of their builder when left out. Under tokio's
    /// paused clock `|| tokio::time::Instant::now().into_std()`.
    pub fn clock<D: Fn() -> Instant>(self, clock: D) -> MapBuilder<K, D, O> {
        let Self { capacity, breaker, observe, idle_after, max_open, keys } = self;
        MapBuilder { capacity, breaker: breaker.clock(clock), observe, idle_after, max_open, keys }
    }

    /// Tells each breaker's doings to an observer of its own, which `observe` makes for its key. It is dropped with the key, or
    /// with the last handle of the breaker if there is one yet.
    ///
    /// For one that hears of all keys, let it be `move |_| Arc::clone(&observer)`.
    pub fn observe_each<P: BreakerObserver>(
        self,
        observe: impl Fn(&K) -> P + Send + Sync + 'static,
    ) -> MapBuilder<K, C, P> {
        let Self { capacity, breaker, observe: _, idle_after, max_open, keys } = self;
        MapBuilder { capacity, breaker, observe: Box::new(observe), idle_after, max_open, keys }
    }
}

impl<K, C: Fn() -> Instant, O> MapBuilder<K, C, O> {
    /// The map, without keys; its time begins now.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when `max_open` is out of its range, `idle_after` is shorter than 1 s, or a setting of the breakers is
    /// refused: [`BreakerBuilder::build`]. What is not refused here makes a breaker of any key.
    pub fn build(self) -> Result<BreakerMap<K, C, O>, Invalid> {
        let Self { capacity, breaker, observe, idle_after, max_open, keys: _ } = self;
        // NaN is not in any range.
        if !(max_open > 0.0 && max_open <= 1.0) {
            return Err(Invalid::number("max_open", max_open, "a number above 0 and at most 1"));
        }
        if idle_after < BreakerMap::SHORTEST_IDLE_AFTER {
            return Err(Invalid::time("idle_after", idle_after, "at least 1 s"));
        }
        let (plan, clock, ()) = breaker.into_parts()?;
        let quota = Arc::new(Quota::new(max_open));
        let shared = Shared {
            slots: RwLock::new(Slots::new(capacity, nanos(idle_after), Arc::clone(&quota))),
            quota,
            made: AtomicU64::new(0),
            plan,
            observe,
            capacity,
            idle_after,
            max_open,
            epoch: clock(),
            clock,
        };
        Ok(BreakerMap { shared: Arc::new(shared) })
    }
}

impl<K, C, O> fmt::Debug for MapBuilder<K, C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapBuilder")
            .field("capacity", &self.capacity)
            .field("max_open", &self.max_open)
            .field("idle_after", &self.idle_after)
            .finish_non_exhaustive()
    }
}
