//! A breaker's part in the map that it is in.

use crate::{
    State,
    quota::{Place, Quota},
    sync::{Arc, AtomicU64, AtomicUsize, Ordering},
};

/// Keeps the map's counts in step with the breaker; guarded by the breaker's lock. Dropped, it is out of them.
#[derive(Debug)]
pub(crate) struct Member {
    quota: Arc<Quota>,
    seat: Arc<Seat>,
    place: Option<Place>,
    /// A dry run rejects nothing, and so needs no place.
    dry_run: bool,
}

/// Whether a breaker may open, and so reject.
#[derive(Debug)]
pub(crate) enum Asked {
    /// With this place; one that is dropped is free again.
    Granted(Option<Place>),
    Refused,
}

impl Member {
    pub(crate) fn new(quota: Arc<Quota>, seat: Arc<Seat>, dry_run: bool) -> Self {
        Self { quota, seat, place: None, dry_run }
    }

    /// Asked before it opens by its rules.
    pub(crate) fn ask(&self) -> Asked {
        if self.dry_run {
            return Asked::Granted(None);
        }
        Quota::take(&self.quota).map_or(Asked::Refused, |place| Asked::Granted(Some(place)))
    }

    /// The breaker has made a step to `state`, with the place that it was granted, if it asked.
    pub(crate) fn follow(&mut self, state: State, granted: Option<Place>) {
        if granted.is_some() {
            self.place = granted;
        }
        match state {
            State::Closed | State::ForcedClosed => self.place = None,
            State::Open | State::HalfOpen | State::ForcedOpen => {
                // Nobody asked whether it may: it was forced.
                if self.place.is_none() && !self.dry_run {
                    self.place = Some(Quota::force(&self.quota));
                }
            }
        }
        if self.seat.follow(state == State::Closed) {
            self.quota.closed_again(Arc::clone(&self.seat));
        }
    }
}

/// What a map knows of one of its breakers without taking its lock.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Which one it is, of all of the map's.
    number: u64,
    /// Written by those who only read the map. The map's lock orders it with what drops the key, so it is relaxed.
    last_used: AtomicU64,
    /// Under which time the map has it in its order; written and read under its lock for writing, so relaxed.
    filed: AtomicU64,
    /// Written under the breaker's lock, and by the map when it puts the seat aside: see `CLOSED`.
    state: AtomicUsize,
}

// Each of the three is reached from the others by a read-modify-write, so that a breaker that closes while the map puts its seat
// aside is either found closed or tells the map.
const CLOSED: usize = 0;
const NOT_CLOSED: usize = 1;
/// Not closed, and the map wants to hear when it is.
const ASIDE: usize = 2;

impl Seat {
    pub(crate) fn new(number: u64, now: u64) -> Self {
        Self { number, last_used: AtomicU64::new(now), filed: AtomicU64::new(now), state: AtomicUsize::new(CLOSED) }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// `fetch_max`, so that a thread that comes late with its time does not make the key older.
    pub(crate) fn use_at(&self, now: u64) {
        self.last_used.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    pub(crate) fn filed(&self) -> u64 {
        self.filed.load(Ordering::Relaxed)
    }

    pub(crate) fn file(&self, under: u64) {
        self.filed.store(under, Ordering::Relaxed);
    }

    /// Whether it was not used since it was filed.
    pub(crate) fn is_filed_right(&self) -> bool {
        self.last_used() <= self.filed()
    }

    /// Puts it aside if it is not closed; false if it is.
    pub(crate) fn put_aside(&self) -> bool {
        let aside = |state| (state != CLOSED).then_some(ASIDE);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, aside).is_ok()
    }

    /// Whether the map is to hear of it.
    fn follow(&self, closed: bool) -> bool {
        let next = |state| match (closed, state) {
            (true, _) => Some(CLOSED),
            (false, CLOSED) => Some(NOT_CLOSED),
            (false, _) => None,
        };
        let before = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        closed && before == Ok(ASIDE)
    }
}
