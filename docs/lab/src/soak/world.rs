//! All that the soak drives and audits: services, limits, breakers, budgets, and what is heard of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use evenkeel_breaker::{Abandoned, Breaker, BreakerMap};
use evenkeel_budget::AdaptiveThrottle;
use tokio::sync::Semaphore;

use super::{
    budgets::{Budgets, CAPACITY, IDLE_AFTER},
    clock::{Leaps, Time},
    faults::{Fault, Faults},
    ledger::Count,
    service::{Alive, Provider, Request},
    watch::{Heard, Watch},
};

/// A breaker of the soak.
pub(super) type Guard<K> = Breaker<K, Watch>;
/// A map of breakers of the soak.
pub(super) type Guards<K> = BreakerMap<u64, K, Watch>;

/// All of it. `K` is the clock that jumps.
pub(super) struct World<K: Time> {
    pub(super) faults: Arc<Faults>,
    pub(super) clock: Leaps,
    pub(super) now: K,
    pub(super) budgets: Budgets<K>,
    pub(super) throttle: AdaptiveThrottle<K, Watch>,
    pub(super) layered: Layered<K>,
    pub(super) combined: Combined<K>,
    /// Requests and answers that are alive.
    pub(super) alive: Arc<AtomicI64>,
    pub(super) is_draining: AtomicBool,
    next: AtomicU64,
}

/// What the tower stacks are made of: three services, the last with a breaker for each key.
pub(super) struct Layered<K: Time> {
    pub(super) heard: Arc<Heard>,
    pub(super) providers: [Provider; 3],
    pub(super) limits: [Arc<Semaphore>; 3],
    pub(super) breakers: [Guard<K>; 2],
    pub(super) keyed: Guards<K>,
    /// Calls of what is under the retries.
    pub(super) under_retries: Arc<Tap>,
    /// Calls of what is under the hedges.
    pub(super) under_hedges: Arc<Tap>,
}

/// What the combinators and the threads use.
pub(super) struct Combined<K: Time> {
    pub(super) heard: Arc<Heard>,
    pub(super) providers: [Provider; 2],
    pub(super) breakers: [Guard<K>; 2],
    pub(super) keyed: Guards<K>,
    /// Operations that hedges began.
    pub(super) operations: Count,
    /// Extra attempts that were sent by hand.
    pub(super) by_hand: Count,
}

/// Calls of one layer.
#[derive(Debug, Default)]
pub(super) struct Tap {
    /// That were made.
    pub(super) called: Count,
    /// That returned a future, rather than panicking.
    pub(super) returned: Count,
}

/// The permits of each service of the tower stacks: fewer than there are callers.
pub(super) const PERMITS: usize = 12;
/// When a probe of the tower stacks has failed. A lost one is then made good by time.
const PROBE: Duration = Duration::from_millis(60);
/// When a probe of the combinators and the threads has failed. A lost one is lost, which is what the audit is to see.
const NEVER: Duration = Duration::MAX;
/// The longest that any breaker stays open by itself.
pub(super) const LONGEST_OPEN: Duration = Duration::from_millis(100);

impl<K: Time> World<K> {
    /// `now` is what `clock` reads.
    pub(super) fn new(faults: Arc<Faults>, clock: Leaps, now: K) -> Result<Self, Box<dyn std::error::Error>> {
        let (layered, combined) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
        let watch = Watch::new(&faults, &layered, false);
        let budgets = Budgets::new(&now, &watch)?;
        let throttle = AdaptiveThrottle::builder().window(Duration::from_secs(1)).max_rejection(0.9);
        Ok(Self {
            throttle: throttle.clock(now.clone()).observe(watch.clone()).build()?,
            layered: Layered {
                breakers: [in_a_row(&now, &watch, PROBE)?, by_share(&now, &watch, PROBE)?],
                keyed: by_key(&now, &watch)?,
                heard: layered,
                providers: [(); 3].map(|()| Provider::new(&faults)),
                limits: [(); 3].map(|()| Arc::new(Semaphore::new(PERMITS))),
                under_retries: Arc::default(),
                under_hedges: Arc::default(),
            },
            combined: {
                let watch = Watch::new(&faults, &combined, true);
                Combined {
                    breakers: [in_a_row(&now, &watch, NEVER)?, by_share(&now, &watch, NEVER)?],
                    keyed: by_key(&now, &watch)?,
                    heard: combined,
                    providers: [(); 2].map(|()| Provider::new(&faults)),
                    operations: Count::default(),
                    by_hand: Count::default(),
                }
            },
            budgets,
            faults,
            clock,
            now,
            alive: Arc::default(),
            is_draining: AtomicBool::new(false),
            next: AtomicU64::new(0),
        })
    }

