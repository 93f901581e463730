//! What an attempt log takes: so many records and no more, nothing for a success, and threads get on with each other.
#![cfg(all(feature = "http", not(loom)))]

mod support;

use std::{
    cell::RefCell,
    future::{Future, pending, ready},
    io,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use evenkeel_backoff::http::{AttemptEnd, AttemptLog, AttemptRecord};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use proptest::{collection::vec, prelude::*};
use support::clocks::{break_clock, builder, log, wall_now};

type Answer = io::Result<Response<()>>;

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn answer(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(()).unwrap())
}

fn numbers(log: &AttemptLog) -> Vec<u64> {
    log.records().iter().map(|record| record.number).collect()
}

/// The headers of a request that has an id of its own, and credentials.
fn headers() -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    HeaderMap::from_iter([
        (HeaderName::from_static("x-client-request-id"), value("b2f6")),
        (http::header::AUTHORIZATION, value("Bearer sk-proj")),
        (http::header::CONTENT_TYPE, value("application/json")),
    ])
}

#[test]
fn the_last_ones_are_kept() {
    let log = log(3);
    for count in 1..=10_u64 {
        let _ = poll(log.watch("a", &HeaderMap::new(), ready(answer(500))));
        let expected: Vec<u64> = (count.saturating_sub(3)..count).collect();
        assert_eq!(numbers(&log), expected);
    }
    assert_eq!(log.report().totals()[0].not_kept, 7);
}

proptest! {
    /// Any sequence of attempts, on any capacity: the records are the last failures, in their order, and the totals exact.
    #[test]
    fn the_records_are_the_last_failures_and_the_totals_are_exact(
        capacity in 1..9_usize,
        attempts in vec((0..3_usize, 0..6_u8), 0..40),
    ) {
        let log = log(capacity);
        let names = ["a", "b", "c"];
        let (mut failures, mut totals) = (Vec::new(), [[0_u64; 2]; 3]);
        for (service, what) in attempts {
            let headers = HeaderMap::new();
            let watch = |answer: Answer| { let _ = poll(log.watch(names[service], &headers, ready(answer))); };
            let end = match what {
                0 | 1 => { watch(answer(200)); None }
                2 => { watch(answer(503)); Some(AttemptEnd::Status(StatusCode::SERVICE_UNAVAILABLE)) }
                3 => {
                    watch(Err(io::ErrorKind::ConnectionReset.into()));
                    Some(AttemptEnd::Failed("connection reset"))
                }
                4 => {
                    let _ = poll(log.watch(names[service], &headers, pending::<Answer>()));
                    Some(AttemptEnd::Dropped)
                }
                _ => { drop(log.watch(names[service], &headers, pending::<Answer>())); continue }
            };
            totals[service][0] += 1;
            if let Some(end) = end {
                totals[service][1] += 1;
                failures.push((names[service].to_owned(), end));
            }
        }
        let expected = &failures[failures.len().saturating_sub(capacity)..];
        let kept: Vec<_> = log.records().iter().map(|record| (record.service.to_string(), record.end)).collect();
        prop_assert_eq!(&kept, expected);
        for total in log.report().totals() {
            let place = names.iter().position(|name| **name == *total.service).unwrap();
            let of_it = expected.iter().filter(|(service, _)| **service == *total.service).count() as u64;
            prop_assert_eq!([total.attempts, total.failures], totals[place]);
            prop_assert_eq!(total.not_kept, totals[place][1] - of_it);
        }
    }
}

#[test]
fn a_success_allocates_nothing() {
    let (log, headers) = (log(8), headers());
    let _ = poll(log.watch("openai", &headers, ready(answer(200))));
    let answers = [200, 200, 200].map(answer);
    let allocated = measure(|| {
        for answer in answers {
            let _ = poll(log.watch("openai", &headers, ready(answer)));
        }
    });
    assert_eq!(allocated.count_total, 0);
    let added = size_of_val(&log.watch("openai", &headers, ()));
    println!("what is added to a future: {added} bytes");
    assert!(added <= 288);
}

#[test]
fn what_it_takes_is_bounded() {
    const CAPACITY: usize = 100;
    let fill = |log: &AttemptLog, count: usize| {
        let id = "x".repeat(10_000);
        for _ in 0..count {
            let names = ["x-request-id", "request-id", "x-ms-request-id", "cf-ray", "apim-request-id"];
            let response =
                names.iter().fold(Response::builder().status(500), |response, name| response.header(*name, &id));
            let response = response.body(()).unwrap();
            let _ = log.watch_blocking("openai", &headers(), || Ok::<_, io::Error>(response));
        }
    };
    let mut kept = None;
    let measured = measure(|| {
        let log = log(CAPACITY);
        fill(&log, CAPACITY);
        kept = Some(log);
    });
    let each = measured.bytes_current / CAPACITY as i64;
    println!("a full record: {each} bytes");
    assert!((128..1_024).contains(&each), "{each}");
    let later = measure(|| fill(kept.as_ref().unwrap(), 3 * CAPACITY));
    assert_eq!(later.bytes_current, 0, "a full log does not grow");
    let cleared = measure(|| kept.as_ref().unwrap().clear());
    assert!(-cleared.bytes_current > 500 * CAPACITY as i64, "what is cleared is given back");
}

