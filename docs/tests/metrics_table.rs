//! The table of metrics in the book is what the crates emit, and what their own docs say.
#![cfg(not(loom))]
#![allow(missing_docs)]
// Breakers are driven from some instant on.
#![allow(clippy::disallowed_methods)]

#[path = "support/emit.rs"]
mod emit;
#[path = "support/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};

use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder},
};
use table::{Kind, Series, Values, documented, parse};

/// A series as it was emitted.
#[derive(Debug)]
struct Emitted {
    kind: Kind,
    unit: Option<String>,
    labels: BTreeMap<String, BTreeSet<String>>,
    /// Something was counted, or shown that is not zero.
    is_alive: bool,
}

/// By name.
fn emitted() -> BTreeMap<String, Emitted> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let read = metrics::with_local_recorder(&recorder, || {
        let _alive = emit::all();
        snapshotter.snapshot().into_vec()
    });
    let mut series: BTreeMap<String, Emitted> = BTreeMap::new();
    for (key, unit, description, value) in read {
        let (kind, key) = (kind(key.kind()), key.key());
        assert!(description.is_some_and(|text| !text.is_empty()), "{key} is described");
        let unit = unit.map(|unit| unit.as_str().to_owned());
        let found = series.entry(key.name().to_owned());
        let found = found.or_insert(Emitted { kind, unit: unit.clone(), labels: BTreeMap::new(), is_alive: false });
        assert_eq!((found.kind, &found.unit), (kind, &unit), "{key}");
        let is_first = found.labels.is_empty();
        for label in key.labels() {
            assert!(is_first || found.labels.contains_key(label.key()), "{key}: all have the same labels");
            found.labels.entry(label.key().to_owned()).or_default().insert(label.value().to_owned());
        }
        assert_eq!(key.labels().len(), found.labels.len(), "{key}: all have the same labels");
        found.is_alive |= match value {
            DebugValue::Counter(count) => count > 0,
            DebugValue::Gauge(shown) => shown.0 != 0.0 && !shown.0.is_nan(),
            DebugValue::Histogram(samples) => !samples.is_empty(),
        };
    }
    series
}

fn kind(kind: MetricKind) -> Kind {
    match kind {
        MetricKind::Counter => Kind::Counter,
        MetricKind::Gauge => Kind::Gauge,
        MetricKind::Histogram => Kind::Histogram,
    }
}

fn names(series: &[Series]) -> BTreeSet<&str> {
    series.iter().map(|series| series.name.as_str()).collect()
}

#[test]
fn the_table_is_what_is_emitted() {
    let (documented, emitted) = (documented(), emitted());
    assert_eq!(names(&documented), emitted.keys().map(String::as_str).collect::<BTreeSet<_>>());
    for Series { name, kind, labels, unit, .. } in &documented {
        let seen = &emitted[name];
        assert_eq!((kind, unit), (&seen.kind, &seen.unit), "{name}");
        assert!(labels.keys().eq(seen.labels.keys()), "{name}: {labels:?}, {:?}", seen.labels);
        for (key, values) in labels {
            if let Values::Of(values) = values {
                assert_eq!(values, &seen.labels[key], "{key} of {name}");
            }
        }
    }
}

