//! The last so many results, exactly.
//!
//! The breaker's word says how many results there were (the *head*) and what the last one was: so a result is counted by one
//! exchange of the word, together with all else that it says. The last one is then *settled*: added to the sums, from which
//! goes what falls out of the window, and written into a ring, two bits for each result. Whoever comes next does that, if
//! nobody has yet; so a thread that stops in the middle holds nobody up, and at any moment the word, the sums and the ring
//! together are exactly the window. Nothing is ever done twice, for the sums say up to which result they go, and a cell of the
//! ring how often it was changed.
//!
//! A result that is like the one that falls out for it leaves the sums what they are, but for how far they go. That is what most
//! results are, and so the sums may be some such results behind.

use super::{
    Entry,
    head::{AT, Head, Sums},
};
use crate::{
    rules::Tally,
    sync::{AtomicU64, Ordering},
};

/// The results of a count window, and their sums.
#[derive(Debug)]
pub(crate) struct Ring {
    sums: AtomicU64,
    /// The head with which the period began.
    start: AtomicU64,
    /// Sixteen results in each: they are its low half, and the high half counts the changes, so that no two contents are ever
    /// the same. Room for a power of two of results, which divides the range of heads.
    cells: Box<[AtomicU64]>,
    places: u64,
    size: u32,
}

const IN_A_CELL: u64 = 16;

/// How many results the sums may be behind. In a model so few that it comes to be too many.
const MOST_BEHIND: u64 = if cfg!(loom) { 2 } else { 64 };

/// What one result more comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) head: Head,
    pub(crate) tally: Tally,
}

impl Ring {
    pub(crate) fn new(size: u32) -> Self {
        let places = u64::from(size).next_power_of_two();
        let cells = (0..places.div_ceil(IN_A_CELL)).map(|_| AtomicU64::new(0)).collect();
        Self { sums: AtomicU64::new(0), start: AtomicU64::new(0), cells, places, size }
    }

    /// Whether one more good result would change nothing: the window is full of such, and settled.
    #[inline]
    pub(crate) fn is_clean(&self, head: Head) -> bool {
        head.over && self.sums.load(Ordering::Acquire) == Sums::clean(head.at).0
    }

    /// What `entry` after `head` comes to; none when another thread has gone on meanwhile. `is_current` tells whether the word
    /// still shows that head; to count the result is to exchange it.
    #[inline]
    pub(crate) fn after(&self, head: Head, entry: Entry, is_current: impl Fn() -> bool) -> Option<Next> {
        let sums = self.settle(head, is_current)?;
        let held = self.held(head);
        let is_full = held == self.size;
        if is_full && entry.is_good() && sums.is_clean() {
            // What comes is like what goes, and like all the others. Settled now, so that the next one sees it at a glance.
            return Some(Next {
                head: Head { over: true, ..head },
                tally: Tally { total: held, failures: 0, slow: 0 },
            });
        }
        let outgoing = if is_full { self.read(head.at.wrapping_sub(self.size.into())) } else { Entry::GOOD };
        let sums = sums.after(head.at, entry, outgoing);
        let head = Head { at: sums.at(), over: is_full, last: entry };
        let total = if is_full { held } else { held + 1 };
        Some(Next { head, tally: Tally { total, failures: sums.failures(), slow: sums.slow() } })
    }

    /// What the window holds; none when another thread has gone on meanwhile.
    pub(crate) fn tally(&self, head: Head, is_current: impl Fn() -> bool) -> Option<Tally> {
        let sums = self.settle(head, is_current)?;
        Some(Tally { total: self.held(head), failures: sums.failures(), slow: sums.slow() })
    }

    /// Begins a period, when no word shows a head: nothing is counted, and whoever is still busy with a head of before can
    /// change nothing any more.
    pub(crate) fn begin(&self, head: Head) {
        for cell in &self.cells {
            cell.fetch_add(CHANGE, Ordering::AcqRel);
        }
        self.sums.swap(Sums::clean(head.at).0, Ordering::AcqRel);
        self.start.store(head.at, Ordering::Release);
    }

    /// How many results there are in the window.
    fn held(&self, head: Head) -> u32 {
        let since = head.at.wrapping_sub(self.start.load(Ordering::Acquire)) & AT;
        // Less than the size, and so it fits, or all of them.
        if head.over || since >= u64::from(self.size) { self.size } else { since as u32 }
    }

