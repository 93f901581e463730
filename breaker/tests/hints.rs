//! What the service asks for: not to be called for so long.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_breaker::{Breaker, Outcome, State, Verdict};
use support::{by_hand, fail, ms, secs, succeed, wait};

fn hint(seconds: u64) -> Verdict {
    Verdict::failure().not_before(secs(seconds))
}

#[test]
fn a_hint_is_a_floor_under_the_open_time() {
    for (asked, open_for) in [(0, 5), (3, 5), (5, 5), (6, 6), (60, 60)] {
        let (builder, clock) = by_hand();
        let breaker = builder.consecutive_failures(1).open_for([secs(5)]).build().unwrap();
        breaker.try_acquire().unwrap().record(hint(asked));
        assert_eq!(wait(&breaker, &clock), secs(open_for), "asked for {asked}");
    }
}

#[test]
fn the_last_hint_counts_from_when_it_came() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(4).open_for([secs(5)]).build().unwrap();
    breaker.try_acquire().unwrap().record(hint(100));
    clock.advance(secs(1));
    breaker.try_acquire().unwrap().record(hint(20));
    clock.advance(secs(2));
    assert!(fail(&breaker), "says nothing, and takes nothing back");
    clock.advance(secs(3));
    assert!(fail(&breaker));
    assert_eq!(wait(&breaker, &clock), secs(15), "20 s, of which 5 are over");
}

#[test]
fn a_hint_opens_nothing_by_itself_and_means_nothing_to_a_success() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(2).open_for([secs(5)]).build().unwrap();
    breaker.try_acquire().unwrap().record(hint(100));
    assert!(succeed(&breaker));
    clock.advance(secs(200));
    breaker.try_acquire().unwrap().record(Verdict::success().not_before(secs(50)));
    breaker.try_acquire().unwrap().record(Verdict::ignored().not_before(secs(50)));
    assert!(fail(&breaker) && fail(&breaker));
    assert_eq!(wait(&breaker, &clock), secs(5), "the first hint is over, and the others are none");
}

#[test]
fn no_hint_is_longer_than_the_longest_that_is_believed() {
    for (max_hint, asked, open_for) in [
        (None, Duration::MAX, Breaker::DEFAULT_MAX_HINT),
        (Some(secs(7)), secs(8), secs(7)),
        (Some(secs(0)), secs(8), secs(5)),
    ] {
        let (builder, clock) = by_hand();
        let builder = builder.consecutive_failures(1).open_for([secs(5)]);
        let builder = if let Some(max_hint) = max_hint { builder.max_hint(max_hint) } else { builder };
        let breaker = builder.build().unwrap();
        breaker.try_acquire().unwrap().record(Verdict::failure().not_before(asked));
        assert_eq!(wait(&breaker, &clock), open_for);
    }
}

#[test]
fn a_hint_of_an_earlier_period_does_not_count() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(5)]).build().unwrap();
    let late = breaker.try_acquire().unwrap();
    breaker.try_acquire().unwrap().record(hint(10));
    assert_eq!(wait(&breaker, &clock), secs(10));
    late.record(hint(1_000));
    assert_eq!(wait(&breaker, &clock), secs(10), "of a call that began before it opened");
    clock.advance(secs(10));
    assert!(fail(&breaker));
    assert_eq!(wait(&breaker, &clock), secs(5), "the probe said nothing");
    // Nor does one that came just before it closed.
    let (builder, clock) = by_hand();
    let builder = builder.consecutive_failures(1).open_for([ms(1)]).half_open_successes(1).half_open_calls(2);
    let breaker = builder.build().unwrap();
    assert!(fail(&breaker));
    clock.advance(ms(1));
    breaker.try_acquire().unwrap().record(hint(1_000));
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
    assert!(fail(&breaker));
    assert_eq!(wait(&breaker, &clock), ms(1));
}

#[test]
fn a_probe_may_ask_for_longer() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([secs(5)]).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(5));
    breaker.try_acquire().unwrap().record(hint(60));
    assert_eq!(wait(&breaker, &clock), secs(60));
    // It is part of the open time by which a close is judged, and of the default probe timeout.
    clock.advance(secs(60));
    let probe = breaker.try_acquire().unwrap();
    clock.advance(secs(60) - ms(1));
    assert_eq!(breaker.state(), State::HalfOpen);
    probe.record(Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
}
