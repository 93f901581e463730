//! The arguments of the demo, and what is legal.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Parser,
    builder::{PossibleValue, PossibleValuesParser},
};

use super::strategies::{self, Entry, Setup};

/// Strategies of retrying live through the same incident of a model API, and are compared.
///
/// Real HTTP requests over loopback TCP go to a real server in this program, which is calm at first (median 20 ms), then
/// slow and failing (up to 500 ms, 15 % errors, some 429), then down (connections refused, then 503 to all), then well
/// again. A second server is slower (median 60 ms) and well all the time; who knows it may ask it instead. Time is compressed
/// 10:1: a wait of 5 s in a script is 0.5 s here.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", bin_name = "cargo xtask demo", after_help = LEGEND)]
pub struct Args {
    /// Seed of all draws: arrivals, latencies, failures, jitter
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// How long the incident takes, for each strategy; under 4 s, patient ones wait longer than its phases last
    #[arg(long, value_name = "SECONDS", default_value_t = 8.0, value_parser = seconds)]
    pub seconds: f64,

    /// Requests per second; the servers' capacity is sized by it
    #[arg(long, value_name = "RATE", default_value_t = 200.0, value_parser = rate)]
    pub rps: f64,

    /// How long a caller waits for its answer, in the demo's time (3 s are 30 s of life)
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, value_parser = patience)]
    pub patience: f64,

    /// Run only this strategy; may be repeated
    #[arg(long, value_name = "NAME", value_parser = names())]
    pub only: Vec<String>,

    /// Where the report is written
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    pub report: PathBuf,

    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,

    /// Serve what is counted while they run, under /metrics at ADDR; port 0 takes a free one, and its URL is printed
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,

    /// Serve it for so long after the run as well, for a Prometheus that comes by every 15 s; an interrupt ends it
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = linger, requires = "metrics")]
    pub linger: f64,
}

impl Args {
    /// The strategies to run, in the order of the report.
    #[must_use]
    pub fn strategies(&self) -> Vec<&'static Entry> {
        let wanted = |entry: &&Entry| self.only.is_empty() || self.only.iter().any(|name| name == entry.name);
        strategies::ALL.iter().filter(wanted).collect()
    }

    /// What the reader of the figures must be told, if anything.
    #[must_use]
    pub fn caution(&self) -> Option<String> {
        let requests = self.rps * self.seconds;
        (requests < ENOUGH).then(|| {
            format!("note: some {requests:.0} requests for each strategy are few; the figures need {ENOUGH} and more")
        })
    }

    /// How long one incident takes.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// How long the metrics are served when all has been run.
    #[must_use]
    pub fn lingering(&self) -> Duration {
        Duration::from_secs_f64(self.linger)
    }

    /// What the strategies are told.
    #[must_use]
    pub fn setup(&self) -> Setup {
        Setup { seed: self.seed, rps: self.rps, patience: Duration::from_secs_f64(self.patience) }
    }
}

const LEGEND: &str = "\
answered       the caller had a 2xx within its patience; latencies are those of the answered
in outage      of the requests begun in it
upstream       attempts sent to the primary server, refused connections included
amplification  those per request; in the outage: those sent in it per request begun in it
recovery       from the end of the outage until 95 % of the requests in a window of 500 ms are answered,
               to the beginning of that window
answered by    the primary + the secondary server, which only `evenkeel` knows; so with `calls to`

The secondary is slower (median 60 ms), takes the same load, and fails one request in 200. The budget of `evenkeel` is sized by
the load. Under 100 requests a second or 4 s all figures are of few requests.";

/// With fewer requests than this, what is seen is chance more than strategy.
const ENOUGH: f64 = 800.0;

fn names() -> PossibleValuesParser {
    strategies::ALL.iter().map(|entry| PossibleValue::new(entry.name).help(entry.about)).into()
}

/// Shorter, and no phase has a request; longer, and it is not a demo.
fn seconds(text: &str) -> Result<f64, String> {
    within(text, 0.5, 600.0)
}

/// More, and the machine would be measured rather than the strategies.
fn rate(text: &str) -> Result<f64, String> {
    within(text, 1.0, 1_000.0)
}

fn patience(text: &str) -> Result<f64, String> {
    within(text, 0.05, 60.0)
}

/// Up to a day.
fn linger(text: &str) -> Result<f64, String> {
    within(text, 0.0, 86_400.0)
}

fn within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("a number from {low} to {high} is wanted"))?;
    // NaN is in no range.
    if (low..=high).contains(&value) { Ok(value) } else { Err(format!("it must be from {low} to {high}")) }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["demo"], args].concat())
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_defaults_stay_under_a_minute() {
        let args = parse(&[]).unwrap();
        let drained = args.length() + args.setup().patience;
        assert!(drained * u32::try_from(args.strategies().len()).unwrap() < Duration::from_secs(60));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_status_2() {
        for flag in ["--seconds", "--rps", "--patience"] {
            for value in ["0", "-1", "NaN", "inf", "1e9", "", "many"] {
                let error = parse(&[&format!("{flag}={value}")]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ValueValidation, "{flag} {value}");
                assert_eq!(error.exit_code(), 2);
            }
        }
        assert_eq!(parse(&["--seed", "-1"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["--colour"]).unwrap_err().exit_code(), 2);
        assert_eq!(parse(&["--report"]).unwrap_err().exit_code(), 2);
        for address in ["", "9090", "localhost", "127.0.0.1", "127.0.0.1:65536", "http://127.0.0.1:9090/metrics"] {
            let error = parse(&["--metrics", address]).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (ErrorKind::ValueValidation, 2), "{address}");
        }
    }

    #[test]
    fn nothing_lingers_unless_it_is_asked_to_and_there_is_something_to_serve() {
        let served = ["--metrics", "127.0.0.1:0"];
        assert_eq!(parse(&served).unwrap().lingering(), Duration::ZERO);
        let lingering = |time| parse(&[&served[..], &["--linger", time]].concat());
        assert_eq!(lingering("1.5").unwrap().lingering(), Duration::from_millis(1_500));
        for time in ["-1", "NaN", "inf", "1e9", "", "long"] {
            assert!(lingering(time).is_err(), "{time}");
        }
        assert_eq!(parse(&["--linger", "1"]).unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn an_unknown_strategy_is_refused_and_the_known_are_listed() {
        let error = parse(&["--only", "hope"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        for entry in strategies::ALL {
            assert!(message.contains(entry.name), "{message}");
        }
    }

    #[test]
    fn few_requests_are_warned_of() {
        let caution = |args: &[&str]| parse(args).unwrap().caution();
        assert_eq!(caution(&[]), None);
        assert_eq!(caution(&["--rps", "100"]), None);
        assert!(caution(&["--rps", "50"]).is_some_and(|note| note.contains("400")));
    }

    #[test]
    fn only_selects_in_the_order_of_the_report() {
        let names =
            |args: &[&str]| -> Vec<&str> { parse(args).unwrap().strategies().iter().map(|entry| entry.name).collect() };
        assert_eq!(names(&["--only", "tenacity", "--only", "none", "--only", "none"]), ["none", "tenacity"]);
        assert_eq!(names(&[]).len(), strategies::ALL.len());
    }
}
