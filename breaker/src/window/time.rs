//! The results of the last while, to a tenth of it.
//!
//! Each thread counts the results of the present tick in a *stripe*, a cache line that it has (nearly) for itself; the ticks
//! before are plain numbers behind the breaker's lock, and their sum is published beside the word. When a tick turns, or a
//! stripe is full, or it looks as if the breaker should open, whoever comes first takes the lock and *gathers*: it marks the
//! word, which begins a new turn, takes each stripe's counts out by an exchange that leaves the number of the new turn behind,
//! and adds them up. A count that finds its turn over is made in the new one. So every result is gathered exactly once, and
//! what is decided is decided on exact sums.

use super::Entry;
use crate::{
    rules::Tally,
    sync::{Apart, AtomicU64, Ordering, stripe},
};

/// What the word says about a time window: 33 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Counts the gatherings, in 24 bits.
    pub(crate) number: u64,
    /// Whether anything in the window is not good: then each result is judged.
    pub(crate) tainted: bool,
    /// Whether the stripes are being gathered: who would count waits for the lock.
    pub(crate) gathering: bool,
}

const NUMBER_BITS: u32 = 24;

impl Turn {
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { gathering: bits & 1 != 0, tainted: bits & 2 != 0, number: (bits >> 2) & ((1 << NUMBER_BITS) - 1) }
    }

    pub(crate) fn bits(self) -> u64 {
        u64::from(self.gathering) | (u64::from(self.tainted) << 1) | (self.number << 2)
    }

    pub(crate) fn next(self) -> Self {
        Self { number: (self.number + 1) & ((1 << NUMBER_BITS) - 1), ..self }
    }
}

/// Counts of one turn: 16 bits of all, 12 of failures, 12 of slow ones, and the turn's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stripe(u64);

const FAILURES_AT: u32 = 16;
const SLOW_AT: u32 = 28;
const NUMBER_AT: u32 = 40;

impl Stripe {
    fn new(number: u64) -> Self {
        Self(number << NUMBER_AT)
    }

    fn number(self) -> u64 {
        self.0 >> NUMBER_AT
    }

    fn tally(self) -> Tally {
        let field = |at: u32, bits: u32| ((self.0 >> at) & ((1 << bits) - 1)) as u32;
        Tally { total: field(0, 16), failures: field(FAILURES_AT, 12), slow: field(SLOW_AT, 12) }
    }

    /// One result more; none if there is no room.
    fn after(self, entry: Entry) -> Option<Self> {
        let Tally { total, failures, slow } = self.tally();
        let has_room = total < MOST_TOTAL && failures < MOST_BAD && slow < MOST_BAD;
        let one = 1 + (u64::from(entry.failed) << FAILURES_AT) + (u64::from(entry.slow) << SLOW_AT);
        has_room.then(|| Self(self.0 + one))
    }
}

const MOST_TOTAL: u32 = (1 << 16) - 1;
const MOST_BAD: u32 = (1 << 12) - 1;

/// More would make a breaker larger than a kibibyte. In a model two, so that it ends.
const STRIPES: usize = if cfg!(loom) { 2 } else { 3 };

/// The counts of the present turn, and the sum of what was gathered before.
#[derive(Debug)]
pub(crate) struct Stripes {
    stripes: Box<[Apart<AtomicU64>; STRIPES]>,
    /// When the present tick ends.
    tick_end: AtomicU64,
    /// Gathered and still in the window: all and failures in one, slow ones in the other.
    calls: AtomicU64,
    slow: AtomicU64,
}

/// What became of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Counted,
    /// The turn is over.
    Over,
    /// There is no room.
    Full,
}

impl Stripes {
    /// With a first tick of that length.
    pub(crate) fn new(tick: u64) -> Self {
        Self {
            stripes: Box::new(std::array::from_fn(|_| Apart(AtomicU64::new(0)))),
            tick_end: AtomicU64::new(tick),
            calls: AtomicU64::new(0),
            slow: AtomicU64::new(0),
        }
    }

    /// When the present tick ends: a result that comes then begins the next one.
    pub(crate) fn tick_end(&self) -> u64 {
        self.tick_end.load(Ordering::Acquire)
    }

    /// Counts one result in that turn, if it is not over.
    ///
    /// Sequentially consistent, as are the mark of a taint in the word and the looks at either: of a good result and a bad one
    /// that are counted at the same time, at least one sees the other, and judges them both.
    pub(crate) fn add(&self, turn: Turn, entry: Entry) -> Added {
        let stripe = &self.stripes[stripe() % STRIPES].0;
        let mut held = stripe.load(Ordering::Acquire);
        loop {
            if Stripe(held).number() != turn.number {
                return Added::Over;
            }
            let Some(more) = Stripe(held).after(entry) else { return Added::Full };
            match stripe.compare_exchange(held, more.0, Ordering::SeqCst, Ordering::Acquire) {
                Ok(_) => return Added::Counted,
                Err(now) => held = now,
            }
        }
    }

    /// What the window holds as it looks, when that is the turn. Who reads it while results are counted may miss some, and
    /// they are then judged by who counted them; it is exact if nobody counts.
    pub(crate) fn look(&self, turn: Turn) -> Tally {
        let (calls, slow) = (self.calls.load(Ordering::Acquire), self.slow.load(Ordering::Acquire));
        let mut sum = Tally { total: (calls >> 32) as u32, failures: calls as u32, slow: slow as u32 };
        for stripe in self.stripes.iter() {
            let held = Stripe(stripe.0.load(Ordering::SeqCst));
            if held.number() == turn.number {
                sum = sum.and(held.tally());
            }
        }
        sum
    }

    /// Takes out what was counted in the turn before, and begins that one. Under the lock, when the word shows it.
    pub(crate) fn gather(&self, turn: Turn) -> Tally {
        let take =
            |stripe: &Apart<AtomicU64>| Stripe(stripe.0.swap(Stripe::new(turn.number).0, Ordering::SeqCst)).tally();
        self.stripes.iter().map(take).fold(Tally::default(), Tally::and)
    }

    /// Publishes what is behind the lock. Before the word shows that the gathering is over.
    pub(crate) fn publish(&self, tick_end: u64, gathered: Tally) {
        self.tick_end.store(tick_end, Ordering::Release);
        self.calls.store((u64::from(gathered.total) << 32) | u64::from(gathered.failures), Ordering::Release);
        self.slow.store(u64::from(gathered.slow), Ordering::Release);
    }
}
