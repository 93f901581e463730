//! A run over time: what the report draws.

use std::time::Duration;

use super::{incident::Incident, provider::Provider, summary::Run};
use crate::stats::Latencies;

/// What was seen in one fortieth of the incident. Phases begin and end with one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// Its middle, in seconds since the start.
    pub at: f64,
    /// Requests begun in it, per second.
    pub offered: f64,
    /// Attempts sent to the primary in it, per second.
    pub sent: f64,
    /// Attempts sent to the secondary in it, per second.
    pub sent_elsewhere: f64,
    /// Attempts that reached the primary in it, per second: not the refused ones.
    pub received: f64,
    /// The share of the requests begun in it that were answered; none if none began.
    pub answered: Option<f64>,
    /// Half of those answered took no longer, in ms.
    pub p50: Option<f64>,
    /// 95 % of those answered took no longer, in ms.
    pub p95: Option<f64>,
}

/// The slices of `run`, in order. Attempts sent after the last request began are beyond them.
#[must_use]
pub fn timeline(run: &Run, incident: &Incident) -> Vec<Slice> {
    let width = incident.length() / SLICES;
    let slice = |n: u32| {
        let within = |at: Duration| at >= width * n && at < width * (n + 1);
        let begun = run.records.iter().filter(|record| within(record.at));
        let latencies: Latencies = begun.clone().filter_map(|record| record.latency).collect();
        let offered = begun.count();
        let sent = |to| run.sent_to(to).filter(|sent| within(sent.at)).count();
        let received = run.received.iter().filter(|at| within(**at)).count();
        Slice {
            at: width.as_secs_f64() * (f64::from(n) + 0.5),
            offered: offered as f64 / width.as_secs_f64(),
            sent: sent(Provider::Primary) as f64 / width.as_secs_f64(),
            sent_elsewhere: sent(Provider::Secondary) as f64 / width.as_secs_f64(),
            received: received as f64 / width.as_secs_f64(),
            answered: (offered > 0).then(|| latencies.len() as f64 / offered as f64),
            p50: latencies.quantile_ms(0.50),
            p95: latencies.quantile_ms(0.95),
        }
    };
    (0..SLICES).map(slice).collect()
}

const SLICES: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{client::Sent, load::Record};

    #[test]
    fn a_slice_counts_what_began_and_what_was_sent_in_it() {
        let ms = Duration::from_millis;
        use Provider::{Primary, Secondary};
        let record = |at, latency: Option<u64>| Record { at: ms(at), latency: latency.map(ms), by: None };
        let run = Run {
            name: "some",
            records: vec![record(0, Some(10)), record(99, None), record(100, None), record(3_999, Some(30))],
            sent: [(0, Primary), (99, Primary), (99, Primary), (99, Secondary), (150, Primary), (4_500, Primary)]
                .map(|(at, to)| Sent { to, at: ms(at) })
                .to_vec(),
            received: [1, 100, 151].map(ms).to_vec(),
        };
        let slices = timeline(&run, &Incident::new(ms(4_000)));
        assert_eq!(slices.len(), 40);
        let first = slices[0];
        assert!((first.at - 0.05).abs() < 1e-9);
        assert!((first.offered - 20.0).abs() < 1e-9 && (first.sent - 30.0).abs() < 1e-9);
        assert!((first.sent_elsewhere - 10.0).abs() < 1e-9 && slices[1].sent_elsewhere == 0.0);
        assert!((first.received - 10.0).abs() < 1e-9 && (slices[1].received - 20.0).abs() < 1e-9);
        assert_eq!((first.answered, slices[1].answered, slices[2].answered), (Some(0.5), Some(0.0), None));
        assert_eq!((slices[39].answered, slices[39].sent), (Some(1.0), 0.0));
    }
}
