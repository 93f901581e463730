//! What threads leave in an attempt log: the newest records, whole, and every attempt counted.

use std::{io, num::NonZeroUsize};

use evenkeel_backoff::http::{AttemptLog, AttemptRecord};
use http::{HeaderMap, Response};

use super::{model, thread};

fn log(capacity: usize) -> AttemptLog {
    let log = AttemptLog::new(NonZeroUsize::new(capacity).unwrap());
    // Who is named first is not what these are about.
    let _ = log.watch_blocking("a", &HeaderMap::new(), || Ok::<_, io::Error>(Response::new(())));
    log
}

fn fail(log: &AttemptLog) {
    let refused = || Err::<Response<()>, _>(io::Error::from(io::ErrorKind::ConnectionRefused));
    let _ = log.watch_blocking("a", &HeaderMap::new(), refused);
}

fn numbers(records: &[AttemptRecord]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

#[test]
fn a_writer_that_was_held_up_for_a_round_does_not_overwrite_the_newest() {
    model(|| {
        let log = log(1);
        let other = thread::spawn({
            let log = log.clone();
            move || {
                fail(&log);
                fail(&log);
            }
        });
        fail(&log);
        other.join().unwrap();
        assert_eq!(numbers(&log.records()), [2]);
        let total = log.report().totals()[0].clone();
        assert_eq!((total.attempts, total.failures, total.not_kept), (4, 3, 2));
    });
}

#[test]
fn a_reader_finds_the_last_ones_in_order_while_the_ring_goes_round() {
    model(|| {
        let log = log(2);
        fail(&log);
        let other = thread::spawn({
            let log = log.clone();
            move || (0..3).for_each(|_| fail(&log))
        });
        let seen = numbers(&log.records());
        // Where 3 is in the second place, what was read of the first one before is too old.
        assert!([&[0][..], &[0, 1], &[1, 2], &[2, 3], &[3]].contains(&&*seen), "{seen:?}");
        other.join().unwrap();
        assert_eq!(numbers(&log.records()), [2, 3]);
    });
}

#[test]
fn what_is_cleared_while_others_fail_leaves_totals_and_records_that_agree() {
    model(|| {
        let log = log(4);
        fail(&log);
        let other = thread::spawn({
            let log = log.clone();
            move || (0..2).for_each(|_| fail(&log))
        });
        log.clear();
        let agrees = |exactly: bool| {
            let report = log.report();
            let (total, kept) = (&report.totals()[0], report.records().len() as u64);
            assert!(total.failures >= kept && total.attempts >= kept, "{total:?}, {kept} kept");
            assert!(!exactly || total.not_kept == 0 && total.failures == kept, "{total:?}, {kept} kept");
        };
        agrees(false);
        other.join().unwrap();
        agrees(true);
    });
}

#[test]
fn what_is_on_record_was_counted() {
    model(|| {
        let log = log(2);
        let other = thread::spawn({
            let log = log.clone();
            move || fail(&log)
        });
        let report = log.report();
        assert!(report.totals()[0].failures >= report.records().len() as u64);
        other.join().unwrap();
    });
}
