//! The figures of the throttle as tables and charts.

use std::{collections::BTreeMap, io};

use super::{Plan, Row, WARM_UP, WINDOW};
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
    /// As [`Parts::sheet`], when there are not two loads to draw a line between.
    ///
    /// # Panics
    ///
    /// As [`rows`](Self::rows).
    pub fn sheet(&self) -> io::Result<Sheet> {
        let rows = self.rows();
        Parts {
            rows: &rows,
            more: BTreeMap::new(),
            about: self.about(),
            tables: vec![
                ("Sent, in units of the capacity", self.table(&rows, |row| row.sent)),
                ("Served, in units of the capacity", self.table(&rows, |row| row.served)),
            ],
            notes: NOTES,
            panels: self.panels(&rows),
        }
        .sheet()
    }

    fn about(&self) -> String {
        format!(
            "A client is asked for a multiple of what its service can serve ({} requests a second, Poisson arrivals, a \
             queue of one\nsecond), and an AdaptiveThrottle with a window of {} s decides what it sends; {} s of virtual \
             time, after {} s discarded.",
            self.capacity,
            WINDOW.as_secs(),
            (WINDOW * self.windows).as_secs(),
            (WINDOW * WARM_UP).as_secs(),
        )
    }

    /// A line for each load, a column for each multiplier.
    fn table(&self, rows: &[Row], value: fn(&Row) -> f64) -> Vec<Vec<String>> {
        let mut head = vec!["offered".to_owned()];
        head.extend(self.ks.iter().map(|k| label(*k)));
        let line = |offered: &f64| {
            let mut line = vec![format!("{offered:.1}×")];
            line.extend(rows.iter().filter(|row| row.offered == *offered).map(|row| format!("{:.2}", value(row))));
            line
        };
        std::iter::once(head).chain(self.offered.iter().map(line)).collect()
    }

    fn panels(&self, rows: &[Row]) -> Vec<Panel> {
        let least = self.offered.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.offered.iter().copied().fold(0.0, f64::max);
        let panel = |title: &str, y_label: &str, lines: Vec<Line>| Panel {
            title: title.to_owned(),
            x_label: "offered (× capacity)".to_owned(),
            y_label: y_label.to_owned(),
            x: least..most,
            y: 0.0..chart::top(&lines, 1.0),
            scale: Scale::Linear,
            bands: Vec::new(),
            lines,
        };
        let mut sent = vec![Line {
            label: "no throttle".to_owned(),
            colour: colours::GREY,
            width: 2,
            points: self.offered.iter().map(|offered| (*offered, Some(*offered))).collect(),
        }];
        sent.extend(self.lines(rows, |row| row.sent));
        vec![
            panel("Load at the service", "sent (× capacity)", sent),
            panel("Served", "served (× capacity)", self.lines(rows, |row| row.served)),
        ]
    }

    fn lines(&self, rows: &[Row], value: fn(&Row) -> f64) -> Vec<Line> {
        let line = |(k, colour): (&f64, &Colour)| Line {
            label: label(*k),
            colour: *colour,
            width: 2,
            points: rows.iter().filter(|row| row.k == *k).map(|row| (row.offered, Some(value(row)))).collect(),
        };
        self.ks.iter().zip(COLOURS.iter().cycle()).map(line).collect()
    }
}

const NOTES: &str = "\
What is sent stays at k times what is served, however much is offered; refusing the rest costs a service work, too. A
small k spares it, a large one sees sooner that it is well again.";

const COLOURS: [Colour; 4] = [colours::BLUE, colours::GREEN, colours::ORANGE, colours::PURPLE];

fn label(k: f64) -> String {
    format!("k = {k}")
}