#[test]
fn threads_lose_nothing_and_tear_nothing() {
    const THREADS: u64 = 4;
    const EACH: u64 = 2_000;
    const CAPACITY: usize = 64;
    let log = AttemptLog::new(NonZeroUsize::new(CAPACITY).unwrap());
    let done = AtomicBool::new(false);
    // Of each thread the service, the status and the id are its own.
    let is_whole = |record: &AttemptRecord| {
        let thread = record.service.strip_prefix("service ").unwrap();
        let AttemptEnd::Status(status) = record.end else { panic!("{record:?}") };
        assert_eq!(status.as_str(), format!("50{thread}"));
        assert!(record.request_ids[0].value.starts_with(&format!("{thread}-")), "{record:?}");
    };
    let order = |record: &AttemptRecord| -> u64 { record.request_ids[0].value[2..].parse().unwrap() };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let records = log.records();
                records.iter().for_each(is_whole);
                assert!(records.len() <= CAPACITY && records.is_sorted_by_key(|record| record.number));
                if let (Some(first), Some(last)) = (records.first(), records.last()) {
                    assert!(last.number - first.number < CAPACITY as u64);
                }
            }
        });
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let log = &log;
                scope.spawn(move || {
                    for count in 0..EACH {
                        let response = Response::builder().status(500 + thread as u16);
                        let response = response.header("x-request-id", format!("{thread}-{count}")).body(()).unwrap();
                        let service = format!("service {thread}");
                        let _ = log.watch_blocking(&service, &HeaderMap::new(), || Ok::<_, io::Error>(response));
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let records = log.records();
    let all = THREADS * EACH;
    assert_eq!(numbers(&log), (all - CAPACITY as u64..all).collect::<Vec<_>>());
    records.iter().for_each(is_whole);
    for thread in 0..THREADS {
        let service = format!("service {thread}");
        let own: Vec<u64> = records.iter().filter(|record| *record.service == *service).map(order).collect();
        // Nothing of a thread is missing but what came before the oldest.
        assert!(own.is_empty() || own == (EACH - own.len() as u64..EACH).collect::<Vec<_>>(), "{own:?}");
    }
    let totals = log.report().totals().to_vec();
    assert!(totals.iter().all(|total| total.attempts == EACH && total.failures == EACH));
    assert_eq!(totals.iter().map(|total| total.not_kept).sum::<u64>(), all - CAPACITY as u64);
}

#[test]
fn what_is_counted_while_the_log_is_cleared_is_on_record_and_the_other_way_round() {
    // More than are made, so that none is overwritten.
    const CAPACITY: usize = 65_536;
    let log = AttemptLog::new(NonZeroUsize::new(CAPACITY).unwrap());
    let headers = HeaderMap::new();
    let agree = |log: &AttemptLog| {
        let report = log.report();
        let Some(total) = report.totals().first() else { return };
        assert!(total.failures >= report.records().len() as u64, "{total:?}");
    };
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let fail = || (0..10_000).for_each(|_| drop(log.watch_blocking("a", &headers, || answer(500))));
            let writers = [scope.spawn(fail), scope.spawn(fail)];
            while writers.iter().any(|writer| !writer.is_finished()) {
                log.clear();
                agree(&log);
            }
        });
        let report = log.report();
        let total = &report.totals()[0];
        assert_eq!((total.failures, total.not_kept), (report.records().len() as u64, 0));
        assert_eq!(total.attempts, total.failures);
    }
}

thread_local! {
    static TO_CLEAR: RefCell<Option<AttemptLog>> = const { RefCell::new(None) };
}

#[test]
fn an_attempt_that_was_counted_before_the_log_is_cleared_and_ends_after_is_forgotten() {
    // It is read after an attempt was counted, and before it is on record.
    let wall_clock = || {
        if let Some(log) = TO_CLEAR.take() {
            log.clear();
        }
        wall_now()
    };
    let log = builder(4).wall_clock(wall_clock).build().unwrap();
    TO_CLEAR.set(Some(log.clone()));
    let headers = HeaderMap::new();
    let _ = poll(log.watch("a", &headers, ready(answer(500))));
    assert!(log.records().is_empty() && log.report().records().is_empty());
    assert_eq!(log.report().totals()[0].attempts, 0);
    let _ = poll(log.watch("a", &headers, ready(answer(502))));
    assert_eq!(numbers(&log), [1]);
    assert_eq!((log.report().totals()[0].failures, log.report().totals()[0].not_kept), (1, 0));
}

/// Runs `f`, which panics.
fn panics<T>(f: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

#[test]
fn a_word_that_panics_is_a_failure_all_the_same() {
    let log = log(4);
    let headers = HeaderMap::new();
    let failing = || log.watch("a", &headers, ready(Err::<Response<()>, _>(1)));
    panics(|| poll(failing().errors(|_: &i32| panic!("no word for it"))));
    let _ = poll(failing().errors(|_: &i32| "one"));
    let ends: Vec<AttemptEnd> = log.records().iter().map(|record| record.end).collect();
    assert_eq!(ends, ["error", "one"].map(AttemptEnd::Failed));
}

#[test]
fn a_clock_that_panics_breaks_nothing() {
    let log = log(4);
    let headers = HeaderMap::new();
    let failing = log.watch("a", &headers, ready(answer(500)));
    let dropped = log.watch("a", &headers, pending::<Answer>());
    let nameless =
        log.watch("a", &headers, ready(Err::<Response<()>, _>(1))).errors(|_: &i32| panic!("no word for it"));
    break_clock(true);
    panics(|| poll(failing));
    panics(|| poll(dropped));
    panics(|| poll(nameless)); // Its drop reads the clock while the thread unwinds.
    panics(|| log.watch("a", &headers, pending::<Answer>()));
    break_clock(false);

    let _ = poll(log.watch("a", &headers, ready(answer(502))));
    let report = log.report();
    assert_eq!(report.records().len(), 1, "{report}");
    assert_eq!((report.totals()[0].failures, report.totals()[0].not_kept), (4, 3), "{report}");
}
