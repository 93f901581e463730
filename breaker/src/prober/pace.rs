//! When the next check is due.

use std::time::Duration;

use crate::{
    Breaker, Outcome,
    breaker::{Place, View},
    open_times::nanos,
};

/// A prober's times, all in nanoseconds since the breaker was built, or of a length.
pub(super) struct Pace<I: IntoIterator<Item = Duration>> {
    pub(super) while_closed: Option<u64>,
    pub(super) timeout: u64,
    delays: Delays<I>,
    /// When it began.
    since: u64,
    last: Option<Last>,
}

/// The last check.
struct Last {
    at: u64,
    ignored: bool,
}

/// The schedule of its own.
struct Delays<I: IntoIterator<Item = Duration>> {
    schedule: I,
    begin: fn(&I) -> I::IntoIter,
    session: Option<I::IntoIter>,
    last: Option<u64>,
    outage: u64,
    period: u64,
}

const SHORTEST: u64 = 1_000_000;
pub(super) const LONGEST: u64 = 3_600_000_000_000;

/// No pause is without end, and none is none.
pub(super) fn held(time: Duration) -> u64 {
    nanos(time).clamp(SHORTEST, LONGEST)
}

impl Pace<[Duration; 0]> {
    pub(super) fn new() -> Self {
        Self {
            while_closed: None,
            timeout: nanos(Breaker::DEFAULT_CHECK_TIMEOUT),
            delays: Delays::new([]),
            since: 0,
            last: None,
        }
    }
}

impl<I: IntoIterator<Item = Duration>> Pace<I> {
    pub(super) fn every<J: IntoIterator<Item = Duration> + Clone>(self, schedule: J) -> Pace<J> {
        let Self { while_closed, timeout, delays: _, since, last } = self;
        Pace { while_closed, timeout, delays: Delays::new(schedule), since, last }
    }

    /// It begins now. What is slow takes no longer to fail.
    pub(super) fn start(&mut self, now: u64, slow: Option<u64>) {
        self.since = now;
        self.timeout = self.timeout.min(slow.unwrap_or(u64::MAX));
    }

    /// A check has ended.
    pub(super) fn checked(&mut self, outcome: Outcome, now: u64) {
        self.last = Some(Last { at: now, ignored: outcome == Outcome::Ignored });
    }

    /// When the next check is due, as things are; none is never.
    pub(super) fn due(&mut self, view: &View) -> Option<u64> {
        let since = |pause: u64| self.last.as_ref().map_or(0, |last| last.at.saturating_add(pause));
        match view.place {
            Place::Closed => {
                let from = self.since.max(view.since).max(since(0));
                self.while_closed.map(|interval| from.saturating_add(interval))
            }
            Place::Open { until, not_before } => {
                let least = since(SHORTEST).max(not_before);
                let own = self.delays.of(view).map(|delay| view.since.saturating_add(delay));
                Some(own.unwrap_or(until).max(least))
            }
            Place::HalfOpen { ready_at } => {
                let ignored = self.last.as_ref().is_some_and(|last| last.ignored);
                Some(since(if ignored { self.timeout } else { SHORTEST }).max(ready_at))
            }
            Place::Forced => None,
        }
    }
}

impl<I: IntoIterator<Item = Duration>> Delays<I> {
    fn new(schedule: I) -> Self
    where
        I: Clone,
    {
        let begin = |schedule: &I| schedule.clone().into_iter();
        Self { schedule, begin, session: None, last: None, outage: 0, period: 0 }
    }

    /// The delay of this open time, if there is a schedule.
    fn of(&mut self, view: &View) -> Option<u64> {
        if self.outage != view.outage {
            (self.outage, self.session, self.last) = (view.outage, None, None);
        }
        if self.period != view.period {
            self.period = view.period;
            let begin = || (self.begin)(&self.schedule);
            let next = self.session.get_or_insert_with(begin).next();
            self.last = next.map(held).or(self.last);
        }
        self.last
    }
}