#[test]
fn every_series_shows_something_when_it_happens() {
    let silent: Vec<String> = emitted().into_iter().filter(|(_, seen)| !seen.is_alive).map(|(name, _)| name).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn names_labels_and_units_follow_one_scheme() {
    for Series { name, kind, labels, unit, .. } in documented() {
        let part = name.strip_prefix("evenkeel_").and_then(|rest| rest.split_once('_')).map(|(part, _)| part);
        assert!(part.is_some_and(|part| PARTS.contains(&part)), "{name}");
        assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert_eq!(unit.as_deref() == Some("seconds"), name.ends_with("_seconds"), "{name}");
        assert!(kind != Kind::Counter || unit.as_deref() == Some("count"), "{name}");
        assert!(unit.is_none_or(|unit| ["count", "seconds"].contains(&unit.as_str())), "{name}");
        // What an exporter makes of histograms.
        assert!(!["_count", "_sum", "_bucket"].iter().any(|suffix| name.ends_with(suffix)), "{name}");
        assert_eq!(labels.get("name"), Some(&Values::Open), "{name}");
        for (key, values) in &labels {
            assert!(LABELS.contains(&key.as_str()), "{key} of {name}");
            assert_eq!(*values == Values::Open, ["name", "alternate"].contains(&key.as_str()), "{key} of {name}");
        }
    }
}

const PARTS: [&str; 5] = ["retry", "budget", "throttle", "breaker", "hedge"];
const LABELS: [&str; 8] = ["name", "outcome", "cause", "reason", "state", "to", "priority", "alternate"];

/// The tables in the docs of the types that count.
const RUSTDOC: [&str; 6] = [
    include_str!("../../backoff/src/metrics.rs"),
    include_str!("../../budget/src/metrics/budget.rs"),
    include_str!("../../budget/src/metrics/throttle.rs"),
    include_str!("../../breaker/src/metrics/breaker.rs"),
    include_str!("../../breaker/src/metrics/map.rs"),
    include_str!("../../hedging/src/metrics/mod.rs"),
];

#[test]
fn the_docs_of_the_crates_say_the_same() {
    let rows =
        RUSTDOC.iter().flat_map(|source| source.lines()).filter_map(|line| line.strip_prefix("/// | `evenkeel_"));
    let said: BTreeMap<String, BTreeSet<&str>> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().and_then(|name| name.strip_suffix('`')).expect("the first cell is a name");
            let labels = cells.next().expect("the second cell has the labels").split('`');
            (format!("evenkeel_{name}"), labels.filter(|word| LABELS.contains(word)).collect())
        })
        .collect();
    let documented = documented();
    let expected: BTreeMap<String, BTreeSet<&str>> = documented
        .iter()
        .map(|series| (series.name.clone(), series.labels.keys().map(String::as_str).collect()))
        .collect();
    assert_eq!(said, expected);
}

/// Where series are named in the text.
const PAGES: [(&str, &str); 11] = [
    ("README.md", include_str!("../../README.md")),
    ("backoff/README.md", include_str!("../../backoff/README.md")),
    ("budget/README.md", include_str!("../../budget/README.md")),
    ("breaker/README.md", include_str!("../../breaker/README.md")),
    ("hedging/README.md", include_str!("../../hedging/README.md")),
    ("introduction.md", include_str!("../book/src/introduction.md")),
    ("backoff.md", include_str!("../book/src/backoff.md")),
    ("budget.md", include_str!("../book/src/budget.md")),
    ("breaker.md", include_str!("../book/src/breaker.md")),
    ("hedging.md", include_str!("../book/src/hedging.md")),
    ("metrics.md", table::CHAPTER),
];

#[test]
fn the_book_names_no_series_that_is_not_in_its_one_table() {
    let documented = documented();
    let mut exported: BTreeSet<String> = documented.iter().map(|series| series.name.clone()).collect();
    for histogram in documented.iter().filter(|series| series.kind == Kind::Histogram) {
        exported.extend(["bucket", "sum", "count"].map(|suffix| format!("{}_{suffix}", histogram.name)));
    }
    for (page, text) in PAGES {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let series = words.filter(|word| PARTS.iter().any(|part| word.starts_with(&format!("evenkeel_{part}_"))));
        for word in series {
            assert!(exported.contains(word), "{page}: {word}");
        }
        let is_here = text.lines().any(|line| line.starts_with("| `evenkeel_"));
        assert_eq!(is_here, page == "metrics.md", "{page}: there is one table");
    }
}

#[test]
fn a_table_is_read_as_it_is_written() {
    let head = "Before.\n\n| other |\n| --- |\n| a |\n\n| series | kind | labels | unit | shows |\n| --- | --- | --- | --- | --- |\n";
    let read = parse(&format!("{head}| `a_total` | counter | `name`, `to`: `b` `c` | count | what |\n\n| `d` | e |\n"));
    let labels = [("name", Values::Open), ("to", Values::Of(["b", "c"].map(str::to_owned).into()))];
    let labels = labels.map(|(key, values)| (key.to_owned(), values)).into();
    let (name, unit, shows) = ("a_total".to_owned(), Some("count".to_owned()), "what".to_owned());
    assert_eq!(read, [Series { name, kind: Kind::Counter, labels, unit, shows }]);
    for refused in
        ["| a | gauge | `name` | | |", "| `a` | gauge | name | | |", "| `a` | rate | `name` | | |", "| `a` | gauge |"]
    {
        assert!(std::panic::catch_unwind(|| parse(&format!("{head}{refused}\n"))).is_err(), "{refused}");
    }
}
