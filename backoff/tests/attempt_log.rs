//! What an attempt log records, and what it leaves out.
#![cfg(all(feature = "http", not(loom)))]

mod support;

use std::{
    fmt,
    future::{Future, pending, ready},
    io,
    num::NonZeroUsize,
    pin::pin,
    task::Poll,
    time::Duration,
};

use evenkeel_backoff::{
    Retry,
    http::{AttemptEnd, AttemptLog, ErrorKinds, ErrorWords, classify, error_kind},
};
use evenkeel_hedging::Hedge;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use support::{
    Woken, World,
    clocks::{advance, builder, log, reads, set_wall, turn_back, wall},
    ms,
};

type Answer = io::Result<Response<()>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let response = Response::builder().status(status);
    Ok(headers.iter().fold(response, |response, (name, value)| response.header(*name, *value)).body(()).unwrap())
}

fn run<F: Future>(future: F) -> F::Output {
    match Woken::new().poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn watch(log: &AttemptLog, answer: Answer) {
    let _ = run(log.watch("openai", &HeaderMap::new(), ready(answer)));
}

fn ends(log: &AttemptLog) -> Vec<AttemptEnd> {
    log.records().into_iter().map(|record| record.end).collect()
}

fn status(status: u16) -> AttemptEnd {
    AttemptEnd::Status(StatusCode::from_u16(status).unwrap())
}

fn ids(log: &AttemptLog) -> Vec<String> {
    log.records().iter().flat_map(|record| &record.request_ids).map(ToString::to_string).collect()
}

#[test]
fn what_is_no_success_is_recorded_and_what_is_one_is_counted() {
    let log = log(8);
    for code in [200, 204, 304, 399, 400, 404, 429, 500, 503, 599] {
        watch(&log, answer(code, &[]));
    }
    assert_eq!(ends(&log), [400, 404, 429, 500, 503, 599].map(status));
    let total = log.report().totals()[0].clone();
    assert_eq!((&*total.service, total.attempts, total.failures, total.not_kept), ("openai", 10, 6, 0));
}

#[test]
fn everything_is_recorded_on_request() {
    let log = builder(8).everything().build().unwrap();
    for code in [200, 500] {
        watch(&log, answer(code, &[("retry-after", "2"), ("x-request-id", "a")]));
    }
    let records = log.records();
    assert_eq!(ends(&log), [status(200), status(500)]);
    assert_eq!(records[0].retry_after, None, "nobody asked a success to be retried");
    assert_eq!(records[1].retry_after, Some(Duration::from_secs(2)));
    assert_eq!(ids(&log), ["x-request-id=a"; 2]);
    assert_eq!(log.report().totals()[0].failures, 1);
}

#[test]
fn a_record_says_when_it_was_sent_and_how_long_it_took() {
    let log = log(8);
    let world = World::new();
    let slow = async {
        world.sleep(ms(10)).await;
        answer(503, &[("retry-after-ms", "1500")])
    };
    let mut slow = pin!(log.watch("openai", &HeaderMap::new(), slow));
    let woken = Woken::new();
    assert!(woken.poll(slow.as_mut()).is_pending());
    advance(ms(412));
    world.advance(ms(10));
    assert!(woken.poll(slow.as_mut()).is_ready());

    let record = &log.records()[0];
    assert_eq!((record.at, record.took), (wall(ms(0)), ms(412)));
    assert_eq!(record.retry_after, Some(ms(1500)));
}

#[test]
fn an_attempt_that_is_dropped_is_recorded_at_its_drop() {
    let log = log(8);
    let mut attempt = Box::pin(log.watch("openai", &HeaderMap::new(), pending::<Answer>()));
    assert!(Woken::new().poll(attempt.as_mut()).is_pending());
    advance(ms(250));
    assert!(log.records().is_empty(), "it is still out");
    drop(attempt);
    let record = &log.records()[0];
    assert_eq!((record.end, record.took, record.at), (AttemptEnd::Dropped, ms(250), wall(ms(0))));
}

#[test]
fn an_attempt_that_was_never_polled_was_not_sent() {
    let log = log(8);
    drop(log.watch("openai", &HeaderMap::new(), pending::<Answer>()));
    assert!(log.records().is_empty());
    assert_eq!(log.report().totals()[0].attempts, 0);
}

#[test]
fn an_attempt_that_has_answered_is_told_once() {
    let log = log(8);
    let mut attempt = Box::pin(log.watch("openai", &HeaderMap::new(), ready(answer(500, &[]))));
    assert!(Woken::new().poll(attempt.as_mut()).is_ready());
    drop(attempt);
    assert_eq!(ends(&log), [status(500)]);
}

#[test]
fn the_limit_on_an_attempt_is_a_drop_and_the_id_of_the_request_is_there() {
    let (log, world) = (log(8), World::new());
    let retry = Retry::new([ms(5)], world.sleeper())
        .when(classify)
        .attempt_timeout(ms(100), || io::Error::from(io::ErrorKind::TimedOut));
    let answered = world.run(retry.run(|attempt| {
        let id = HeaderValue::from_str(&format!("chat-{attempt}")).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-client-request-id"), id)]);
        log.watch("openai", &headers, pending::<Answer>())
    }));
    assert!(answered.is_err());
    assert_eq!(ends(&log), [AttemptEnd::Dropped; 2], "the error is the policy's, and comes from further out");
    assert_eq!(ids(&log), ["x-client-request-id=chat-0", "x-client-request-id=chat-1"]);
}

#[test]
fn the_loser_of_a_hedge_is_a_drop() {
    let (log, world) = (log(8), World::new());
    let hedge = Hedge::after(ms(30), world.sleeper());
    let answered = world.run(hedge.run(|attempt| {
        let sleep = world.sleep(ms(if attempt == 0 { 1_000 } else { 10 }));
        let answer = async move {
            sleep.await;
            answer(200, &[])
        };
        log.watch("openai", &HeaderMap::new(), answer)
    }));
    assert!(answered.is_ok());
    assert_eq!(ends(&log), [AttemptEnd::Dropped]);
    assert_eq!(log.report().totals()[0].attempts, 2);
}

#[test]
fn what_is_dropped_sooner_than_asked_for_is_counted_and_not_kept() {
    let late = || builder(8).dropped_after(ms(100));
    let [failures, everything] = [late(), late().everything()].map(|builder| builder.build().unwrap());
    for log in [&failures, &everything] {
        for after in [0, 99, 100, 101] {
            let mut attempt = Box::pin(log.watch("openai", &HeaderMap::new(), pending::<Answer>()));
            assert!(Woken::new().poll(attempt.as_mut()).is_pending());
            advance(ms(after));
        }
        assert_eq!((log.report().totals()[0].attempts, log.report().totals()[0].failures), (4, 2));
    }
    assert_eq!(failures.records().iter().map(|record| record.took).collect::<Vec<_>>(), [ms(100), ms(101)]);
    assert_eq!(everything.records().len(), 4);
}

#[test]
fn an_error_is_called_by_the_cause_that_says_most() {
    let kind = |kind: io::ErrorKind| error_kind(&io::Error::from(kind));
    assert_eq!(kind(io::ErrorKind::ConnectionRefused), "connection refused");
    assert_eq!(kind(io::ErrorKind::ConnectionReset), "connection reset");
    assert_eq!(kind(io::ErrorKind::TimedOut), "timed out");
    assert_eq!(kind(io::ErrorKind::Other), "error");
    let wrapped = io::Error::other(io::Error::new(io::ErrorKind::BrokenPipe, io::Error::from(io::ErrorKind::TimedOut)));
    assert_eq!(error_kind(&wrapped), "timed out", "the innermost");
    assert_eq!(error_kind(&fmt::Error), "error");
}

#[test]
fn an_error_of_any_type_has_a_word_if_it_is_given_one() {
    #[derive(Debug)]
    struct Refused;
    let log = log(8);
    let refused = ready(Err::<Response<()>, _>(Refused));
    let attempt = log.watch("openai", &HeaderMap::new(), refused).errors(|_: &Refused| "refused by the gateway");
    assert!(run(attempt).is_err());
    let boxed: BoxError = io::Error::from(io::ErrorKind::ConnectionReset).into();
    let attempt = log.watch("openai", &HeaderMap::new(), ready(Err::<Response<()>, _>(boxed)));
    let words = |error: &BoxError| error_kind(&**error);
    assert!(run(attempt.errors(words)).is_err());
    assert_eq!(ends(&log), ["refused by the gateway", "connection reset"].map(AttemptEnd::Failed));
    assert_eq!(ErrorKinds.word(&io::Error::from(io::ErrorKind::NotFound)), "not found");
}

#[test]
fn ids_are_read_of_the_known_headers_and_of_those_that_are_added() {
    let traced = builder(8).id_header(HeaderName::from_static("x-trace")).build().unwrap();
    let sent = HeaderMap::from_iter([(HeaderName::from_static("x-trace"), HeaderValue::from_static("mine"))]);
    let received = [("cf-ray", "ray"), ("request-id", "rid"), ("x-trace", "mine"), ("x-other", "no")];
    let _ = run(traced.watch("openai", &sent, ready(answer(500, &received))));
    assert_eq!(ids(&traced), ["x-trace=mine", "request-id=rid", "cf-ray=ray"], "and what comes back is not said twice");

    let plain = log(8);
    let _ = run(plain.watch("openai", &sent, ready(answer(500, &received))));
    assert_eq!(ids(&plain), ["request-id=rid", "cf-ray=ray"]);
}

#[test]
fn a_clock_that_jumps_is_survived() {
    let log = log(8);
    let mut attempt = Box::pin(log.watch("openai", &HeaderMap::new(), pending::<Answer>()));
    assert!(Woken::new().poll(attempt.as_mut()).is_pending());
    turn_back(ms(5_000));
    drop(attempt);
    let mut attempt = Box::pin(log.watch("openai", &HeaderMap::new(), pending::<Answer>()));
    assert!(Woken::new().poll(attempt.as_mut()).is_pending());
    advance(Duration::from_secs(3_600));
    set_wall(Duration::ZERO);
    drop(attempt);
    set_wall(Duration::from_secs(253_402_300_800));
    watch(&log, answer(500, &[]));

    let records = log.records();
    assert_eq!((records[0].took, records[1].took), (ms(0), Duration::from_secs(3_600)));
    let report = log.report().to_string();
    assert!(report.contains("before 1970") && report.contains("after 9999"), "{report}");
}

#[test]
fn a_log_that_is_cleared_begins_anew() {
    let log = log(8);
    watch(&log, answer(500, &[]));
    advance(ms(60_000));
    log.clear();
    assert!(log.records().is_empty());
    assert_eq!(log.report().totals()[0].attempts, 0);
    watch(&log, answer(502, &[]));
    assert_eq!(ends(&log), [status(502)]);
    let report = log.report().to_string();
    assert!(report.starts_with("openai: 1 of 1 attempts failed since 2023-11-14T22:14:20.000Z\n"), "{report}");

    for later in ["22:15:20", "22:16:20"] {
        advance(ms(60_000));
        log.clear();
        assert!(log.report().to_string().contains(later), "also if there is nothing to forget");
    }
}

#[test]
fn a_success_reads_the_clock_once_and_the_wall_clock_not_at_all() {
    let log = log(8);
    reads();
    watch(&log, answer(200, &[]));
    assert_eq!(reads(), [1, 0]);
    watch(&log, answer(500, &[]));
    assert_eq!(reads(), [2, 1]);
}

#[test]
fn services_beyond_the_limit_are_counted_together() {
    let log = log(1000);
    for number in 0..AttemptLog::MAX_SERVICES + 10 {
        let _ = log.watch_blocking(&format!("tenant {number}"), &HeaderMap::new(), || answer(500, &[]));
    }
    let report = log.report();
    assert_eq!(report.totals().len(), AttemptLog::MAX_SERVICES + 1);
    let others = report.totals().last().unwrap();
    assert_eq!((&*others.service, others.attempts), ("others", 10));
    assert_eq!(report.totals()[0].attempts, 1);
}

#[test]
fn a_service_that_is_called_as_those_beyond_the_limit_is_one_of_them() {
    let log = log(1000);
    let services =
        ["others".to_owned()].into_iter().chain((0..=AttemptLog::MAX_SERVICES).map(|n| format!("tenant {n}")));
    for service in services {
        let _ = log.watch_blocking(&service, &HeaderMap::new(), || answer(500, &[]));
    }
    let totals = log.report().service("others").totals().to_vec();
    assert_eq!(totals.iter().map(|total| (total.failures, total.not_kept)).collect::<Vec<_>>(), [(2, 0)]);
    assert_eq!(log.report().totals().len(), AttemptLog::MAX_SERVICES + 1, "it takes no place of another");
}

#[test]
fn a_capacity_that_no_machine_has_is_refused_or_cut() {
    let refused = AttemptLog::builder(NonZeroUsize::MAX).build().unwrap_err();
    assert_eq!(refused.field(), "capacity");
    assert_eq!(AttemptLog::new(NonZeroUsize::MAX).capacity(), AttemptLog::MAX_CAPACITY.get());
}
