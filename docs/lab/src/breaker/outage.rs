//! A total outage, after so many successes.

use std::{ops::ControlFlow, time::Duration};

use super::{
    Plan, Row,
    client::{Builder, Client, Event, SPACING, Twist},
    ms, rounded,
};
use crate::rng::Rng;

/// What opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Consecutive,
    FailureRate,
    SlowRate,
    Any,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    None,
    Count,
    Time,
    Cumulative,
}

const KINDS: [(Window, Rule); 8] = [
    (Window::None, Rule::Consecutive),
    (Window::Count, Rule::FailureRate),
    (Window::Count, Rule::SlowRate),
    (Window::Count, Rule::Any),
    (Window::Time, Rule::FailureRate),
    (Window::Time, Rule::SlowRate),
    (Window::Time, Rule::Any),
    (Window::Cumulative, Rule::FailureRate),
];

/// The settings: the library's defaults, where it has some.
pub(super) const CONSECUTIVE: u32 = 10;
pub(super) const RATE: f64 = 0.5;
pub(super) const MINIMUM: u32 = 20;
pub(super) const COUNT: u32 = 100;
/// As long as 100 calls.
pub(super) const SPAN: Duration = Duration::from_secs(10);
/// Five times what an answer takes, and half of what the client waits.
pub(super) const SLOW: Duration = Duration::from_secs(1);

impl Plan {
    /// The figures of every rule after every warm-up, rule by rule.
    ///
    /// # Panics
    ///
    /// When there are no runs.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let of = |kind| self.warmups.iter().map(move |&warmup| self.row(kind, warmup));
        KINDS.into_iter().flat_map(of).collect()
    }

    fn row(&self, (window, rule): (Window, Rule), warmup: u32) -> Row {
        let runs: Vec<Seen> = (0..self.runs).map(|run| self.outage((window, rule), warmup, run)).collect();
        let mean = |of: fn(&Seen) -> f64| rounded(runs.iter().map(of).sum::<f64>() / runs.len() as f64);
        let first = runs.first().expect("at least one run");
        Row {
            window: window.name(),
            rule: rule.name(),
            warmup_successes: warmup,
            failures_to_open: first.opened.map(|_| first.failures),
            time_to_open_ms: first.opened.map(|time| rounded(ms(time))),
            calls_wasted: mean(|seen| seen.wasted.into()),
            time_to_recover_ms: mean(|seen| ms(seen.recovered)),
        }
    }

    fn outage(&self, (window, rule): (Window, Rule), warmup: u32, run: u32) -> Seen {
        let from = SPACING * warmup;
        let until = from + self.outage;
        let mut seen = Seen::default();
        client((window, rule), Rng::keyed(&[self.seed, run.into()]).next_u64()).run(
            |at| !(from..until).contains(&at),
            |at, event| {
                match event {
                    Event::Sent { up: false, .. } => seen.wasted += 1,
                    Event::Failed => seen.failures += u32::from(seen.opened.is_none()),
                    Event::Opened(_) => seen.opened = seen.opened.or(Some(at - from)),
                    Event::Sent { probe: false, .. } if at >= until => {
                        seen.recovered = at - until;
                        return ControlFlow::Break(());
                    }
                    Event::Sent { .. } | Event::Rejected { .. } => {}
                }
                ControlFlow::Continue(())
            },
        );
        seen
    }
}

fn client((window, rule): (Window, Rule), seed: u64) -> Client {
    let rules = |builder: Builder| match (window, rule) {
        (Window::Cumulative, _) => builder.consecutive_failures(1),
        _ => rule.set(window.set(builder)),
    };
    let twist = if window == Window::Cumulative { Twist::Cumulative { minimum: MINIMUM } } else { Twist::None };
    // The constants above.
    Client::new(rules, twist, seed).expect("rules that the breaker takes")
}

/// What became of one outage.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    wasted: u32,
    failures: u32,
    opened: Option<Duration>,
    recovered: Duration,
}

impl Rule {
    const fn name(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::Any => "any",
        }
    }

    fn set(self, builder: Builder) -> Builder {
        match self {
            Self::Consecutive => builder.consecutive_failures(CONSECUTIVE),
            Self::FailureRate => builder.failure_rate(RATE),
            Self::SlowRate => builder.slow_calls(SLOW, RATE),
            Self::Any => builder.consecutive_failures(CONSECUTIVE).failure_rate(RATE).slow_calls(SLOW, RATE),
        }
    }
}

impl Window {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Count => "count",
            Self::Time => "time",
            Self::Cumulative => "cumulative",
        }
    }

    fn set(self, builder: Builder) -> Builder {
        match self {
            Self::None | Self::Cumulative => builder,
            Self::Count => builder.count_window(COUNT).minimum_calls(MINIMUM),
            Self::Time => builder.time_window(SPAN).minimum_calls(MINIMUM),
        }
    }
}
