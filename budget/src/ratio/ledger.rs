//! What was deposited and withdrawn within the window: the shared state of a ratio budget, without a clock.

use crate::{
    share::Share,
    sync::{Apart, AtomicU64, Lost, Ordering},
    window::{Head, Moment, Ring, Tally, Ticks, first_of_window},
};

/// What the sums of a window allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) ratio: Share,
    /// Withdrawals in a window that need no deposits.
    pub(super) reserve: u64,
}

impl Rule {
    /// Whether one more withdrawal keeps to `withdrawals ≤ reserve + ratio · deposits`.
    fn grants(self, sums: Sums) -> bool {
        self.ratio.covers(self.reserve, sums.deposits, sums.withdrawals + 1)
    }
}

/// The most withdrawals in a window, those that were given back among them: half of what the difference of two counters can
/// show. No program comes near to it, unless its clock stands still.
const MOST: u64 = u32::MAX as u64 / 2;

/// What counts at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) deposits: u64,
    /// Those that were given back are not among them.
    pub(super) withdrawals: u64,
}

/// Both counters in one word, so that a withdrawal is decided and counted at once: whoever changes either of them in
/// between makes the exchange fail.
///
/// Both only grow (and wrap: only differences within a window are ever taken). What they held when each tick began is in
/// the rings; a moment's sums are the counters less what they held when its window began. A withdrawal that is given back
/// is tallied under the tick in which it counts, so that both leave the window together.
#[derive(Debug)]
pub(super) struct Ledger {
    totals: Apart<AtomicU64>,
    head: Head,
    deposits: Ring,
    withdrawals: Ring,
    refunds: Tally,
    /// The tick after the last one that has a refund: until one is made there is nothing to add up.
    refunded: AtomicU64,
    /// The last [`Refusal`].
    refused: AtomicU64,
}

/// A refusal, by all that another one in its tick depends on while nothing is given back and the head stays: there are no more
/// deposits, and withdrawals do not get fewer. The tick after its own in the high half, so that 0 is none; the counter of
/// deposits in the low one.
#[derive(Clone, Copy)]
struct Refusal(u64);

impl Refusal {
    /// The tick that it is of: of none, one that no time is in.
    #[inline]
    fn tick(self) -> u64 {
        (self.0 >> 32).wrapping_sub(1)
    }

    #[inline]
    fn deposits(self) -> u32 {
        self.0 as u32
    }

    /// There is none from seven years on, in the shortest ticks.
    #[inline]
    fn new(tick: u64, totals: Totals) -> Option<Self> {
        let after = u32::try_from(tick + 1).ok()?;
        Some(Self((u64::from(after) << 32) | u64::from(totals.deposits())))
    }
}

/// Deposits in the high half, withdrawals in the low one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Totals(u64);

impl Totals {
    const DEPOSIT: u64 = 1 << 32;

