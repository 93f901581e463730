//! What a run comes to: the figures of the table and of `--json`.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{client::Sent, incident::Incident, load::Record, provider::Provider};
use crate::stats::Latencies;

/// All that was seen of one strategy.
#[derive(Clone, Debug)]
pub struct Run {
    /// The strategy.
    pub name: &'static str,
    /// What became of each request.
    pub records: Vec<Record>,
    /// Each attempt that was sent.
    pub sent: Vec<Sent>,
    /// When each attempt reached the primary, by its own account. Those that were refused never did.
    pub received: Vec<Duration>,
}

impl Run {
    /// The attempts that were sent to that provider.
    pub fn sent_to(&self, provider: Provider) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(move |sent| sent.to == provider)
    }
}

/// The object that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The seed of all draws.
    pub seed: u64,
    /// How long each strategy's incident took.
    pub seconds: f64,
    /// In the order in which they ran.
    pub strategies: Vec<Figures>,
}

/// One strategy's figures. Percentiles are of answered requests; times are the demo's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The strategy.
    pub name: &'static str,
    /// Requests that began.
    pub requests: u64,
    /// Those whose caller had a 2xx within its patience.
    pub answered: u64,
    /// `answered` per request.
    pub answered_share: f64,
    /// Of the requests begun in the outage, the share that was answered; none if none began in it.
    pub outage_answered_share: Option<f64>,
    /// Half of the answered took no longer; none if none was answered.
    pub p50_ms: Option<f64>,
    /// 95 % of the answered took no longer.
    pub p95_ms: Option<f64>,
    /// 99 % of the answered took no longer.
    pub p99_ms: Option<f64>,
    /// Attempts sent to the primary, refused connections included.
    pub upstream_calls: u64,
    /// `upstream_calls` per request.
    pub amplification: f64,
    /// Attempts sent to the primary during the outage per request begun in it; none if none began in it.
    pub outage_amplification: Option<f64>,
    /// From the end of the outage to the **beginning** of the first window of 500 ms (see [`RECOVERY_WINDOW`]) of which
    /// 95 % of the requests are answered: 0 when that is the case at once, and always a multiple of a tenth of the window;
    /// none if there is no such window.
    pub recovery_ms: Option<f64>,
    /// Answered requests by who answered them; their sum is `answered`.
    pub by_alternate: ByProvider,
    /// Attempts sent to each, refused connections included; the primary's are `upstream_calls`.
    pub calls_by_alternate: ByProvider,
}

/// A count for each provider, by its name.
pub type ByProvider = BTreeMap<&'static str, u64>;

/// Requests that begin within it are judged together. In a recovery that is shorter than two of them, half of it.
pub const RECOVERY_WINDOW: Duration = Duration::from_millis(500);

impl Figures {
    /// The figures of `run`.
    #[must_use]
    pub fn of(run: &Run, incident: &Incident) -> Self {
        let latencies: Latencies = run.records.iter().filter_map(|record| record.latency).collect();
        let outage = incident.outage();
        let begun_in_outage = run.records.iter().filter(|record| outage.contains(&record.at));
        let (begun_in_outage, answered_in_outage) = tally(begun_in_outage);
        let sent_in_outage = run.sent_to(Provider::Primary).filter(|sent| outage.contains(&sent.at)).count() as u64;
        let (requests, answered) = (run.records.len() as u64, latencies.len());
        let calls = |provider| run.sent_to(provider).count() as u64;
        let answers = |provider| run.records.iter().filter(|record| record.by == Some(provider)).count() as u64;
        let upstream_calls = calls(Provider::Primary);
        Self {
            name: run.name,
            requests,
            answered,
            answered_share: round(share(answered, requests).unwrap_or(0.0), 4),
            outage_answered_share: share(answered_in_outage, begun_in_outage).map(|share| round(share, 4)),
            p50_ms: latencies.quantile_ms(0.50).map(|ms| round(ms, 1)),
            p95_ms: latencies.quantile_ms(0.95).map(|ms| round(ms, 1)),
            p99_ms: latencies.quantile_ms(0.99).map(|ms| round(ms, 1)),
            upstream_calls,
            amplification: round(share(upstream_calls, requests).unwrap_or(0.0), 3),
            outage_amplification: share(sent_in_outage, begun_in_outage).map(|share| round(share, 3)),
            recovery_ms: recovery(&run.records, incident).map(|time| round(time.as_secs_f64() * 1_000.0, 1)),
            by_alternate: by_provider(answers),
            calls_by_alternate: by_provider(calls),
        }
    }
}

/// From the end of the outage to the beginning of the first window of which 95 % of the requests are answered.
fn recovery(records: &[Record], incident: &Incident) -> Option<Duration> {
    let (begin, end) = (incident.outage().end, incident.length());
    let window = RECOVERY_WINDOW.min((end - begin) / 2);
    let step = window / 10;
    let mut from = begin;
    while !step.is_zero() && from + window <= end {
        let (all, answered) = tally(records.iter().filter(|record| (from..from + window).contains(&record.at)));
        if share(answered, all).is_some_and(|share| share >= 0.95) {
            return Some(from - begin);
        }
        from += step;
    }
    None
}

/// How many there are, and how many of them are answered.
fn tally<'a>(records: impl Iterator<Item = &'a Record>) -> (u64, u64) {
    records.fold((0, 0), |(all, answered), record| (all + 1, answered + u64::from(record.latency.is_some())))
}

