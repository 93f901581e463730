//! What a recorder was told.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};

/// The series that `f` leaves, with those that are zero. Each is described, and the names are without our prefix.
pub(crate) fn series_of(f: impl FnOnce()) -> BTreeMap<String, f64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, f);
    let read = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, description, value)| {
        assert!(description.is_some(), "{key:?} is described");
        let labels: String = key.key().labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        let name = key.key().name().strip_prefix("evenkeel_hedge_").expect("ours");
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(gauge) => gauge.0,
            DebugValue::Histogram(_) => panic!("{name} is a histogram"),
        };
        (format!("{name}{labels}"), value)
    });
    read.collect()
}

/// Those that are not zero.
pub(crate) fn counted(series: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    series.iter().map(|(name, value)| (name.as_str(), *value)).filter(|(_, value)| *value != 0.0).collect()
}