    #[inline]
    fn deposits(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn withdrawals(self) -> u32 {
        self.0 as u32
    }

    /// With so many more. The carry out of the low half stays out of the high one.
    fn with(self, deposits: u32, withdrawals: u32) -> Self {
        let high = u64::from(self.deposits().wrapping_add(deposits)) << 32;
        Self(high | u64::from(self.withdrawals().wrapping_add(withdrawals)))
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            totals: Apart(AtomicU64::new(0)),
            head: Head::new(),
            deposits: Ring::new(),
            withdrawals: Ring::new(),
            refunds: Tally::new(),
            refunded: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// One original request.
    pub(super) fn deposit(&self, at: Moment) {
        self.advance(at);
        // Release: who sees this deposit sees the head no earlier than its tick.
        self.totals.0.fetch_add(Totals::DEPOSIT, Ordering::Release);
    }

    /// One extra attempt, if the rule grants it after so many `deposits` more (none or one), which are made in any case, in
    /// the same step: of two threads with a half each, one finds the whole. The tick in which the extra attempt counts, for
    /// [`refund`](Self::refund).
    #[inline]
    pub(super) fn withdraw(&self, rule: Rule, at: Moment, deposits: u32) -> Option<u64> {
        if deposits == 0 { self.withdraw_again(rule, at) } else { self.decide(rule, at, deposits) }
    }

    /// Not inlined: the first one of a request, which comes with its deposit, is not to be longer for it.
    #[inline(never)]
    fn withdraw_again(&self, rule: Rule, at: Moment) -> Option<u64> {
        if self.is_refused_still(|tick| at.floor() == tick) { None } else { self.decide(rule, at, 0) }
    }

    /// [`withdraw`](Self::withdraw) without a deposit, so many nanoseconds after the ticks began.
    #[inline]
    pub(super) fn withdraw_only(&self, rule: Rule, ticks: &Ticks, since: u64) -> Option<u64> {
        if self.is_refused_still(|tick| ticks.is_in(tick, since)) {
            None
        } else {
            self.decide(rule, ticks.moment(since), 0)
        }
    }

    /// Whether one was refused in this tick, and nothing has been earned or given back since. In an outage this is all that is
    /// read.
    ///
    /// Each of the three only grows, and so it was still what it is now when the first of them was read: at that moment there
    /// was nothing to be had. What they are compared with depends on the refusal alone, and is there before the time is.
    #[inline]
    fn is_refused_still(&self, is_now: impl FnOnce(u64) -> bool) -> bool {
        // Acquire, of the store in `decide`: the three are seen no older than the refusal.
        let last = Refusal(self.refused.load(Ordering::Acquire));
        let tick = last.tick();
        let totals = Totals(self.totals.0.load(Ordering::Acquire));
        totals.deposits() == last.deposits()
            && is_now(tick)
            && self.head.load().floor() <= tick
            && self.refunded.load(Ordering::Acquire) <= first_of_window(tick)
    }

    #[inline(never)]
    fn decide(&self, rule: Rule, at: Moment, deposits: u32) -> Option<u64> {
        let grants = |sums: Sums| rule.grants(Sums { deposits: sums.deposits + u64::from(deposits), ..sums });
        let mut lost = Lost::default();
        loop {
            // What was given back can only help, and is looked for only where that decides.
            let (read, sums) = self.read(at, |sums| !grants(sums));
            let granted = read.withdrawals < MOST && grants(sums);
            let new = read.totals.with(deposits, u32::from(granted));
            if new == read.totals {
                if let Some(Refusal(refused)) = Refusal::new(read.at.floor(), read.totals) {
                    // Release, for the load in `is_refused_still`. One that comes late is of other deposits, or of another tick.
                    self.refused.store(refused, Ordering::Release);
                }
                return None;
            }
            // Their tick has to have begun before they are counted. Once in a tick, and then once more around.
            if read.head < read.at {
                self.advance(read.at);
                continue;
            }
            // Release as in `deposit`; what was read from the rings was checked by `read`.
            if self.totals.0.compare_exchange(read.totals.0, new.0, Ordering::Release, Ordering::Relaxed).is_ok() {
                return granted.then(|| read.at.ceil());
            }
            lost.pause();
        }
    }

    /// A withdrawal that counted in `tick` was not used. If the head has moved on while it was made it may count in a later
    /// tick: then it is this that is forgotten first, and the budget errs by granting less.
    pub(super) fn refund(&self, tick: u64) {
        self.refunds.add(tick);
        self.refunded.fetch_max(tick + 1, Ordering::AcqRel);
    }

    /// What counts at that moment, or at the head if that is later.
    pub(super) fn sums(&self, at: Moment) -> Sums {
        self.read(at, |_| true).1
    }

    /// Takes what was given back off the withdrawals where `needs_refunds` says so of the sums without: it takes a look at
    /// every slot.
    fn read(&self, mut at: Moment, needs_refunds: impl Fn(Sums) -> bool) -> (Read, Sums) {
        loop {
            // In this order: what is in the totals is in ticks up to the head.
            let totals = Totals(self.totals.0.load(Ordering::Acquire));
            let head = self.head.load();
            at = at.max(head);
            let first = first_of_window(at.floor());
            let counted = (
                since(&self.deposits, head.floor(), first, totals.deposits()),
                since(&self.withdrawals, head.ceil(), first, totals.withdrawals()),
            );
            let (deposits, withdrawals) = match counted {
                (Ok(deposits), Ok(withdrawals)) => (deposits, withdrawals),
                // Another thread has seen a later time, by more than a window, and has not come to moving the head.
                (Err(later), _) | (_, Err(later)) => {
                    at = at.max(later);
                    continue;
                }
            };
            let mut sums = Sums { deposits, withdrawals };
            if self.refunded.load(Ordering::Acquire) > first && needs_refunds(sums) {
                sums.withdrawals = withdrawals.saturating_sub(self.refunds.since(first));
            }
            // What was read from the rings and tallied belongs to these totals only if they are still the same.
            if self.totals.0.load(Ordering::Acquire) == totals.0 {
                return (Read { totals, head, at, withdrawals }, sums);
            }
        }
    }

    /// Begins the ticks up to `to`, if nobody has: nothing was counted in those that were skipped.
    fn advance(&self, to: Moment) {
        let head = self.head.load();
        if to > head {
            // Relaxed: what it misses, though it was counted, is taken to have been counted in the ticks that begin.
            let totals = Totals(self.totals.0.load(Ordering::Relaxed));
            self.deposits.begin(head.floor(), to.floor(), totals.deposits());
            self.withdrawals.begin(head.ceil(), to.ceil(), totals.withdrawals());
            self.head.advance(to);
        }
    }
}

/// What a decision rests on.
struct Read {
    totals: Totals,
    head: Moment,
    at: Moment,
    /// In the window, with those that were given back.
    withdrawals: u64,
}

/// How much a counter that holds `total` has grown since `first` began. Or the moment that is seen to have come.
fn since(ring: &Ring, head: u64, first: u64, total: u32) -> Result<u64, Moment> {
    if head < first {
        return Ok(0);
    }
    // A tick that was begun by what was spent has its end in the one before it; to the beginning of that is far enough.
    ring.at(first).map(|begun| u64::from(total.wrapping_sub(begun))).map_err(|later| Moment::beginning(later - 1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const START: Moment = Moment::EPOCH;

    #[test]
    fn the_counters_wrap_each_by_itself() {
        let last = Totals(u64::from(u32::MAX));
        assert_eq!(last.with(1, 1), Totals(Totals::DEPOSIT), "the withdrawals wrap, and make no deposit");
        assert_eq!(Totals(u64::MAX).with(1, 0), last);
        assert_eq!(Totals(u64::MAX - 1).with(0, 1), Totals(u64::MAX));
    }

    #[test]
    fn sums_are_right_across_the_wrap_of_both_counters() {
        let rule = Rule { ratio: Share::new("ratio", 1.0).unwrap(), reserve: 0 };
        let ledger = Ledger::new();
        let before = Totals::DEPOSIT.wrapping_mul(u64::from(u32::MAX - 2)) | u64::from(u32::MAX - 1);
        ledger.totals.0.store(before, Ordering::Relaxed);
        // So much later that nothing of before counts.
        let later = Moment::beginning(100);
        for _ in 0..10 {
            ledger.deposit(later);
        }
        let granted = (0..20).filter(|_| ledger.withdraw(rule, later, 0).is_some()).count();
        assert_eq!(granted, 10);
        assert_eq!(ledger.sums(later), Sums { deposits: 10, withdrawals: 10 });
    }

    #[test]
    fn no_more_are_granted_in_a_window_than_can_be_told_apart_given_back_or_not() {
        let rule = Rule { ratio: Share::new("ratio", 0.0).unwrap(), reserve: u64::MAX };
        let ledger = Ledger::new();
        ledger.totals.0.store(MOST - 1, Ordering::Relaxed);
        let last = ledger.withdraw(rule, START, 0).unwrap();
        assert_eq!(ledger.withdraw(rule, START, 0), None);
        ledger.refund(last);
        assert_eq!(ledger.withdraw(rule, START, 0), None);
        assert!(ledger.withdraw(rule, Moment::beginning(100), 0).is_some());
    }

    #[test]
    fn what_is_given_back_late_hides_nothing_that_was_given_back_before() {
        let rule = Rule { ratio: Share::new("ratio", 0.0).unwrap(), reserve: 2 };
        let ledger = Ledger::new();
        let early = ledger.withdraw(rule, START, 0).unwrap();
        let late = ledger.withdraw(rule, Moment::beginning(5), 0).unwrap();
        ledger.refund(late);
        ledger.refund(early);
        // The early one and its refund are past, the late one and its refund are not.
        let now = Moment::beginning(22);
        assert_eq!(ledger.sums(now), Sums { deposits: 0, withdrawals: 0 });
        assert_eq!((0..3).filter(|_| ledger.withdraw(rule, now, 0).is_some()).count(), 2);
    }
}
