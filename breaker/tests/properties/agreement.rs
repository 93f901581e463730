//! A history, replayed by both.

use evenkeel_breaker::{Permit, State};
use proptest::prelude::*;

use crate::{
    naive::{Asked, Naive, Settings, Ticket},
    world::{Event, Tested, World, end, history, ms, settings},
};

struct Both {
    world: World,
    naive: Naive,
    permits: Vec<(Permit<Tested>, Ticket)>,
}

impl Both {
    fn new(settings: &Settings) -> Self {
        Self { world: World::new(settings), naive: Naive::new(settings.clone()), permits: Vec::new() }
    }

    fn play(&mut self, event: &Event) {
        let now = self.world.now();
        let breaker = &self.world.breaker;
        match event {
            Event::Acquire => {
                let (asked, ticket) = self.naive.acquire(now);
                let theirs = breaker.try_acquire_owned();
                let seen = match &theirs {
                    Ok(permit) if permit.would_be_rejected() => Asked::WouldBeRejected,
                    Ok(permit) if permit.is_probe() => Asked::Probe,
                    Ok(_) => Asked::Call,
                    Err(rejected) => Asked::Rejected {
                        state: rejected.state(),
                        ready_at: rejected.ready_at().map(|at| self.world.since_start(at)),
                    },
                };
                assert_eq!(seen, asked);
                self.permits.extend(theirs.ok().zip(ticket));
            }
            Event::End(index, said) if !self.permits.is_empty() => {
                let (permit, ticket) = self.permits.swap_remove(index.index(self.permits.len()));
                self.naive.end(ticket, *said, now);
                end(permit, *said);
            }
            Event::End(..) => {}
            Event::Advance(by) => self.world.set(now + by),
            Event::AdvanceToReady => {
                self.naive.settle(now);
                self.world.set(now.max(self.naive.ready_at().unwrap_or(0)));
            }
            Event::ForceOpen => {
                self.naive.force(State::ForcedOpen, now);
                breaker.force_open();
            }
            Event::ForceClosed => {
                self.naive.force(State::ForcedClosed, now);
                breaker.force_closed();
            }
            Event::Reset => {
                self.naive.force(State::Closed, now);
                breaker.reset();
            }
            Event::Look => self.look(),
        }
    }

    fn look(&mut self) {
        let now = self.world.now();
        self.naive.settle(now);
        let snapshot = self.world.breaker.snapshot();
        assert_eq!(self.world.breaker.state(), self.naive.state);
        assert_eq!((snapshot.state, snapshot.period), (self.naive.state, self.naive.period));
        assert_eq!(self.world.since_start(snapshot.since), self.naive.since);
        let ready_at = snapshot.ready_at.map(|at| self.world.since_start(at));
        assert_eq!(ready_at, self.naive.ready_at().map(|at| at.max(now)));
        assert_eq!(
            (snapshot.consecutive_failures, snapshot.calls, snapshot.failures, snapshot.slow),
            self.naive.counts(now)
        );
        assert_eq!(snapshot.probes_out, self.naive.out());
        if self.naive.state == State::HalfOpen {
            let probes = (snapshot.probe_successes, snapshot.probe_failures);
            assert_eq!(probes, (self.naive.succeeded, self.naive.failed));
        }
        assert_eq!(snapshot.admitted_share, self.naive.admitted_share(now));
    }
}

/// Plays it, and looks after each event or only where the history does.
fn agree(settings: &Settings, history: &[Event], always_look: bool) {
    let mut both = Both::new(settings);
    let mut transitions = both.world.breaker.transitions();
    let mut told = 0;
    for event in history {
        both.play(event);
        if always_look {
            both.look();
        }
        while let Some(step) = transitions.try_next() {
            let (from, to, at, period, until) = both.naive.steps[told];
            assert_eq!((step.from, step.to, step.period), (from, to, period));
            assert_eq!(both.world.since_start(step.at), at);
            assert_eq!(step.until, until.map(|until| both.world.start + ms(until)));
            told += 1;
        }
    }
    both.look();
    told += std::iter::from_fn(|| transitions.try_next()).count();
    assert_eq!((told, transitions.missed()), (both.naive.steps.len(), 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_does_what_a_naive_one_does(settings in settings(), history in history()) {
        agree(&settings, &history, false);
    }

    #[test]
    fn it_does_what_a_naive_one_does_looked_at_all_the_time(settings in settings(), history in history()) {
        agree(&settings, &history, true);
    }
}
