//! The figures of the contention as tables and charts.

use std::{collections::BTreeMap, io, iter, ops::Range};

use super::{Plan, Row, Strategy};
use crate::{
    chart::{
        Line, Panel, Scale,
        colours::{self, Colour},
    },
    sheet::{Parts, Sheet},
};

impl Plan {
    /// Carries it out, and shows the rows.
    ///
    /// # Errors
    ///
    /// When fewer than two numbers of clients are compared, which make no line; else as [`Parts::sheet`].
    pub fn sheet(&self) -> io::Result<Sheet> {
        let rows = self.rows();
        let variants = self.variants();
        Parts {
            rows: &rows,
            more: BTreeMap::from([("variants", serde_json::to_value(&variants)?)]),
            about: format!(
                "{ABOUT}\nA figure is the mean of {} runs; messages have the same luck in all strategies.",
                self.runs
            ),
            tables: vec![
                ("Writes tried, by clients", table(&rows, |row| format!("{:.0}", row.calls))),
                ("Until all have written (ms)", table(&rows, |row| format!("{:.0}", row.completion_ms))),
                ("Beside the figures of AWS, for a hundred clients", published(&rows)),
                ("Other readings, with as many clients as there are at most", lines(&variants)),
            ],
            notes: NOTES,
            panels: vec![
                panel(&rows, "Writes tried until each client has written once", "writes tried", Scale::Linear, |row| {
                    row.calls
                }),
                panel(&rows, "Time until all have written", "completion time (ms)", Scale::Log, |row| {
                    row.completion_ms
                }),
            ],
        }
        .sheet()
    }
}

const ABOUT: &str = "\
Clients that each write one row once, by its version: who was overtaken waits by its schedule, and reads and writes
again. A message takes |N(10, 2)| ms, a try is four of them; base 5 ms, cap 2 s. The clients are evenkeel_backoff::Retry.";

const NOTES: &str = "\
none          starts over at once: the least time, and the most work for the server
exponential   10 ms, doubled up to 2 s: who collided waits as long as the other, and they collide again
equal         half of that, and up to the other half by chance (Jitter::Equal)
full          from nothing to all of that, by chance (Jitter::Full, the default)
decorrelated  from 5 ms to three times the delay before, by chance, and cut to the cap, as AWS has it
…-5ms         the same, but the first delay is the base itself. AWS's program counts a failure before it asks for the
              delay, so that its first exponential delay is twice the base: its table is that of 10 ms
…-under-cap   Decorrelated, of this library: drawn under the cap, and not cut to it
What to take from it:
- Backing off without jitter saves little work and takes by far the longest: it moves the crowd, and does not spread
  it.
- Any jitter more than halves the work. Full jitter does with the least work and is sooner done than equal jitter;
  decorrelated jitter trades some work for some time.
- Once AWS's decorrelated form has reached the cap, two delays of three are the cap itself, and those who collided
  there meet again. Drawn under it, as this library does, the last are done sooner, with the same work.
- With one row the work cannot be shared: no schedule is faster than none. Where the server suffers from being asked,
  work is what counts.";

/// A line for each number of clients, a column for each strategy.
fn table(rows: &[Row], cell: fn(&Row) -> String) -> Vec<Vec<String>> {
    let head = iter::once("clients".to_owned()).chain(Strategy::ALL.map(|strategy| strategy.name().to_owned()));
    let line = |first: &Row| {
        let cells = rows.iter().filter(|row| row.clients == first.clients).map(cell);
        iter::once(first.clients.to_string()).chain(cells).collect()
    };
    iter::once(head.collect()).chain(of(rows, Strategy::None).map(line)).collect()
}

fn published(rows: &[Row]) -> Vec<Vec<String>> {
    let head = ["strategy", "completion (ms)", "of AWS", "off by", "calls", "of AWS", "off by"];
    let line = |(strategy, completion, calls): (Strategy, f64, f64)| {
        let row = of(rows, strategy).find(|row| row.clients == 100)?;
        let beside = |seen: f64, of_aws: f64| {
            [format!("{seen:.0}"), format!("{of_aws:.0}"), format!("{:+.1} %", (seen / of_aws - 1.0) * 100.0)]
        };
        let cells = beside(row.completion_ms, completion).into_iter().chain(beside(row.calls, calls));
        Some(iter::once(strategy.name().to_owned()).chain(cells).collect())
    };
    iter::once(head.map(str::to_owned).to_vec()).chain(PUBLISHED.into_iter().filter_map(line)).collect()
}

/// Completion in milliseconds and calls, for a hundred clients, of AWS's program.
const PUBLISHED: [(Strategy, f64, f64); 5] = [
    (Strategy::None, 2_027.0, 2_421.0),
    (Strategy::Exponential, 62_862.0, 1_853.0),
    (Strategy::Equal, 6_658.0, 812.0),
    (Strategy::Full, 4_879.0, 797.0),
    (Strategy::Decorrelated, 4_530.0, 1_002.0),
];

fn lines(rows: &[Row]) -> Vec<Vec<String>> {
    let head = ["strategy", "clients", "completion (ms)", "calls"];
    let line = |row: &Row| {
        let Row { strategy, clients, completion_ms, calls } = row;
        vec![(*strategy).to_owned(), clients.to_string(), format!("{completion_ms:.0}"), format!("{calls:.0}")]
    };
    iter::once(head.map(str::to_owned).to_vec()).chain(rows.iter().map(line)).collect()
}

fn panel(rows: &[Row], title: &str, y_label: &str, scale: Scale, value: fn(&Row) -> f64) -> Panel {
    let line = |strategy: Strategy| {
        let (colour, width) = look(strategy);
        let points = of(rows, strategy).map(|row| (f64::from(row.clients), Some(value(row)))).collect();
        Line { label: strategy.name().to_owned(), colour, width, points }
    };
    let clients = range(rows, |row| f64::from(row.clients));
    let values = range(rows, value);
    let bottom = if scale == Scale::Linear { 0.0 } else { 0.8 * values.start };
    Panel {
        title: title.to_owned(),
        x_label: "clients".to_owned(),
        y_label: y_label.to_owned(),
        x: clients,
        y: bottom..1.05 * values.end,
        scale,
        bands: Vec::new(),
        lines: Strategy::ALL.map(line).to_vec(),
    }
}

/// From the least to the most.
fn range(rows: &[Row], value: fn(&Row) -> f64) -> Range<f64> {
    rows.iter().map(value).fold(f64::INFINITY..0.0, |all, value| all.start.min(value)..all.end.max(value))
}

fn of(rows: &[Row], strategy: Strategy) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| row.strategy == strategy.name())
}

/// The colour and the width of the line, in pixels.
const fn look(strategy: Strategy) -> (Colour, u32) {
    match strategy {
        Strategy::None => (colours::GREY, 4),
        Strategy::Exponential => (colours::ORANGE, 2),
        Strategy::Equal => (colours::PURPLE, 2),
        Strategy::Full => (colours::BLUE, 2),
        Strategy::Decorrelated => (colours::GREEN, 2),
        // Not drawn.
        Strategy::ExponentialFromBase
        | Strategy::EqualFromBase
        | Strategy::FullFromBase
        | Strategy::DecorrelatedUnderCap => (colours::AMBER, 2),
    }
}
