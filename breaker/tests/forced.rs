//! What people do to it: `force_open`, `force_closed` and `reset`.
#![cfg(not(loom))]

mod support;

use std::time::Instant;

use evenkeel_breaker::{
    Abandoned, Breaker, BreakerBuilder, BreakerObserver, Cause, OpenTimes, Outcome, Permit, State, Verdict,
};
use proptest::prelude::*;
use support::{Clock, Log, by_hand, fail, ms, secs, succeed, wait};

#[test]
fn forced_open_it_rejects_and_time_changes_nothing() {
    let (builder, clock) = by_hand();
    let log = Log::default();
    let breaker = builder.observe(log.clone()).build().unwrap();
    breaker.force_open();
    for _ in 0..10 {
        clock.advance(secs(86_400 * 365));
        let rejected = breaker.try_acquire().unwrap_err();
        assert_eq!((rejected.state(), rejected.ready_at()), (State::ForcedOpen, None));
        assert_eq!(breaker.ready_at(), None);
    }
    breaker.force_closed();
    assert!(succeed(&breaker));
    breaker.reset();
    assert!(succeed(&breaker));
    let way = [(State::ForcedOpen, Cause::Forced), (State::ForcedClosed, Cause::Forced), (State::Closed, Cause::Reset)];
    assert_eq!(log.way(), way);
}

#[test]
fn forced_closed_it_admits_all_and_counts_none() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).slow_calls(secs(1), 0.1).ramp(secs(10)).build().unwrap();
    breaker.force_closed();
    for _ in 0..1_000 {
        let permit = breaker.try_acquire().unwrap();
        clock.advance(secs(2));
        permit.record(Verdict::failure().not_before(secs(100)));
    }
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.calls, snapshot.consecutive_failures), (State::ForcedClosed, 0, 0));
    breaker.reset();
    assert!((0..100).all(|_| succeed(&breaker)), "and none is held against it afterwards");
}

#[test]
fn a_permit_of_before_says_nothing_after() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(1)]).build().unwrap();
    let call = breaker.try_acquire().unwrap();
    breaker.force_open();
    call.success();
    assert_eq!(breaker.state(), State::ForcedOpen);
    breaker.reset();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    let probe = breaker.try_acquire().unwrap();
    breaker.force_closed();
    probe.failure();
    assert_eq!(breaker.state(), State::ForcedClosed);
    let call = breaker.try_acquire().unwrap();
    breaker.reset();
    call.failure();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_probe_that_times_out_under_force_changes_nothing() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(1)]).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    let _probe = breaker.try_acquire().unwrap();
    breaker.force_open();
    clock.advance(secs(100));
    assert_eq!(breaker.state(), State::ForcedOpen);
}

#[test]
fn after_any_of_them_the_open_times_begin_anew() {
    for force in [None, Some(true), Some(false)] {
        let (builder, clock) = by_hand();
        let breaker = builder.consecutive_failures(1).open_for([1, 2, 4].map(secs)).build().unwrap();
        for open_for in [1, 2, 4].map(secs) {
            assert!(fail(&breaker));
            assert_eq!(wait(&breaker, &clock), open_for);
            clock.advance(open_for);
        }
        match force {
            Some(true) => breaker.force_open(),
            Some(false) => breaker.force_closed(),
            None => {}
        }
        breaker.reset();
        assert!(fail(&breaker));
        assert_eq!(wait(&breaker, &clock), secs(1));
    }
}

#[derive(Clone, Copy, Debug)]
enum Does {
    Asks,
    Ends(usize, Ends),
    Advances(u64),
    Forces(bool),
}

#[derive(Clone, Copy, Debug)]
enum Ends {
    Says(Outcome),
    Hints(u64),
    Drops,
}

fn does() -> impl Strategy<Value = Does> {
    let ends = prop_oneof![
        3 => Just(Ends::Says(Outcome::Failure)),
        3 => Just(Ends::Says(Outcome::Success)),
        1 => Just(Ends::Says(Outcome::Ignored)),
        1 => (0_u64..5_000).prop_map(Ends::Hints),
        1 => Just(Ends::Drops),
    ];
    prop_oneof![
        10 => Just(Does::Asks),
        10 => (any::<usize>(), ends).prop_map(|(which, ends)| Does::Ends(which, ends)),
        5 => (0_u64..3_000).prop_map(Does::Advances),
    ]
}

