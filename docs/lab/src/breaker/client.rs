//! The client that calls through a breaker, and the service that is there or not.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ops::ControlFlow,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_breaker::{
    Breaker, BreakerBuilder, BreakerObserver, Invalid, OpenTimes, Permit, State, Transition, Verdict,
};

use crate::{clock::Clock, drawn::Drawn};

/// Ten calls a second.
pub(super) const SPACING: Duration = Duration::from_millis(100);
/// How long an answer takes.
const ANSWER: Duration = Duration::from_millis(200);
/// When the client gives up.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// What happens to the client, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A call was sent to a service that is up or not.
    Sent { up: bool, probe: bool },
    /// A call was not sent.
    Rejected { up: bool },
    /// A call that was sent is given up.
    Failed,
    /// The breaker opened, for so long.
    Opened(Duration),
}

/// How the breaker of a client differs from that of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    None,
    /// Its window never slides: all results since it closed are counted.
    Cumulative {
        minimum: u32,
    },
    /// Each close is final: the next open time is the first again.
    Restarting,
}

/// One client, in virtual time.
pub(super) struct Client {
    clock: Clock,
    breaker: Breaker<Time, Rc<Log>>,
    log: Rc<Log>,
    twist: Twist,
    /// Since it closed: results, and failures among them.
    counted: (u32, u32),
    /// Calls that are out, by when they end.
    out: BTreeMap<(Duration, u32), Out>,
}

type Time = Box<dyn Fn() -> Instant>;

/// A builder whose rules are still to be chosen.
pub(super) type Builder = BreakerBuilder<Time, Rc<Log>>;

struct Out {
    permit: Permit<Breaker<Time, Rc<Log>>>,
    answered: bool,
}

/// Transitions that were not looked at yet.
#[derive(Default)]
pub(super) struct Log(RefCell<Vec<Transition>>);

impl BreakerObserver for Log {
    fn on_transition(&self, transition: &Transition) {
        self.0.borrow_mut().push(*transition);
    }
}

impl Client {
    /// A client whose breaker has these rules, and open times with this luck.
    pub(super) fn new(rules: impl FnOnce(Builder) -> Builder, twist: Twist, seed: u64) -> Result<Self, Invalid> {
        let (clock, log) = (Clock::new(), Rc::new(Log::default()));
        let builder = Breaker::builder()
            .open_for(Drawn::new(seed, |seed| OpenTimes::default().seed(seed)))
            .probe_timeout(TIMEOUT * 2)
            .clock(Box::new(clock.reader()) as Time)
            .observe(Rc::clone(&log));
        let breaker = rules(builder).build()?;
        Ok(Self { clock, breaker, log, twist, counted: (0, 0), out: BTreeMap::new() })
    }

    /// Calls a service that is `up` at some times, until `watch` has seen enough.
    pub(super) fn run(
        mut self,
        up: impl Fn(Duration) -> bool,
        mut watch: impl FnMut(Duration, Event) -> ControlFlow<()>,
    ) {
        for number in 0.. {
            let now = SPACING * number;
            if self.end_until(now, &mut watch).is_break() || self.call(number, now, up(now), &mut watch).is_break() {
                return;
            }
        }
    }

    fn call(
        &mut self,
        number: u32,
        now: Duration,
        up: bool,
        watch: &mut impl FnMut(Duration, Event) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.clock.set(now);
        let Ok(permit) = self.breaker.try_acquire_owned() else { return watch(now, Event::Rejected { up }) };
        let sent = Event::Sent { up, probe: permit.is_probe() };
        let takes = if up { ANSWER } else { TIMEOUT };
        self.out.insert((now + takes, number), Out { permit, answered: up });
        watch(now, sent)
    }

    /// Ends the calls whose time has come.
    fn end_until(
        &mut self,
        now: Duration,
        watch: &mut impl FnMut(Duration, Event) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some(first) = self.out.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), Out { permit, answered }) = first.remove_entry();
            self.clock.set(at);
            if !answered {
                watch(at, Event::Failed)?;
            }
            let verdict = self.verdict(permit.is_probe(), permit.is_current(), answered);
            permit.record(verdict);
            self.look_at_transitions(at, watch)?;
        }
        ControlFlow::Continue(())
    }

    fn verdict(&mut self, probe: bool, current: bool, answered: bool) -> Verdict {
        let plain = if answered { Verdict::success() } else { Verdict::failure() };
        let Twist::Cumulative { minimum } = self.twist else { return plain };
        if probe || !current {
            return plain;
        }
        // The breaker itself opens at the first failure that it is told of.
        let (results, failures) = &mut self.counted;
        *results += 1;
        *failures += u32::from(!answered);
        if *results >= minimum && *failures * 2 >= *results { Verdict::failure() } else { Verdict::ignored() }
    }

    fn look_at_transitions(
        &mut self,
        at: Duration,
        watch: &mut impl FnMut(Duration, Event) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for transition in self.log.0.take() {
            match transition.to {
                State::Open => {
                    let until = transition.until.unwrap_or(transition.at);
                    watch(at, Event::Opened(until - transition.at))?;
                }
                State::Closed => {
                    self.counted = (0, 0);
                    if self.twist == Twist::Restarting && transition.from != State::Closed {
                        self.breaker.reset();
                    }
                }
                State::HalfOpen | State::ForcedOpen | State::ForcedClosed => {}
            }
        }
        ControlFlow::Continue(())
    }
}
