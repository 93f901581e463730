//! The figures of the outage as tables and charts.

use std::{collections::BTreeMap, io};

use super::{Plan, Run, Second, Strategy};
use crate::{
    chart::{
        self, Band, Line, Panel, Scale,
        colours::{self, Colour},
    },
    sheet::{Parts, Sheet},
};

impl Plan {
    /// Carries it out, and shows the rows.
    ///
    /// # Errors
    ///
    /// As [`Parts::sheet`]; here there is no reason.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    pub fn sheet(&self) -> io::Result<Sheet> {
        let (runs, variants) = self.with_variants();
        let rows: Vec<_> = runs.iter().map(|run| run.row).collect();
        let lines: Vec<_> = runs.iter().map(|run| &run.line).collect();
        Parts {
            rows: &rows,
            more: BTreeMap::from([
                ("time_lines", serde_json::to_value(lines)?),
                ("variants", serde_json::to_value(variants.iter().map(|run| run.row).collect::<Vec<_>>())?),
            ]),
            about: self.about(),
            tables: vec![
                (
                    "The peak over all, attempts per request in the outage, goodput in the minute after it, and the share of \
                     users who were answered of those who asked in it and after it",
                    table(&runs),
                ),
                ("The same with a budget that is too large for its client", table(&variants)),
            ],
            notes: NOTES,
            panels: vec![
                self.panel(&runs, "What comes to the service", "attempts (× capacity, mean of a second)", |second| second.load),
                self.panel(&runs, "Who is answered", "users answered (× capacity, mean of a second)", |second| second.goodput),
            ],
        }
        .sheet()
    }

    /// The strategies, and apart from them what is not compared but worth a line.
    fn with_variants(&self) -> (Vec<Run>, Vec<Run>) {
        let strategies = [&self.strategies[..], &[Strategy::LargeBudget]].concat();
        let mut runs = Self { strategies, ..self.clone() }.runs();
        let variants = runs.split_off(self.strategies.len());
        (runs, variants)
    }

    fn about(&self) -> String {
        let Self { clients, per_client, outage, before, after, load, .. } = self;
        format!(
            "\
{clients} clients with {per_client} requests a second each, in virtual time: {load} of what the service can do. It is well for {before:?}, down
for {outage:?}, and watched for {after:?} more."
        )
    }

    fn panel(&self, runs: &[Run], title: &str, y_label: &str, value: fn(&Second) -> f64) -> Panel {
        let line = |run: &Run| {
            let (colour, width) = look(run.row.strategy);
            let points = run.line.seconds.iter().map(|second| (second.at_s, Some(value(second)))).collect();
            Line { label: run.row.strategy.to_owned(), colour, width, points }
        };
        let lines: Vec<Line> = runs.iter().map(line).collect();
        Panel {
            title: title.to_owned(),
            x_label: "time since the outage began (s)".to_owned(),
            y_label: y_label.to_owned(),
            x: -self.before.as_secs_f64()..(self.outage + self.after).as_secs_f64(),
            y: 0.0..chart::top(&lines, 1.2),
            scale: Scale::Linear,
            bands: vec![Band {
                label: "outage".to_owned(),
                x: 0.0..self.outage.as_secs_f64(),
                shade: (colours::GREY, 0.15),
            }],
            lines,
        }
    }
}

const NOTES: &str = "\
none         one attempt, and that is it
naive        three more, at once
exponential  three more, after 100, 200 and 400 ms
jittered     the same, each wait drawn from zero to that (full jitter)
budget       jittered, paid from TokenBudget::grpc(10.0, 0.1) of each client: no retries when half of the ten tokens are gone
large budget  the same from TokenBudget::default() of each client: 500 tokens, 35 retries
breaker      the same, and each client has a breaker under its retries: open at five failures in a row, for 1, 2, 4, 8, 10 s
Loads are in units of what the service can do; the peak is that of half a second, a point of a chart
the mean of a second. Recovered is it when in every half second
from then on 95 % of those who ask are answered. A request takes 100 ms of a worker's time; attempts are given up after 1 s, and
the line before the workers is 2 s long: whoever comes through it when it is full has been given up.";

fn table(runs: &[Run]) -> Vec<Vec<String>> {
    let head = [
        "strategy",
        "peak load",
        "attempts per request",
        "goodput after",
        "recovered after",
        "answered in it",
        "answered after",
    ];
    let line = |run: &Run| {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        vec![
            run.row.strategy.to_owned(),
            format!("{:.2}", run.row.peak_load),
            format!("{:.2}", run.row.outage_amplification),
            format!("{:.2}", run.row.goodput_after),
            run.row.recovery_ms.map_or_else(|| "never".to_owned(), |ms| format!("{:.1} s", ms / 1_000.0)),
            percent(run.line.answered_in_outage),
            percent(run.line.answered_after),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(runs.iter().map(line)).collect()
}

/// The colour and the width of the line, in pixels.
fn look(strategy: &str) -> (Colour, u32) {
    let named = Strategy::ALL.into_iter().find(|known| known.name() == strategy);
    match named {
        // Wide, for where the budget is spent it lies on it.
        Some(Strategy::None) | None => (colours::GREY, 6),
        Some(Strategy::Naive) => (colours::ORANGE, 2),
        Some(Strategy::Exponential) => (colours::PURPLE, 2),
        Some(Strategy::Jittered) => (colours::AMBER, 2),
        Some(Strategy::Budget | Strategy::LargeBudget) => (colours::BLUE, 2),
        Some(Strategy::Breaker) => (colours::GREEN, 2),
    }
}
