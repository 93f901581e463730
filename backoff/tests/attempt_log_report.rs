//! The text for the support: what it says, and what it lists.
#![cfg(all(feature = "http", not(loom)))]

mod support;

use std::{io, time::Duration};

use evenkeel_backoff::http::AttemptLog;
use http::{HeaderMap, Response};
use support::{
    clocks::{advance, builder, log, wall},
    ms,
};

/// One attempt that takes so many milliseconds and is answered so, or refused.
fn attempt(log: &AttemptLog, service: &str, took: u64, status: Option<u16>, headers: &[(&str, &str)]) {
    let _ = log.watch_blocking(service, &HeaderMap::new(), || {
        advance(ms(took));
        let Some(status) = status else { return Err(io::Error::from(io::ErrorKind::ConnectionRefused)) };
        let response = Response::builder().status(status);
        Ok(headers.iter().fold(response, |response, (name, value)| response.header(*name, *value)).body(()).unwrap())
    });
}

fn incident(log: &AttemptLog) {
    attempt(log, "openai", 200, Some(200), &[]);
    attempt(log, "openai", 412, Some(503), &[("retry-after", "30"), ("x-request-id", "req_1"), ("cf-ray", "8a-FRA")]);
    attempt(log, "azure", 10_000, None, &[]);
    attempt(log, "openai", 5, Some(503), &[("x-request-id", "req_2")]);
    attempt(log, "openai", 5, Some(429), &[("retry-after", "1.5")]);
}

#[test]
fn the_report_is_what_one_would_write_by_hand() {
    let log = log(16);
    incident(&log);
    let expected = "\
openai: 3 of 4 attempts failed since 2023-11-14T22:13:20.000Z
  listed 3: 2 x 503, 1 x 429
azure: 1 of 1 attempts failed since 2023-11-14T22:13:20.000Z
  listed 1: 1 x connection refused

failed attempts sent from 2023-11-14T22:13:20.200Z to 2023-11-14T22:13:30.617Z (UTC): 4 listed

sent                      service  took      ended               retry after  ids
2023-11-14T22:13:20.200Z  openai   0.412 s   503                 30.000 s     x-request-id=req_1 cf-ray=8a-FRA
2023-11-14T22:13:20.612Z  azure    10.000 s  connection refused  -            -
2023-11-14T22:13:30.612Z  openai   0.005 s   503                 -            x-request-id=req_2
2023-11-14T22:13:30.617Z  openai   0.005 s   429                 1.500 s      -
";
    assert_eq!(log.report().to_string(), expected);
}

#[test]
fn what_is_no_longer_on_record_is_said() {
    let log = log(2);
    incident(&log);
    let report = log.report();
    assert_eq!(report.totals()[0].not_kept, 1);
    let expected = "\
openai: 3 of 4 attempts failed since 2023-11-14T22:13:20.000Z
  listed 2: 1 x 429, 1 x 503
  no longer on record: 1, which ended earlier

failed attempts sent from 2023-11-14T22:13:30.612Z to 2023-11-14T22:13:30.617Z (UTC): 2 listed

sent                      service  took     ended  retry after  ids
2023-11-14T22:13:30.612Z  openai   0.005 s  503    -            x-request-id=req_2
2023-11-14T22:13:30.617Z  openai   0.005 s  429    1.500 s      -
";
    assert_eq!(report.service("openai").to_string(), expected);
}

#[test]
fn one_service_can_be_chosen() {
    let log = log(16);
    incident(&log);
    let report = log.report().service("azure");
    assert_eq!((report.records().len(), report.totals().len()), (1, 1));
    assert!(!report.to_string().contains("openai"));
    assert!(log.report().service("unheard of").totals().is_empty());
}

#[test]
fn a_time_can_be_chosen_and_both_its_ends_are_in_it() {
    let log = log(16);
    incident(&log);
    let report = log.report().between(wall(ms(612)), wall(ms(10_612)));
    assert_eq!(report.records().len(), 2);
    assert_eq!(report.totals()[0].failures, 3, "totals are of all the time");
    let text = report.to_string();
    assert!(text.contains("from 2023-11-14T22:13:20.612Z to 2023-11-14T22:13:30.612Z (UTC): 2 listed"), "{text}");
    let backwards = log.report().between(wall(ms(10_612)), wall(ms(612)));
    assert!(backwards.records().is_empty());
}

#[test]
fn a_log_with_nothing_in_it_says_so() {
    assert_eq!(log(2).report().to_string(), "\nno failed attempts listed\n");
    let log = builder(2).everything().build().unwrap();
    attempt(&log, "openai", 1, Some(200), &[]);
    let text = log.report().to_string();
    assert!(text.contains("\nattempts sent from") && text.contains("0 of 1 attempts failed"), "{text}");
}

#[test]
fn attempts_are_listed_in_the_order_in_which_they_were_sent() {
    let log = log(16);
    let _ = log.watch_blocking("slow", &HeaderMap::new(), || {
        advance(ms(100));
        attempt(&log, "fast", 5, Some(500), &[]);
        Err::<Response<()>, _>(io::Error::from(io::ErrorKind::TimedOut))
    });
    let services = |records: &[evenkeel_backoff::http::AttemptRecord]| -> Vec<String> {
        records.iter().map(|record| record.service.to_string()).collect()
    };
    assert_eq!(services(&log.records()), ["fast", "slow"], "as they ended");
    assert_eq!(services(log.report().records()), ["slow", "fast"]);
}

#[test]
fn a_name_cannot_break_a_line_or_a_column() {
    let log = log(16);
    let name = format!("two\nlines {}", "x".repeat(100));
    attempt(&log, &name, 1, Some(500), &[]);
    let failed = log.watch("b", &HeaderMap::new(), std::future::ready(Err::<Response<()>, _>(())));
    let mut failed = std::pin::pin!(failed.errors(|_: &()| "two\nlines"));
    assert!(support::Woken::new().poll(failed.as_mut()).is_ready());
    let report = log.report().service(&name);
    assert_eq!(report.records()[0].service.len(), 64);
    assert_eq!(report.to_string().lines().count(), 7);
    assert!(log.report().to_string().contains("two_lines"));
    attempt(&log, "lines\u{2028}and\u{202e}marks\u{200b}", 1, Some(500), &[]);
    assert!(log.report().to_string().contains("lines_and_marks_: 1 of 1"));
    let same = format!("{}, but not this", &name[..64]);
    attempt(&log, &same, 1, Some(500), &[]);
    assert_eq!(log.report().service(&same).totals()[0].attempts, 2, "what is beyond the column is not told apart");
    assert!(report.records().iter().all(|record| record.took == Duration::from_millis(1)));
}
