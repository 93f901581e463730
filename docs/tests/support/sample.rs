//! The report that the playbook shows, as an `AttemptLog` prints it.

use std::{
    io,
    num::NonZeroUsize,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use evenkeel_backoff::http::AttemptLog;
use http::{HeaderMap, HeaderValue, Response, StatusCode, response::Builder};

/// Milliseconds since the log began.
static NOW: AtomicU64 = AtomicU64::new(0);

// A monotonic clock can only begin with a real one.
#[allow(clippy::disallowed_methods)]
static BEGAN: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), at("2026-03-13T06:00:12.004Z")));

/// A log of which four records are kept, after a day and an incident.
pub(crate) fn report() -> String {
    let log = AttemptLog::builder(NonZeroUsize::new(4).expect("it is not zero"));
    let log =
        log.clock(|| BEGAN.0 + passed()).wall_clock(|| BEGAN.1 + passed()).build().expect("four are not too many");
    for (count, status) in [(4188, StatusCode::OK), (935, StatusCode::BAD_GATEWAY)] {
        (0..count).for_each(|_| attempt(&log, 0, "of-that-day", Some(Response::builder().status(status))));
    }
    let busy = Response::builder().status(503).header("retry-after", "20");
    let ends = [
        ("2026-03-14T02:15:03.412Z", 214, "req_7f3a91c2", Some(busy)),
        ("2026-03-14T02:15:03.655Z", 10_002, "req_7f3a91d8", Some(Response::builder().status(504))),
        ("2026-03-14T02:15:13.901Z", 10_000, "18ea17c6-41", None),
        ("2026-03-14T02:15:14.020Z", 10_000, "18ea17c6-42", None),
    ];
    for (sent, took, id, answer) in ends {
        let since = at(sent).duration_since(BEGAN.1).expect("it is later");
        NOW.store(u64::try_from(since.as_millis()).expect("it is a day"), Ordering::Relaxed);
        attempt(&log, took, id, answer);
    }
    let incident = (at("2026-03-14T02:15:00Z"), at("2026-03-14T03:02:00Z"));
    log.report().service("openai").between(incident.0, incident.1).to_string()
}

/// One that is answered has an id of theirs, and one that is not an id of ours.
fn attempt(log: &AttemptLog, took: u64, id: &'static str, answer: Option<Builder>) {
    let ours = ("x-client-request-id", HeaderValue::from_static(id));
    let mut headers = HeaderMap::new();
    headers.extend(answer.is_none().then_some(ours).map(|(name, id)| (name.parse().ok(), id)));
    let ended = log.watch_blocking("openai", &headers, || {
        NOW.fetch_add(took, Ordering::Relaxed);
        let answer = answer.map(|answer| answer.header("x-request-id", id).body(()).expect("the id is a header"));
        answer.ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
    });
    drop(ended);
}

fn passed() -> Duration {
    Duration::from_millis(NOW.load(Ordering::Relaxed))
}

fn at(time: &str) -> SystemTime {
    humantime::parse_rfc3339(time).expect("it is a time")
}
