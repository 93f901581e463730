//! The figures of the budgets as tables and charts.

use std::{collections::BTreeMap, io, ops::Range};

use super::{Kind, Plan, Row};
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
    /// As [`Parts::sheet`]; here there is no reason.
    pub fn sheet(&self) -> io::Result<Sheet> {
        let rows = self.rows();
        Parts {
            rows: &rows,
            more: BTreeMap::new(),
            about: format!("{ABOUT}\nA figure is the mean of {} runs; all budgets meet the same luck.", self.runs),
            tables: vec![
                ("Attempts per request", table(&rows, |row| format!("{:.2}", row.attempts_per_request))),
                ("Requests answered", table(&rows, |row| format!("{:.1} %", row.success_share * 100.0))),
            ],
            notes: NOTES,
            panels: vec![
                panel(&rows, "Load at the service", "attempts per request", 1.0..3.05, |row| row.attempts_per_request),
                panel(&rows, "Requests answered", "share of requests (%)", 0.0..102.0, |row| row.success_share * 100.0),
            ],
        }
        .sheet()
    }
}

const ABOUT: &str = "\
One client, 100 requests a second for 120 s of virtual time (the first 40 s discarded), at most 3 attempts for each;
attempts fail independently and take no time.";

const NOTES: &str = "\
ratio      RatioBudget: 20 % of the requests and 10 a second, over 10 s (Finagle's defaults)
grpc       TokenBudget::grpc(10.0, 0.1): a failure costs 1, a success earns 0.1, retries above half (gRFC A6)
aws-5      TokenBudget of 500, a retry costs 5 (Costs::EARLIER)
aws-14     TokenBudget of 500, a retry costs 14 (Costs::REVISION_2026, the default of the layers)
in-flight  InFlightBudget::default(): it limits what is under way at once, and attempts that take no time never are two
           at once. So it grants as much as `none`; what it does when a service is slow is not shown here";

/// A line for each failure rate, a column for each budget.
fn table(rows: &[Row], cell: fn(&Row) -> String) -> Vec<Vec<String>> {
    let mut head = vec!["failure rate".to_owned()];
    head.extend(Kind::ALL.map(|kind| kind.name().to_owned()));
    let line = |first: &Row| {
        let mut line = vec![format!("{:.0} %", first.failure_rate * 100.0)];
        line.extend(rows.iter().filter(|row| row.failure_rate == first.failure_rate).map(cell));
        line
    };
    std::iter::once(head).chain(of(rows, Kind::None).map(line)).collect()
}

fn panel(rows: &[Row], title: &str, y_label: &str, y: Range<f64>, value: fn(&Row) -> f64) -> Panel {
    let line = |kind: Kind| {
        let (colour, width) = look(kind);
        let points = of(rows, kind).map(|row| (row.failure_rate * 100.0, Some(value(row)))).collect();
        Line { label: kind.name().to_owned(), colour, width, points }
    };
    Panel {
        title: title.to_owned(),
        x_label: "attempts that fail (%)".to_owned(),
        y_label: y_label.to_owned(),
        x: 0.0..100.0,
        y,
        scale: Scale::Linear,
        bands: Vec::new(),
        lines: Kind::ALL.map(line).to_vec(),
    }
}

fn of(rows: &[Row], kind: Kind) -> impl Iterator<Item = &Row> {
    rows.iter().filter(move |row| row.budget == kind.name())
}

/// The colour and the width of the line, in pixels.
const fn look(kind: Kind) -> (Colour, u32) {
    match kind {
        // Wide, for what grants everything lies on it.
        Kind::None => (colours::GREY, 6),
        Kind::Ratio => (colours::BLUE, 2),
        Kind::Grpc => (colours::PURPLE, 2),
        Kind::Aws5 => (colours::ORANGE, 2),
        Kind::Aws14 => (colours::GREEN, 2),
        Kind::InFlight => (colours::AMBER, 2),
    }
}
