//! The demo's `--metrics`, scraped over HTTP while its own strategy lives through an incident, and after it.

#![allow(missing_docs)]
// How long a program of its own has run at the most.
#![allow(clippy::disallowed_methods)]

#[path = "support/adds_up.rs"]
mod adds_up;
#[path = "support/exposition.rs"]
mod exposition;
#[path = "support/program.rs"]
mod program;
#[path = "../../tests/support/table.rs"]
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use adds_up::{check_at_rest, check_between};
use exposition::Exposition;
use program::{Demo, WORKERS, command};
use table::{Kind, Series, Values, documented};

/// What a scrape may not show: a series of ours that is not in the table.
fn check_nothing_else(seen: &Exposition, documented: &[Series]) {
    let names: BTreeSet<&str> = documented.iter().map(|series| series.name.as_str()).collect();
    for series in seen.kinds.keys() {
        assert!(names.contains(series.as_str()) || series.starts_with("demo_"), "{series} is not documented");
        assert!(seen.help.contains_key(series), "{series} has no help");
    }
}

/// What a scrape must show: all of the table, with these labels and no others.
fn check_all(seen: &Exposition, documented: &[Series]) {
    for Series { name, kind, labels, .. } in documented {
        assert_eq!(seen.kinds.get(name).map(String::as_str), Some(kind.as_str()), "{name}");
        let lines: &[&str] = if *kind == Kind::Histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
        for line in lines.iter().map(|suffix| format!("{name}{suffix}")) {
            let mut shown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (key, value) in seen.samples.keys().filter(|sample| sample.name == line).flat_map(|s| &s.labels) {
                shown.entry(key).or_default().insert(value);
            }
            let buckets = shown.remove("le");
            assert_eq!(buckets.is_some_and(|le| le.len() > 2), line.ends_with("_bucket"), "{line}: true histograms");
            assert!(shown.keys().eq(labels.keys()), "{line}: {shown:?}, {labels:?}");
            for (key, values) in labels {
                if let Values::Of(values) = values {
                    assert!(shown[key.as_str()].iter().eq(values), "{key} of {line}: {shown:?}");
                }
            }
        }
    }
}

/// Prometheus's text has no place for a unit but the name: the exporter puts a missing one there, so a series of another unit
/// than its name says, or of none, would be there under another name. And what is said to be seconds is: nothing has taken
/// longer than the program runs, and some calls have taken their millisecond.
fn check_units(seen: &Exposition, documented: &[Series], runs: Duration) {
    let runs = runs.as_secs_f64();
    for Series { name, kind, unit, .. } in documented {
        assert_eq!(name.ends_with("_total"), seen.kinds[name] == "counter", "{name}");
        assert_eq!(name.ends_with("_seconds"), unit.as_deref() == Some("seconds"), "{name}");
        if unit.as_deref() != Some("seconds") {
            continue;
        }
        if *kind == Kind::Histogram {
            let [sum, count] = ["sum", "count"].map(|line| seen.sum(&format!("{name}_{line}"), &[]));
            assert!(sum <= count * runs, "{name}: {sum} s of {count}");
        } else {
            let shown = seen.sum(name, &[]);
            assert!(shown.is_nan() || (0.0..runs).contains(&shown), "{name}: {shown}");
        }
    }
    let [sum, count] = ["sum", "count"].map(|line| seen.sum(&format!("evenkeel_breaker_call_seconds_{line}"), &[]));
    assert!(sum > count * 0.001, "{sum} s of {count}");
}

/// Nothing that counts has become less; returns whether anything has grown.
fn has_grown(earlier: &Exposition, later: &Exposition) -> bool {
    let now: BTreeMap<_, _> = later.counted().collect();
    for (sample, before) in earlier.counted() {
        assert!(now.get(sample).is_some_and(|now| *now >= before), "{sample:?}: {before}, {:?}", now.get(sample));
    }
    now.values().sum::<f64>() > earlier.counted().map(|(_, value)| value).sum()
}

/// It lingers until it is killed.
const INCIDENT: [&str; 7] = ["--only", "evenkeel", "--seconds", "2", "--json", "--linger", "3600"];

#[test]
fn every_documented_series_is_there_in_an_incident_and_no_other_and_they_add_up_then_and_after_it() {
    let begun = Instant::now();
    let mut demo = Demo::start(&INCIDENT);
    let documented = documented();
    let mut last = Exposition::default();
    let (mut grew, mut in_outage, mut was_complete, mut is_over) = (0, 0, false, false);
    // As often as it answers, until the strategy and its breakers are gone.
    while !is_over {
        let seen = demo.scrape().expect("it lingers");
        check_nothing_else(&seen, &documented);
        grew += u32::from(has_grown(&last, &seen));
        // The throttle is made last. A page that was begun before it was there may have a part of the rest.
        let is_complete = last.kinds.contains_key("evenkeel_throttle_accepts_total");
        if was_complete {
            check_between(&last, &seen, f64::from(WORKERS));
        }
        if is_complete {
            is_over = seen.sum("evenkeel_breaker_dropped_keys_total", &[]) == 2.0;
            let opened = [("name", "primary"), ("to", "open")];
            if !is_over && seen.sum("evenkeel_breaker_transitions_total", &opened) > 0.0 {
                in_outage += 1;
                check_all(&seen, &documented);
                check_units(&seen, &documented, begun.elapsed());
            }
        }
        (was_complete, last) = (is_complete, seen);
    }
    assert!(grew > 5, "seen to grow {grew} times");
    assert!(in_outage > 0, "it ended without an outage");

    let figures = demo.figures();
    let last = demo.scrape().expect("it lingers");
    check_all(&last, &documented);
    check_at_rest(&figures, &last);
}

#[test]
fn it_ends_by_itself_and_closes_the_port() {
    let mut demo = Demo::start(&["--only", "none", "--seconds", "0.5", "--rps", "20", "--linger", "0.1"]);
    assert!(demo.end());
    assert!(demo.scrape().is_none());
}

#[test]
fn there_is_one_page() {
    let demo = Demo::start(&["--only", "none"]);
    for path in ["/", "/metrics/", "/metric", "/favicon.ico"] {
        let (head, body) = demo.get(path).expect("it runs for seconds");
        assert!(head.starts_with("HTTP/1.1 404 ") && body.is_empty(), "{path}: {head}");
    }
    let (head, _) = demo.get("/metrics?from=here").expect("it runs for seconds");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let output = command(&["--only", "none", "--metrics", &address]).output().expect("the demo, which cargo has built");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&address), "{said}");
}