    /// Sees to it that all results of `head` are in the sums and in the ring.
    #[inline]
    fn settle(&self, head: Head, is_current: impl Fn() -> bool) -> Option<Sums> {
        // Acquire and release throughout: who sees a head sees the sums and the cells that were there before it.
        let seen = self.sums.load(Ordering::Acquire);
        let (mut sums, last) = (Sums(seen), head.at.wrapping_sub(1) & AT);
        let behind = head.at.wrapping_sub(sums.at()) & AT;
        if behind > MOST_BEHIND {
            // They are of a later head.
            return None;
        }
        if behind > 0 {
            // Still in the ring: it is written there only when the sums are.
            let outgoing = if head.over { self.read(last.wrapping_sub(self.size.into())) } else { Entry::GOOD };
            let stays = head.last == outgoing && behind < MOST_BEHIND && !sums.is_clean();
            sums = sums.after(last, head.last, outgoing);
            // If another thread has settled meanwhile, the ring may have shown what came instead of what falls out.
            let is_done = if stays {
                self.sums.load(Ordering::Acquire) == seen
            } else {
                // The ring was read before this look at the word, so it showed nothing of a later head. If the last result
                // changes the sums, there is no later head before they are exchanged; and if not, they are right for any.
                is_current() && self.sums.compare_exchange(seen, sums.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            };
            if !is_done {
                return None;
            }
        }
        // Of a period that has none yet this writes a good one, into a place that is written before it is read.
        self.write(last, head.last, is_current).then_some(sums)
    }

    /// Sees to it that `entry` is in its place. False when the head has moved on, or when another thread has been here.
    #[inline]
    fn write(&self, at: u64, entry: Entry, is_current: impl Fn() -> bool) -> bool {
        let (cell, shift) = self.cell(at);
        let held = cell.load(Ordering::Acquire);
        let bits = entry.bits() << shift;
        if held & (3 << shift) == bits {
            return true;
        }
        // The cell was read before this look at the word, and is exchanged only if it has not changed since: so what it gets is
        // the last result, and not one of a round before.
        if !is_current() {
            return false;
        }
        let changed = (held & !(3 << shift) | bits).wrapping_add(CHANGE);
        cell.compare_exchange(held, changed, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn read(&self, at: u64) -> Entry {
        let (cell, shift) = self.cell(at);
        Entry::from_bits((cell.load(Ordering::Acquire) >> shift) & 3)
    }

    fn cell(&self, at: u64) -> (&AtomicU64, u64) {
        let place = at & (self.places - 1);
        // Below the number of places, so it fits.
        (&self.cells[(place / IN_A_CELL) as usize], place % IN_A_CELL * 2)
    }
}

const CHANGE: u64 = 1 << 32;

#[cfg(all(test, not(loom)))]
mod tests {
    use std::{collections::VecDeque, thread};

    use super::*;

    /// Some numbers, always the same: `of` tells them apart.
    fn random(of: u64) -> impl FnMut() -> u64 {
        let mut state = (of + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        }
    }

    /// A period that begins there.
    fn begun(size: u32, at: u64) -> (Ring, Head) {
        let (ring, head) = (Ring::new(size), Head { at, over: false, last: Entry::GOOD });
        ring.begin(head);
        (ring, head)
    }

    /// Of a window of that size that holds these.
    fn tally<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Tally {
        entries.into_iter().map(|entry| entry.tally()).fold(Tally::default(), Tally::and)
    }

    #[test]
    fn it_counts_as_a_list_does_where_its_position_wraps() {
        for size in [1, 2, 3, 7, 8, 16, 17, 100, 128, 500] {
            for start in [0, 1, AT - 700, AT - 5, AT - 1, AT] {
                let (ring, mut head) = begun(size, start);
                let (mut random, mut list) = (random(start), VecDeque::new());
                for result in 0..1_500 {
                    let number = random();
                    // By turns many bad ones, and none for so long that the window is clean.
                    let bad = result / 300 % 2 == 0;
                    let entry = Entry { failed: bad && number % 3 == 0, slow: bad && number % 7 == 0 };
                    list.push_back(entry);
                    if list.len() > size as usize {
                        list.pop_front();
                    }
                    let next = ring.after(head, entry, || true).expect("nobody else is here");
                    let held = tally(&list);
                    assert_eq!(next.tally, held, "size {size}, from {start}, result {result}");
                    head = Head::from_bits(next.head.bits());
                    if number % 5 == 0 {
                        assert_eq!(ring.tally(head, || true), Some(held));
                        assert!(!ring.is_clean(head) || held == Tally { total: size, failures: 0, slow: 0 });
                    }
                }
            }
        }
    }

    #[test]
    fn results_like_those_that_fall_out_leave_the_sums_behind_and_a_window_of_good_ones_is_clean() {
        for size in [1, 2, 7, 16, 100] {
            let (ring, mut head) = begun(size, AT - 150);
            let mut count = |entry| {
                let next = ring.after(head, entry, || true).expect("nobody else is here");
                head = next.head;
                let behind = head.at.wrapping_sub(Sums(ring.sums.load(Ordering::Acquire)).at()) & AT;
                (next.tally.failures, behind, ring.is_clean(head))
            };
            // The same over and over: as many as there is room for, again and again.
            (0..size).for_each(|_| assert_eq!(count(BAD).1, 1, "each changes the sums"));
            let behind: Vec<_> = (0..1_000).map(|_| count(BAD)).map(|(_, behind, _)| behind).collect();
            assert!(behind.iter().all(|behind| (1..=MOST_BEHIND).contains(behind)));
            assert!(behind.contains(&MOST_BEHIND));
            for left in (0..size).rev() {
                assert_eq!(count(Entry::GOOD).0, left);
            }
            // The last one is settled, and seen to be all there is.
            count(Entry::GOOD);
            assert_eq!(count(Entry::GOOD), (0, 0, true));
            let (fresh, mut head) = begun(size, 3);
            (0..=size).for_each(|_| head = fresh.after(head, Entry::GOOD, || true).expect("nobody else is here").head);
            assert!(fresh.is_clean(head), "as is one that was never anything else");
        }
    }

    #[test]
    fn a_thread_that_is_late_with_the_sums_of_a_head_that_has_moved_on_leaves_them() {
        let (ring, mut head) = begun(2, 0);
        for _ in 0..3 {
            head = ring.after(head, BAD, || true).expect("nobody else is here").head;
        }
        // Behind, and what it finds in the ring of a head that is gone may be of another result: so it looks.
        let before = ring.sums.load(Ordering::Acquire);
        let gone = Head { last: Entry::GOOD, ..head };
        assert_eq!(ring.tally(gone, || false), None);
        assert_eq!(ring.sums.load(Ordering::Acquire), before);
    }

    /// Counts one result, however often another thread is faster.
    fn count(ring: &Ring, word: &AtomicU64, entry: Entry) -> Tally {
        loop {
            let seen = word.load(Ordering::Acquire);
            let is_current = || word.load(Ordering::Acquire) == seen;
            let Some(next) = ring.after(Head::from_bits(seen), entry, is_current) else { continue };
            if word.compare_exchange(seen, next.head.bits(), Ordering::SeqCst, Ordering::Relaxed).is_ok() {
                return next.tally;
            }
        }
    }

    #[test]
    fn threads_count_each_result_once_where_its_position_wraps() {
        for size in [1, 2, 3, 8, 16, 100] {
            for round in 0..6 {
                let (ring, head) = begun(size, AT - 200 - round);
                let word = AtomicU64::new(head.bits());
                thread::scope(|scope| {
                    for thread in 0..4 {
                        let (ring, word) = (&ring, &word);
                        scope.spawn(move || {
                            let mut random = random(round * 4 + thread);
                            for _ in 0..200 {
                                let number = random();
                                let entry = Entry { failed: number % 3 == 0, slow: number % 4 == 0 };
                                let Tally { total, failures, slow } = count(ring, word, entry);
                                assert!(failures <= total && slow <= total && total <= size);
                            }
                        });
                    }
                });
                let mut head = Head::from_bits(word.load(Ordering::Acquire));
                let mut held = ring.tally(head, || true).expect("they are all done");
                let oldest_first: Vec<_> =
                    (1..=u64::from(size)).rev().map(|back| ring.read(head.at.wrapping_sub(back))).collect();
                assert_eq!(held, tally(&oldest_first), "the sums are those of the ring");
                for leaves in oldest_first {
                    let next = ring.after(head, Entry::GOOD, || true).expect("nobody else is here");
                    let without = (held.failures - u32::from(leaves.failed), held.slow - u32::from(leaves.slow));
                    assert_eq!((next.tally.failures, next.tally.slow), without);
                    (head, held) = (next.head, next.tally);
                }
            }
        }
    }

    const BAD: Entry = Entry { failed: true, slow: false };

    /// A thread that stops just before it exchanges a cell, and goes on when others have done `meanwhile`.
    fn late_write(ring: &Ring, at: u64, is_current: bool, meanwhile: impl Fn()) -> bool {
        ring.write(at, BAD, || {
            meanwhile();
            is_current
        })
    }

    #[test]
    fn a_writer_whose_head_has_moved_on_writes_nothing() {
        let (ring, _) = begun(2, 0);
        assert!(!late_write(&ring, 0, false, || {}));
        assert_eq!(ring.read(0), Entry::GOOD);
    }

    #[test]
    fn a_writer_that_finds_the_cell_as_it_was_a_round_ago_writes_nothing() {
        let (ring, _) = begun(2, 0);
        let round = || {
            // The same place bad, and good again.
            assert!(ring.write(0, BAD, || true) && ring.write(2, Entry::GOOD, || true));
        };
        assert!(!late_write(&ring, 0, true, round));
        assert_eq!(ring.read(2), Entry::GOOD);
    }

    #[test]
    fn a_writer_of_an_earlier_period_writes_nothing() {
        let (ring, head) = begun(2, 0);
        assert!(!late_write(&ring, 0, true, || ring.begin(head)));
        assert_eq!(ring.read(0), Entry::GOOD);
    }
}
