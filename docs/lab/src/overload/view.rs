//! The figures of the overload as tables and charts.

use std::{collections::BTreeMap, io};

use super::{Plan, Row, Strategy};
use crate::{
    chart::{
        self, Line, Panel, Scale,
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
        let rows = self.rows();
        let panel = |title, y_label, scale, value| self.panel(&rows, (title, y_label), scale, value);
        Parts {
            rows: &rows,
            more: BTreeMap::new(),
            about: self.about(),
            tables: vec![
                ("Users answered, in units of the capacity", self.table(&rows, |row| row.goodput)),
                ("Attempts at the service, in units of the capacity", self.table(&rows, |row| row.load)),
            ],
            notes: NOTES,
            panels: vec![
                panel("Who is answered", "users answered (× capacity)", Scale::Linear, |row| row.goodput),
                panel("What comes to the service", "attempts (× capacity)", Scale::Log, |row| row.load),
            ],
        }
        .sheet()
    }

    fn about(&self) -> String {
        format!(
            "\
{} clients, in virtual time; a service that can do {} requests a second for each. Loads are in units of that, and each is held
until all has settled, and measured for {:?}.",
            self.clients, self.per_client, self.measured
        )
    }

    fn panel(&self, rows: &[Row], (title, y_label): (&str, &str), scale: Scale, value: fn(&Row) -> f64) -> Panel {
        let line = |strategy: &Strategy| {
            let (colour, width) = look(*strategy);
            let points = of(rows, *strategy).map(|row| (row.offered, Some(value(row)))).collect();
            Line { label: strategy.name().to_owned(), colour, width, points }
        };
        let top = self.offered.iter().copied().fold(1.0, f64::max);
        let lines: Vec<Line> = self.strategies.iter().map(line).collect();
        let bottom = if scale == Scale::Linear { 0.0 } else { 0.3 };
        Panel {
            title: title.to_owned(),
            x_label: "what users ask for (× capacity)".to_owned(),
            y_label: y_label.to_owned(),
            x: 0.0..top,
            y: bottom..chart::top(&lines, 1.0),
            scale,
            bands: Vec::new(),
            lines,
        }
    }

    /// A line for each load, a column for each strategy.
    fn table(&self, rows: &[Row], value: fn(&Row) -> f64) -> Vec<Vec<String>> {
        let mut head = vec!["offered".to_owned()];
        head.extend(self.strategies.iter().map(|strategy| strategy.name().to_owned()));
        let line = |offered: &f64| {
            let mut line = vec![format!("{offered}")];
            line.extend(rows.iter().filter(|row| row.offered == *offered).map(|row| format!("{:.2}", value(row))));
            line
        };
        std::iter::once(head).chain(self.offered.iter().map(line)).collect()
    }
}

const NOTES: &str = "\
none      one attempt, and that is it
jittered  three more, with exponential backoff from 100 ms and full jitter
budget    the same, paid from TokenBudget::default() of each client
breaker   one attempt, and none while Breaker::new() is open: half of the last hundred failed, or ten in a row
throttle  one attempt, and so many as an AdaptiveThrottle lets through (K = 2, looking back 20 s)
both      retries, paid from the budget, under them the throttle
A request takes 100 ms of a worker's time, the line before the workers is 0.2 s long, and to refuse costs a tenth of answering.
A breaker sends all users of its client away for as long as it is open, a throttle each of them by chance.";

fn of(rows: &[Row], strategy: Strategy) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| row.strategy == strategy.name())
}

/// The colour and the width of the line, in pixels.
const fn look(strategy: Strategy) -> (Colour, u32) {
    match strategy {
        Strategy::None => (colours::GREY, 6),
        Strategy::Jittered => (colours::ORANGE, 2),
        Strategy::Budget => (colours::BLUE, 2),
        Strategy::Breaker => (colours::PURPLE, 2),
        Strategy::Throttle => (colours::AMBER, 2),
        Strategy::Both => (colours::GREEN, 2),
    }
}
