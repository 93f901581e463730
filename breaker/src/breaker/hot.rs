//! The path of every call: what it reads, and what it counts, without the lock.

use super::{
    ramp,
    word::{Kind, Word},
};
use crate::{
    Cause,
    rules::{Rules, Tally},
    sync::{AtomicU64, Ordering, back_off},
    window::{Added, Entry, Head, Ring, Stripes, Turn, tick},
};

/// What calls look at. As long as nothing changes it is only read.
#[derive(Debug)]
pub(super) struct Hot {
    word: AtomicU64,
    /// The period in full. It is written after the word, by whoever has the lock, so it is hardly ever off.
    period: AtomicU64,
    /// Open or half-open: until when every call is rejected, and nothing changes by itself. Ramping: until when.
    pub(super) wake: AtomicU64,
    /// Open or half-open: when to come back.
    pub(super) ready_at: AtomicU64,
    /// Ramping: the shares of calls that were not admitted, and which period they are of.
    pub(super) credits: AtomicU64,
    pub(super) window: Window,
}

/// Where results are kept.
#[derive(Debug)]
pub(super) enum Window {
    None,
    Count(Ring),
    Time(Stripes),
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    Counted,
    /// Its period is over.
    Late,
    /// It takes the lock: it may open the breaker, or a tick has turned. Whether it is counted in the run already.
    Due {
        in_run: bool,
    },
    /// It was counted, and takes the lock: it may have opened the breaker.
    CountedAndDue,
}

impl Hot {
    pub(super) fn new(rules: &Rules) -> Self {
        use crate::rules;

        let window = match rules.window {
            _ if !rules.has_rates() => Window::None,
            rules::Window::Count(size) => Window::Count(Ring::new(size)),
            rules::Window::Time(span) => Window::Time(Stripes::new(tick(span))),
        };
        let word = AtomicU64::new(Word::closed(Kind::Closed, 0, 0).0);
        let [period, wake, ready_at, credits] = [0, 0, 0, 0].map(AtomicU64::new);
        Self { word, period, wake, ready_at, credits, window }
    }

    /// Acquire: with the word comes what was written before it.
    #[inline]
    pub(super) fn load(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn period(&self, word: Word) -> u64 {
        word.period(self.period.load(Ordering::Acquire))
    }

    /// When to come back, if the word, which is of a state that is not closed, rejects every call now. Else the lock tells.
    #[inline]
    pub(super) fn rejected_until(&self, word: Word, now: u64) -> Option<u64> {
        let read = || (self.wake.load(Ordering::Acquire), self.ready_at.load(Ordering::Acquire));
        let (wake, ready_at) = self.read(word, read)?;
        (now < wake).then_some(ready_at)
    }

    /// Credits the share of a call in a ramp, and says whether it is admitted for that; none when the ramp is over.
    pub(super) fn credit(&self, period: u64, share: u64) -> Option<bool> {
        let credited = |held| ramp::credited(held, period, share);
        // Relaxed: a count, which guards nothing.
        let before = self.credits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, credited).ok()?;
        Some(ramp::admits(before, share))
    }

    /// Whether one more success of that period leaves everything as it is, at a glance.
    #[inline]
    pub(super) fn is_unchanged_by_success(&self, period: u64) -> bool {
        let word = self.load();
        let is_closed = matches!(word.kind(), Kind::Closed | Kind::Ramping);
        is_closed
            && word.run() == 0
            && self.period(word) == period
            && match &self.window {
                Window::None => true,
                Window::Count(ring) => ring.is_clean(Head::from_bits(word.payload())),
                Window::Time(_) => false,
            }
    }

    /// What belongs to the word, if it is still the same after reading it.
    #[inline]
    pub(super) fn read<T>(&self, word: Word, read: impl FnOnce() -> T) -> Option<T> {
        let read = read();
        (self.load() == word).then_some(read)
    }

    /// Under the lock, when no call can change the word: a new period's.
    pub(super) fn begin(&self, word: Word, period: u64) {
        // Release: with the word comes what belongs to it.
        self.word.store(word.0, Ordering::Release);
        self.period.store(period, Ordering::Release);
    }

    /// Under the lock, when no call can change the word.
    pub(super) fn store(&self, word: Word) {
        self.word.store(word.0, Ordering::Release);
    }

