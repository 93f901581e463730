//! What the counting observers of a map count.
#![cfg(all(feature = "metrics", not(loom)))]
#![allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.

mod map_support;

use std::{collections::BTreeMap, time::Instant};

use evenkeel_breaker::{BreakerMap, BreakerMapMetrics, BreakerObserver, KeyMetrics};
use map_support::{OPEN, builder, fail, recover};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

type Map = BreakerMap<u32, fn() -> Instant, KeyMetrics>;
type Series = BTreeMap<String, f64>;

fn map(capacity: usize) -> Map {
    let metrics = BreakerMapMetrics::new("hosts");
    builder(capacity).observe_each(move |_| metrics.of_key()).build().unwrap()
}

/// What `f` counts; it is given a function that reads all series.
fn recorded<T>(f: impl FnOnce(&mut dyn FnMut() -> Series) -> T) -> T {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let mut sums = Series::new();
    // This recorder begins anew whenever it is read.
    let mut read = || {
        for (key, _, description, value) in snapshotter.snapshot().into_vec() {
            assert!(description.is_some(), "described");
            let labels = key.key().labels().map(|label| format!(" {}={}", label.key(), label.value()));
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(gauge) => gauge.0,
                DebugValue::Histogram(samples) => samples.iter().map(|sample| sample.0).sum(),
            };
            *sums.entry(format!("{}{}", key.key().name(), labels.collect::<String>())).or_default() += value;
        }
        sums.clone()
    };
    metrics::with_local_recorder(&recorder, || f(&mut read))
}

/// Those that are not zero.
fn values(series: &Series) -> Vec<(&str, f64)> {
    series.iter().map(|(name, value)| (name.as_str(), *value)).filter(|(_, value)| *value != 0.0).collect()
}

/// Keys by state: closed, half-open, open, forced open, forced closed.
fn keys(series: &Series) -> [f64; 5] {
    ["closed", "half_open", "open", "forced_open", "forced_closed"]
        .map(|state| series[&format!("evenkeel_breaker_keys name=hosts state={state}")])
}

#[test]
fn keys_by_state_calls_transitions_and_rejections_are_counted() {
    recorded(|read| {
        let (map, now) = (map(4), Instant::now());
        let breakers: Vec<_> = (0..4).map(|key| map.breaker_at(&key, now)).collect();
        breakers[..3].iter().for_each(|breaker| fail(breaker, now));
        assert!(breakers[0].try_acquire_at(now).is_err());
        recover(&breakers[0], now + OPEN);
        let probe = breakers[1].try_acquire_at(now + OPEN).unwrap();
        breakers[3].force_open_at(now);
        let series = read();
        let expected = [
            ("evenkeel_breaker_key_calls_total name=hosts outcome=failure", 3.0),
            ("evenkeel_breaker_key_calls_total name=hosts outcome=success", 1.0),
            ("evenkeel_breaker_key_held_closed_total name=hosts", 1.0),
            ("evenkeel_breaker_key_rejections_total name=hosts", 1.0),
            ("evenkeel_breaker_key_transitions_total name=hosts to=closed", 1.0),
            ("evenkeel_breaker_key_transitions_total name=hosts to=forced_open", 1.0),
            ("evenkeel_breaker_key_transitions_total name=hosts to=half_open", 2.0),
            ("evenkeel_breaker_key_transitions_total name=hosts to=open", 2.0),
            ("evenkeel_breaker_keys name=hosts state=closed", 2.0),
            ("evenkeel_breaker_keys name=hosts state=forced_open", 1.0),
            ("evenkeel_breaker_keys name=hosts state=half_open", 1.0),
        ];
        assert_eq!(values(&series), expected);
        drop(probe);
        assert_eq!(read()["evenkeel_breaker_key_calls_total name=hosts outcome=ignored"], 1.0);
    });
}

// Hazard 60.
#[test]
fn ten_thousand_keys_leave_as_many_series_as_one_and_the_gauges_exact() {
    let names = |keys_in_all: u32| {
        recorded(|read| {
            let (map, now) = (map(100), Instant::now());
            for key in 0..keys_in_all {
                let breaker = map.breaker_at(&key, now);
                match key % 5 {
                    0 => fail(&breaker, now),
                    1 => breaker.force_closed_at(now),
                    _ => drop(breaker.try_acquire_at(now)),
                }
            }
            let series = read();
            let mut expected = [0.0; 5];
            map.snapshots().iter().for_each(|(_, shown)| expected[usize::from(shown.state.code())] += 1.0);
            assert_eq!(keys(&series), expected);
            assert_eq!(keys(&series).iter().sum::<f64>(), f64::from(keys_in_all.min(100)));
            let dropped = f64::from(keys_in_all.saturating_sub(100));
            assert_eq!(series["evenkeel_breaker_dropped_keys_total name=hosts"], dropped);
            drop(map);
            assert_eq!(keys(&read()), [0.0; 5], "nor is anything left when the map is gone");
            series.into_keys().collect::<Vec<_>>()
        })
    };
    let (one, many) = (names(1), names(10_000));
    assert_eq!(one, many, "no series for each key");
    assert_eq!(one.len(), 5 + 1 + 5 + 3 + 1 + 1);
}

#[test]
fn a_key_that_is_dropped_in_any_state_leaves_the_gauge() {
    recorded(|read| {
        let (map, now) = (map(10), Instant::now());
        fail(&map.breaker_at(&1, now), now);
        let held = map.breaker_at(&2, now);
        held.force_open_at(now);
        let _ = (map.remove(&1), map.remove(&2));
        assert_eq!(keys(&read()), [0.0, 0.0, 0.0, 1.0, 0.0], "one is held, and is what it is");
        held.reset_at(now);
        assert_eq!(keys(&read()), [1.0, 0.0, 0.0, 0.0, 0.0]);
        drop(held);
        assert_eq!(keys(&read()), [0.0; 5]);
    });
}

#[test]
fn metrics_need_no_durations_and_clones_count_into_the_same_series() {
    recorded(|read| {
        let metrics = BreakerMapMetrics::new("hosts");
        let (one, other) = (metrics.of_key(), metrics.clone().of_key());
        assert!(!one.wants_durations() && !other.wants_durations());
        assert_eq!(keys(&read())[0], 2.0);
        let shown = (format!("{metrics:?}"), format!("{one:?}"));
        assert_eq!(shown, ("BreakerMapMetrics { .. }".to_owned(), "KeyMetrics { .. }".to_owned()));
    });
}
