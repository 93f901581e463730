//! Rings of slots, each with the tick that it stands for: a slot of an earlier turn of the ring is as good as empty.

use crate::sync::{AtomicU64, Ordering};

/// Slots of a ring: a window's ticks, and some for threads that are late.
pub(crate) const SLOTS: u64 = if cfg!(loom) { 4 } else { 32 };

/// What a counter held when each of the last ticks began.
#[derive(Debug)]
pub(crate) struct Ring([AtomicU64; SLOTS as usize]);

/// How many things happened in each of the last ticks.
#[derive(Debug)]
pub(crate) struct Tally(Ring);

/// The turn of the ring in the high half, a count in the low one. Turns are counted from 1: 0 is a slot never used. The
/// tick's own low bits are the slot's place, so that 32 bits of turns are two centuries of the shortest ticks.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot(u64);

impl Slot {
    #[inline]
    fn new(tick: u64, count: u32) -> Self {
        let turn = u32::try_from(tick / SLOTS + 1).unwrap_or(u32::MAX);
        Self((u64::from(turn) << 32) | u64::from(count))
    }

    fn turn(self) -> u64 {
        self.0 >> 32
    }

    fn count(self) -> u32 {
        self.0 as u32
    }
}

impl Ring {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Writes that the counter held `count` when the ticks after `head` and up to `tick` began: nothing was counted in
    /// between. Who writes first is right, for a later one may have seen what was counted since. Older ticks than the
    /// ring has room for are left out.
    pub(crate) fn begin(&self, head: u64, tick: u64, count: u32) {
        for tick in (head + 1).max((tick + 1).saturating_sub(SLOTS))..=tick {
            let begun = Slot::new(tick, count);
            // Release: who reads this count also sees the counter no lower than that.
            let _ = self.slot(tick).fetch_update(Ordering::Release, Ordering::Relaxed, |slot| {
                (Slot(slot).turn() < begun.turn()).then_some(begun.0)
            });
        }
    }

    /// What the counter held when `tick` began, which the head has reached.
    ///
    /// # Errors
    ///
    /// The tick that has taken its place, when the ring has turned on since: so late it is.
    #[inline]
    pub(crate) fn at(&self, tick: u64) -> Result<u32, u64> {
        if tick == 0 {
            return Ok(0);
        }
        let (slot, due) = (Slot(self.slot(tick).load(Ordering::Acquire)), Slot::new(tick, 0));
        debug_assert!(slot.turn() >= due.turn(), "the head is moved when the ticks up to it have begun");
        if slot.turn() == due.turn() { Ok(slot.count()) } else { Err(tick + (slot.turn() - due.turn()) * SLOTS) }
    }

    #[inline]
    fn slot(&self, tick: u64) -> &AtomicU64 {
        // Below SLOTS, so it fits.
        &self.0[(tick % SLOTS) as usize]
    }
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self(Ring::new())
    }

    /// One more in `tick`. Where the ring has turned on since, that tick is out of every window, and nothing is counted.
    pub(crate) fn add(&self, tick: u64) {
        let one = Slot::new(tick, 1);
        let _ = self.0.slot(tick).fetch_update(Ordering::AcqRel, Ordering::Relaxed, |slot| {
            let held = Slot(slot);
            if held.turn() < one.turn() {
                Some(one.0)
            } else {
                (held.turn() == one.turn() && held.count() < u32::MAX).then(|| slot + 1)
            }
        });
    }

    /// How many there were in the ticks from `first` on.
    pub(crate) fn since(&self, first: u64) -> u64 {
        let turn = Slot::new(first, 0).turn();
        // The places before the first one's are of the turn after its.
        let (after, from) = self.0.0.split_at((first % SLOTS) as usize);
        count_since(turn, from) + count_since(turn + 1, after)
    }
}

/// What the slots count that are of `turn` or a later one.
fn count_since(turn: u64, slots: &[AtomicU64]) -> u64 {
    let of = |slot: &AtomicU64| {
        let slot = Slot(slot.load(Ordering::Acquire));
        if slot.turn() >= turn { u64::from(slot.count()) } else { 0 }
    };
    slots.iter().map(of).sum()
}