    /// False if another thread was faster. Sequentially consistent: see [`Stripes::add`].
    pub(super) fn exchange(&self, word: Word, next: Word) -> bool {
        self.word.compare_exchange(word.0, next.0, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// Changes the word, whatever it is: the one that it was, and the one that it is now.
    pub(super) fn update(&self, change: impl Fn(Word) -> Word) -> (Word, Word) {
        loop {
            let word = self.load();
            let next = change(word);
            if self.exchange(word, next) {
                return (word, next);
            }
        }
    }

    /// Counts a result of that period. A time window needs the time.
    pub(super) fn record(&self, rules: &Rules, period: u64, entry: Entry, now: impl FnOnce() -> u64) -> Recorded {
        match &self.window {
            Window::None | Window::Count(_) => self.record_counted(rules, period, entry),
            Window::Time(stripes) => self.record_timed(stripes, rules, period, entry, now()),
        }
    }

    /// Whether a result of that period is to be counted in that word.
    fn admits(&self, word: Word, period: u64) -> Result<(), Recorded> {
        if self.period(word) != period {
            return Err(Recorded::Late);
        }
        match word.kind() {
            Kind::Closed | Kind::Ramping => Ok(()),
            Kind::ForcedClosed => Err(Recorded::Counted),
            Kind::Leaving => Err(Recorded::Due { in_run: false }),
            // A call that is counted here is of a period that is closed.
            Kind::Open | Kind::HalfOpen | Kind::ForcedOpen => Err(Recorded::Late),
        }
    }

    fn record_counted(&self, rules: &Rules, period: u64, entry: Entry) -> Recorded {
        let mut in_vain = 0;
        loop {
            let word = self.load();
            if let Err(recorded) = self.admits(word, period) {
                return recorded;
            }
            if let Some((next, cause)) = self.counted(rules, word, entry) {
                if cause.is_some() {
                    return Recorded::Due { in_run: false };
                }
                if next == word || self.exchange(word, next) {
                    return Recorded::Counted;
                }
            }
            back_off(&mut in_vain);
        }
    }

    /// What a result makes of the word, where there is no time window, and why to open then; none when another thread has
    /// gone on meanwhile.
    #[inline]
    pub(super) fn counted(&self, rules: &Rules, word: Word, entry: Entry) -> Option<(Word, Option<Cause>)> {
        let next = word.with_run(run_after(rules, word, entry));
        let Window::Count(ring) = &self.window else {
            return Some((next, rules.cause(next.run(), Tally::default())));
        };
        let head = Head::from_bits(word.payload());
        if entry.is_good() && next == word && ring.is_clean(head) {
            return Some((word, None));
        }
        let after = ring.after(head, entry, || self.load() == word)?;
        Some((next.with_payload(after.head.bits()), rules.cause(next.run(), after.tally)))
    }

    fn record_timed(&self, stripes: &Stripes, rules: &Rules, period: u64, entry: Entry, now: u64) -> Recorded {
        let mut in_run = false;
        loop {
            let word = Word(self.word.load(Ordering::SeqCst));
            match self.admits(word, period) {
                Ok(()) => {}
                Err(Recorded::Due { .. }) => return Recorded::Due { in_run },
                Err(recorded) => return recorded,
            }
            let turn = Turn::from_bits(word.payload());
            if turn.gathering || now >= stripes.tick_end() {
                return Recorded::Due { in_run };
            }
            // The mark before the count, so that a good result that is counted meanwhile sees it, or is seen.
            let run = if in_run { word.run() } else { run_after(rules, word, entry) };
            if rules.cause(run, Tally::default()).is_some() {
                return Recorded::Due { in_run };
            }
            let tainted = turn.tainted || !entry.is_good();
            let next = word.with_run(run).with_payload(Turn { tainted, ..turn }.bits());
            if next != word && !self.exchange(word, next) {
                continue;
            }
            in_run = true;
            match stripes.add(turn, entry) {
                Added::Over => continue,
                Added::Full => return Recorded::Due { in_run },
                Added::Counted => return self.judge(stripes, rules, period),
            }
        }
    }

    /// Whether what was counted may open the breaker.
    fn judge(&self, stripes: &Stripes, rules: &Rules, period: u64) -> Recorded {
        loop {
            let word = Word(self.word.load(Ordering::SeqCst));
            let turn = Turn::from_bits(word.payload());
            if !turn.tainted || self.admits(word, period).is_err() {
                return Recorded::Counted;
            }
            if turn.gathering {
                return Recorded::CountedAndDue;
            }
            if let Some(tally) = self.read(word, || stripes.look(turn)) {
                // Of the rates alone: a run has been judged when it was marked.
                let is_due = rules.cause(0, tally).is_some();
                return if is_due { Recorded::CountedAndDue } else { Recorded::Counted };
            }
        }
    }
}

/// The run after one result more, where there is a rule about it.
pub(super) fn run_after(rules: &Rules, word: Word, entry: Entry) -> u32 {
    if rules.consecutive.is_some() { word.run_after(entry.failed) } else { 0 }
}