fn by_provider(count: impl Fn(Provider) -> u64) -> ByProvider {
    Provider::ALL.map(|provider| (provider.name(), count(provider))).into()
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCIDENT: Incident = Incident::new(Duration::from_secs(8));
    const MS: Duration = Duration::from_millis(1);

    /// One that began at that time, and was answered after so long, in ms.
    fn record(at: u32, latency: Option<u32>) -> Record {
        Record { at: MS * at, latency: latency.map(|ms| MS * ms), by: latency.map(|_| Provider::Primary) }
    }

    /// A request each 10 ms, and whether those that begin at such a time (in ms) are answered.
    fn records(answered: impl Fn(u32) -> bool) -> Vec<Record> {
        (0..800).map(|n| n * 10).map(|at| record(at, answered(at).then_some(20))).collect()
    }

    /// With attempts that were sent to the primary at those times.
    fn run(records: Vec<Record>, sent: &[u32]) -> Run {
        let sent: Vec<Sent> = sent.iter().map(|at| Sent { to: Provider::Primary, at: MS * *at }).collect();
        Run { name: "some", received: sent.iter().map(|sent| sent.at).collect(), records, sent }
    }

    #[test]
    fn a_service_that_answers_at_once_has_recovered_at_once() {
        assert_eq!(recovery(&records(|_| true), &INCIDENT), Some(Duration::ZERO));
    }

    #[test]
    fn the_first_good_window_counts_and_not_the_last_failure() {
        // Windows begin in steps of 50 ms: the one from 6,900 has 3 failures among 50, which is more than 5 %.
        let late = records(|at| at >= 6_930 && at != 7_500);
        assert_eq!(recovery(&late, &INCIDENT), Some(MS * 750));
    }

    #[test]
    fn one_in_twenty_may_fail() {
        assert_eq!(recovery(&records(|at| at % 250 != 0), &INCIDENT), Some(Duration::ZERO), "1 of 25");
        assert_eq!(recovery(&records(|at| at % 100 != 0), &INCIDENT), None, "1 of 10");
    }

    #[test]
    fn a_short_recovery_has_a_shorter_window() {
        let incident = Incident::new(MS * 1_000);
        let few: Vec<Record> = [800, 850, 900].map(|at| record(at, Some(1))).to_vec();
        assert_eq!(recovery(&few, &incident), Some(Duration::ZERO));
        assert_eq!(recovery(&[], &incident), None);
    }

    #[test]
    fn the_outage_counts_what_was_sent_in_it_by_whomever() {
        let records = vec![record(4_199, Some(7)), record(5_000, None), record(5_500, None)];
        let figures = Figures::of(&run(records, &[4_199, 4_200, 5_000, 6_199, 6_200]), &INCIDENT);
        assert_eq!(figures.outage_amplification, Some(1.5));
        assert_eq!(figures.upstream_calls, 5);
        assert_eq!((figures.requests, figures.answered), (3, 1));
        assert_eq!(figures.answered_share, 0.3333);
        assert_eq!((figures.p99_ms, figures.outage_answered_share), (Some(7.0), Some(0.0)));
        assert_eq!(figures.by_alternate, BTreeMap::from([("primary", 1), ("secondary", 0)]));
    }

    #[test]
    fn the_load_is_the_primarys_and_answers_and_calls_are_counted_for_each() {
        let elsewhere = Record { by: Some(Provider::Secondary), ..record(5_000, Some(60)) };
        let mut run = run(vec![record(100, Some(20)), elsewhere, record(5_500, None)], &[100, 5_000]);
        run.sent.extend([5_001, 5_500].map(|at| Sent { to: Provider::Secondary, at: MS * at }));
        let figures = Figures::of(&run, &INCIDENT);
        assert_eq!((figures.upstream_calls, figures.amplification), (2, 0.667));
        assert_eq!((figures.outage_amplification, figures.outage_answered_share), (Some(0.5), Some(0.5)));
        assert_eq!(figures.by_alternate, BTreeMap::from([("primary", 1), ("secondary", 1)]));
        assert_eq!(figures.calls_by_alternate, BTreeMap::from([("primary", 2), ("secondary", 2)]));
    }

    #[test]
    fn a_run_without_requests_has_no_figures_to_divide_by() {
        let figures = Figures::of(&run(Vec::new(), &[]), &INCIDENT);
        assert_eq!((figures.answered_share, figures.amplification), (0.0, 0.0));
        assert_eq!((figures.p50_ms, figures.outage_amplification, figures.recovery_ms), (None, None, None));
    }

    #[test]
    fn the_json_has_exactly_the_keys_that_are_promised() {
        let figures = Figures::of(&run(records(|_| true), &[0]), &INCIDENT);
        let summary = Summary { seed: 1, seconds: 8.0, strategies: vec![figures] };
        let json = serde_json::to_value(summary).unwrap_or_default();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
        };
        assert_eq!(keys(&json), ["seconds", "seed", "strategies"], "sorted, as serde_json's map is");
        let mut promised = [
            "name",
            "requests",
            "answered",
            "answered_share",
            "outage_answered_share",
            "p50_ms",
            "p95_ms",
            "p99_ms",
            "upstream_calls",
            "amplification",
            "outage_amplification",
            "recovery_ms",
            "by_alternate",
            "calls_by_alternate",
        ];
        promised.sort_unstable();
        let mut present = keys(&json["strategies"][0]);
        present.sort_unstable();
        assert_eq!(present, promised);
    }
}
