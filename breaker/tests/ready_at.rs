//! The moment that a rejection names: not a nanosecond too soon, nor too late.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_breaker::{Outcome, Rejected, Verdict};
use proptest::{collection::vec, prelude::*};
use support::{by_hand, ms, origin, secs};

const NANO: Duration = Duration::from_nanos(1);

/// None, very short ones, and very long ones.
fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(NANO),
        (2_u64..1_000).prop_map(Duration::from_nanos),
        (1_u64..1_000).prop_map(ms),
        (1_u64..100).prop_map(secs),
        (0_u64..30).prop_map(|years| secs(years * 365 * 86_400)),
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Asks,
    Ends(usize, Says),
    Passes(Duration),
    /// To where the rejection told, if it rejects.
    Waits,
    /// At that time, and a nanosecond before it.
    Checks,
}

#[derive(Clone, Debug)]
enum Says {
    Outcome(Outcome),
    NotBefore(Duration),
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    let says = prop_oneof![
        Just(Says::Outcome(Outcome::Success)),
        Just(Says::Outcome(Outcome::Failure)),
        Just(Says::Outcome(Outcome::Failure)),
        span().prop_map(Says::NotBefore),
        Just(Says::Nothing),
    ];
    prop_oneof![
        3 => Just(Event::Asks),
        2 => (any::<usize>(), says).prop_map(|(which, says)| Event::Ends(which, says)),
        1 => (0_u64..3).prop_map(|nanos| Event::Passes(Duration::from_nanos(nanos))),
        1 => span().prop_map(Event::Passes),
        1 => Just(Event::Waits),
        3 => Just(Event::Checks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// From whatever state it is in, if nothing but time happens.
    #[test]
    fn it_admits_at_that_moment_and_not_a_nanosecond_before(
        open_times in vec(span(), 1..4),
        probe_timeout in proptest::option::of(span()),
        max_hint in span(),
        (permits, successes, more) in (1_u32..4, 1_u32..4, 0_u32..3),
        events in vec(event(), 1..40),
    ) {
        let (builder, clock) = by_hand();
        let builder = builder.consecutive_failures(1).open_for(open_times).max_hint(max_hint);
        let builder = builder.half_open_permits(permits).half_open_successes(successes);
        let builder = builder.half_open_calls(successes + more);
        let builder = match probe_timeout {
            Some(timeout) => builder.probe_timeout(timeout.max(NANO)),
            None => builder,
        };
        let breaker = builder.build().unwrap();
        let mut held = Vec::new();
        for event in events {
            let ready_at = |rejected: &Rejected| rejected.ready_at().expect("nobody forced it") - origin();
            match event {
                Event::Asks => held.extend(breaker.try_acquire()),
                Event::Ends(..) if held.is_empty() => {}
                Event::Ends(which, says) => {
                    let permit = held.swap_remove(which % held.len());
                    match says {
                        Says::Outcome(outcome) => permit.record(outcome),
                        Says::NotBefore(delay) => permit.record(Verdict::failure().not_before(delay)),
                        Says::Nothing => drop(permit),
                    }
                }
                Event::Passes(span) => clock.advance(span),
                Event::Waits => match breaker.try_acquire() {
                    Ok(permit) => drop(permit),
                    Err(rejected) => clock.set(ready_at(&rejected)),
                },
                Event::Checks => match (breaker.check(), breaker.try_acquire()) {
                    (looked, Ok(permit)) => {
                        prop_assert_eq!(looked, Ok(()), "who looked knew");
                        drop(permit);
                    }
                    (looked, Err(rejected)) => {
                        prop_assert_eq!(looked, Err(rejected), "who looked knew");
                        let at = ready_at(&rejected);
                        prop_assert!(at > clock.since(), "{rejected:?}");
                        prop_assert_eq!(rejected.retry_after(), Some(at - clock.since()));
                        prop_assert_eq!(breaker.ready_at(), rejected.ready_at());
                        clock.set(at - NANO);
                        prop_assert!(breaker.try_acquire().is_err(), "a nanosecond before: {rejected:?}");
                        clock.set(at);
                        let admitted = breaker.try_acquire();
                        prop_assert!(admitted.is_ok(), "{rejected:?}, then {admitted:?}");
                        held.extend(admitted);
                    }
                },
            }
        }
    }
}