fn does_or_forces() -> impl Strategy<Value = Does> {
    prop_oneof![20 => does(), 1 => any::<bool>().prop_map(Does::Forces)]
}

/// One of the kinds that there are.
fn kind(kind: u32) -> BreakerBuilder {
    let builder = Breaker::builder().open_for(OpenTimes::new(ms(500), secs(4)).seed(3)).abandoned(Abandoned::Failure);
    match kind {
        0 => builder.consecutive_failures(2),
        1 => builder.failure_rate(0.5).count_window(6).minimum_calls(3).half_open_permits(2).half_open_successes(2),
        2 => builder.failure_rate(0.5).time_window(secs(5)).minimum_calls(3).ramp(secs(3)),
        _ => builder
            .consecutive_failures(3)
            .slow_calls(secs(1), 0.5)
            .minimum_calls(2)
            .half_open_calls(3)
            .probe_timeout(ms(700)),
    }
}

/// A breaker, and the permits that are out.
struct Player<'a, C: Fn() -> Instant, O: BreakerObserver> {
    breaker: &'a Breaker<C, O>,
    out: Vec<Permit<&'a Breaker<C, O>>>,
}

impl<'a, C: Fn() -> Instant, O: BreakerObserver> Player<'a, C, O> {
    fn new(breaker: &'a Breaker<C, O>) -> Self {
        Self { breaker, out: Vec::new() }
    }

    /// Does it, and says what can be seen.
    fn play(&mut self, does: Does) -> String {
        let asked = match does {
            Does::Asks => match self.breaker.try_acquire() {
                Ok(permit) => {
                    let probe = permit.is_probe();
                    self.out.push(permit);
                    format!("admitted, a probe: {probe}")
                }
                Err(rejected) => format!("{rejected:?}"),
            },
            Does::Ends(which, ends) if !self.out.is_empty() => {
                let permit = self.out.swap_remove(which % self.out.len());
                match ends {
                    Ends::Says(outcome) => permit.record(outcome),
                    Ends::Hints(millis) => permit.record(Verdict::failure().not_before(ms(millis))),
                    Ends::Drops => drop(permit),
                }
                String::new()
            }
            Does::Forces(true) => {
                self.breaker.force_open();
                String::new()
            }
            Does::Forces(false) => {
                self.breaker.force_closed();
                String::new()
            }
            Does::Ends(..) | Does::Advances(_) => String::new(),
        };
        let mut seen = self.breaker.snapshot();
        // They have different pasts.
        (seen.period, seen.since) = (0, support::origin());
        format!("{asked} {seen:?}")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Hazard 42: after any history a reset leaves nothing behind, not even what comes late from before it.
    #[test]
    fn after_a_reset_it_behaves_as_one_that_was_never_used(
        of_kind in 0_u32..4,
        history in proptest::collection::vec(does_or_forces(), 0..60),
        future in proptest::collection::vec(does(), 1..60),
        late in any::<Vec<(usize, bool)>>(),
    ) {
        let clock = Clock::new();
        let [used, fresh] = [(); 2].map(|()| kind(of_kind).clock(clock.reader()).build().unwrap());
        let mut player = Player::new(&used);
        for does in history {
            if let Does::Advances(millis) = does {
                clock.advance(ms(millis));
            }
            player.play(does);
        }
        used.reset();
        let mut before = std::mem::take(&mut player.out);
        let (mut twin, mut late) = (Player::new(&fresh), late.into_iter());
        for does in future {
            if let Does::Advances(millis) = does {
                clock.advance(ms(millis));
            }
            prop_assert_eq!(player.play(does), twin.play(does), "after {:?}", does);
            if let (Some((which, good)), false) = (late.next(), before.is_empty()) {
                let permit = before.swap_remove(which % before.len());
                if good { permit.success() } else { permit.failure() }
            }
        }
    }
}

#[test]
fn a_reset_of_a_breaker_that_ramps_or_flaps_leaves_neither() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([1, 9].map(secs)).ramp(secs(60)).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    assert!(succeed(&breaker));
    assert!(breaker.snapshot().admitted_share < 1.0);
    breaker.reset();
    assert_eq!(breaker.snapshot().admitted_share, 1.0);
    assert!(fail(&breaker), "at once, which would be flapping");
    assert_eq!(wait(&breaker, &clock), secs(1));
}
