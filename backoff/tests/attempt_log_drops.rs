//! What an attempt log makes of an attempt that never answered: dropped soon or late, or in the middle of a panic.
#![cfg(all(feature = "http", not(loom)))]

mod support;

use std::{
    future::pending,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    time::Duration,
};

use evenkeel_backoff::http::{AttemptEnd, AttemptLog, ServiceTotals, Watch};
use http::{HeaderMap, Response};
use support::{
    Woken,
    clocks::{advance, break_clock, builder, turn_back},
    ms,
};

type Answer = io::Result<Response<()>>;

/// What is dropped sooner than this is no failure.
const LOST: Duration = ms(4_000);
const PANICKED: AttemptEnd = AttemptEnd::Failed("panicked");

/// Logs to which each of these holds: of failures with a time and without, and of everything.
fn logs() -> [AttemptLog; 3] {
    let log = || builder(4);
    [log(), log().dropped_after(LOST), log().dropped_after(LOST).everything()].map(|builder| builder.build().unwrap())
}

/// An attempt that was sent, and hangs.
fn hanging(log: &AttemptLog) -> Pin<Box<Watch<impl Future<Output = Answer> + use<>>>> {
    let mut attempt = Box::pin(log.watch("a", &HeaderMap::new(), pending::<Answer>()));
    assert!(Woken::new().poll(attempt.as_mut()).is_pending());
    attempt
}

/// An attempt that panics when it is polled.
fn panicking(log: &AttemptLog) -> Watch<impl Future<Output = Answer> + use<>> {
    log.watch("a", &HeaderMap::new(), async { panic!("in the client") })
}

fn panics<T>(f: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

fn ends(log: &AttemptLog) -> Vec<AttemptEnd> {
    log.records().iter().map(|record| record.end).collect()
}

/// Attempts, failures, and those not kept.
fn totals(log: &AttemptLog) -> [u64; 3] {
    let ServiceTotals { attempts, failures, not_kept, .. } = log.report().totals()[0];
    [attempts, failures, not_kept]
}

#[test]
fn an_attempt_that_panics_has_failed_however_soon() {
    for log in logs() {
        panics(|| Woken::new().poll(Box::pin(panicking(&log)).as_mut()));
        panics(|| log.watch_blocking("a", &HeaderMap::new(), || panic!("in the client") as Answer));
        assert_eq!((ends(&log), totals(&log)), (vec![PANICKED; 2], [2, 2, 0]));
        assert!(log.report().to_string().contains("listed 2: 2 x panicked"));
    }
}

#[test]
fn an_attempt_that_panicked_and_is_dropped_when_that_is_over_has_failed_as_well() {
    for log in logs() {
        let mut attempt = Box::pin(panicking(&log));
        panics(|| Woken::new().poll(attempt.as_mut()));
        assert!(log.records().is_empty(), "it is still there");
        drop(attempt);
        assert_eq!((ends(&log), totals(&log)), (vec![PANICKED], [1, 1, 0]));
    }
}

#[test]
fn an_attempt_that_somebody_elses_panic_drops_was_dropped() {
    let [log, soon, everything] = logs();
    for log in [&log, &soon, &everything] {
        panics(|| {
            let _attempt = hanging(log);
            panic!("in the caller")
        });
    }
    assert_eq!((ends(&log), totals(&log)), (vec![AttemptEnd::Dropped], [1, 1, 0]));
    assert_eq!((ends(&soon), totals(&soon)), (vec![], [1, 0, 0]));
    assert_eq!((ends(&everything), totals(&everything)), (vec![AttemptEnd::DroppedSoon], [1, 0, 0]));
}

#[test]
fn what_is_dropped_soon_takes_places_in_a_log_of_everything_and_is_no_failure_there() {
    let log = builder(4).dropped_after(LOST).everything().build().unwrap();
    for _ in 0..3 {
        let _ = log.watch_blocking("a", &HeaderMap::new(), || {
            Ok::<_, io::Error>(Response::builder().status(500).body(()).unwrap())
        });
    }
    for _ in 0..4 {
        drop(hanging(&log));
    }
    assert_eq!((ends(&log), totals(&log)), (vec![AttemptEnd::DroppedSoon; 4], [7, 3, 3]));
    assert!(!AttemptEnd::DroppedSoon.is_failure() && AttemptEnd::Dropped.is_failure());
    let text = log.report().to_string();
    assert!(text.starts_with("a: 3 of 7 attempts failed"), "{text}");
    assert!(text.contains("  listed 4: 4 x dropped soon\n  no longer on record: 3, which ended earlier\n"), "{text}");

    let attempt = hanging(&log);
    advance(LOST);
    drop(attempt);
    assert_eq!((ends(&log)[3], totals(&log)), (AttemptEnd::Dropped, [8, 4, 3]));
}

#[test]
fn a_drop_whose_time_a_panicking_clock_does_not_say_is_a_failure() {
    for log in logs() {
        let attempt = hanging(&log);
        break_clock(true);
        panics(|| drop(attempt));
        break_clock(false);
        assert_eq!((ends(&log), totals(&log)), (vec![], [1, 1, 1]), "there is no record without a time");
    }
}

#[test]
fn a_drop_by_a_clock_that_went_back_is_a_failure() {
    for log in logs() {
        let attempt = hanging(&log);
        advance(ms(30_000));
        turn_back(ms(30_001));
        drop(attempt);
        assert_eq!((ends(&log), totals(&log)), (vec![AttemptEnd::Dropped], [1, 1, 0]));
        assert_eq!(log.records()[0].took, ms(0));
    }
}