    /// The next request: half of them are for a few keys, the others for any.
    pub(super) fn request(&self) -> Request {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let key = if self.faults.strikes(Fault::NewKey) { id + 100 } else { self.faults.rng().next_u64() % 24 };
        Request { id, key, alive: Alive::new(&self.alive) }
    }

    /// Whoever sends requests ends with the one that it has.
    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }

    /// Who watches the tower stacks.
    pub(super) fn layered_watch(&self) -> Watch {
        Watch::new(&self.faults, &self.layered.heard, false)
    }

    /// Who watches the combinators.
    pub(super) fn combined_watch(&self) -> Watch {
        Watch::new(&self.faults, &self.combined.heard, true)
    }

    /// The breakers that are no map's, each with its name.
    pub(super) fn breakers(&self) -> [(&'static str, &Guard<K>); 4] {
        let ([a, b], [c, d]) = (&self.layered.breakers, &self.combined.breakers);
        [("layered, in a row", a), ("layered, by share", b), ("combined, in a row", c), ("combined, by share", d)]
    }

    /// The maps of breakers, each with its name.
    pub(super) fn maps(&self) -> [(&'static str, &Guards<K>); 2] {
        [("layered", &self.layered.keyed), ("combined", &self.combined.keyed)]
    }

    /// All services.
    pub(super) fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.layered.providers.iter().chain(&self.combined.providers)
    }

    /// Lets the maps drop all keys, as idle, and says what is on the heap then.
    pub(super) fn live_bytes_without_keys(&self) -> usize {
        self.clock.past_all(2 * IDLE_AFTER);
        self.budgets.keyed.remove_idle();
        for (_, map) in self.maps() {
            map.remove_idle();
        }
        super::live_bytes()
    }

    /// A figure of all that was heard.
    pub(super) fn heard(&self, figure: impl Fn(&Heard) -> u64) -> u64 {
        figure(&self.layered.heard) + figure(&self.combined.heard)
    }
}

/// With several probes, and what hangs counted.
fn in_a_row<K: Time>(now: &K, watch: &Watch, probe: Duration) -> Result<Guard<K>, evenkeel_breaker::Invalid> {
    Breaker::builder()
        .consecutive_failures(5)
        .open_for([20, 50, 100].map(Duration::from_millis))
        .half_open_permits(2)
        .half_open_successes(2)
        .half_open_calls(3)
        .probe_timeout(probe)
        .abandoned(Abandoned::FailureAfter(Duration::from_millis(15)))
        .max_hint(LONGEST_OPEN)
        .clock(now.clone())
        .observe(watch.clone())
        .build()
}

/// With a window of time, slow calls and a ramp.
fn by_share<K: Time>(now: &K, watch: &Watch, probe: Duration) -> Result<Guard<K>, evenkeel_breaker::Invalid> {
    Breaker::builder()
        .failure_rate(0.5)
        .slow_calls(Duration::from_millis(18), 0.8)
        .time_window(Duration::from_millis(200))
        .minimum_calls(10)
        .open_for([30, 60].map(Duration::from_millis))
        .probe_timeout(probe)
        .ramp(Duration::from_millis(30))
        .max_hint(LONGEST_OPEN)
        .clock(now.clone())
        .observe(watch.clone())
        .build()
}

fn by_key<K: Time>(now: &K, watch: &Watch) -> Result<Guards<K>, evenkeel_breaker::Invalid> {
    let breaker = Breaker::builder().consecutive_failures(3).open_for([LONGEST_OPEN / 2]).max_hint(LONGEST_OPEN);
    let watch = watch.clone();
    let map = BreakerMap::builder(CAPACITY, breaker.clock(now.clone())).idle_after(IDLE_AFTER);
    map.observe_each(move |_| watch.clone()).build()
}
