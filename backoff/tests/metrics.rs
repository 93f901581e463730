//! What the counting observer counts.
#![cfg(all(feature = "metrics", not(loom)))]

use std::{collections::BTreeMap, time::Duration};

use evenkeel_backoff::{Metrics, Retry, Verdict};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

#[test]
fn attempts_retries_and_each_retry_that_was_not_made_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let metrics = Metrics::new("api");
        let judge = |result: &Result<(), Verdict>| match result {
            Ok(()) => Verdict::success(),
            Err(verdict) => *verdict,
        };
        let retry = Retry::new([Duration::from_millis(500); 2], |_| ()).when(judge).observe(metrics);
        let throttled = Verdict::throttled().not_before(Duration::from_millis(250));
        for script in [
            vec![Ok(())],
            vec![Err(Verdict::transient()), Ok(())],
            vec![Err(throttled), Err(Verdict::permanent())],
            vec![Err(Verdict::transient()); 3],
            vec![Err(Verdict::transient().never())],
            vec![Err(Verdict::throttled().not_before(Duration::from_secs(61)))],
        ] {
            let _ = retry.run_blocking(|attempt| script[attempt as usize]);
        }
    });

    let seen: BTreeMap<String, f64> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(gauge) => gauge.0,
                DebugValue::Histogram(samples) => samples.iter().map(|sample| sample.0).sum(),
            };
            (format!("{} {}", key.key().name(), labels.join(" ")), value)
        })
        .filter(|(_, value)| *value != 0.0)
        .collect();
    let expected = [
        ("evenkeel_retry_requests_total name=api", 6.0),
        ("evenkeel_retry_retries_total name=api", 4.0),
        ("evenkeel_retry_verdicts_total name=api outcome=success", 2.0),
        ("evenkeel_retry_verdicts_total name=api outcome=transient", 5.0),
        ("evenkeel_retry_verdicts_total name=api outcome=throttled", 2.0),
        ("evenkeel_retry_verdicts_total name=api outcome=permanent", 1.0),
        ("evenkeel_retry_stops_total name=api reason=success", 2.0),
        ("evenkeel_retry_stops_total name=api reason=permanent", 1.0),
        ("evenkeel_retry_stops_total name=api reason=exhausted", 1.0),
        ("evenkeel_retry_stops_total name=api reason=server", 1.0),
        ("evenkeel_retry_stops_total name=api reason=server_delay", 1.0),
        ("evenkeel_retry_delay_seconds name=api cause=transient", 1.5),
        ("evenkeel_retry_delay_seconds name=api cause=throttled", 0.75),
    ];
    let expected = expected.into_iter().map(|(series, value)| (series.to_owned(), value)).collect();
    assert_eq!(seen, expected);
}
