//! The figures of the breaker as tables and charts.

use std::{collections::BTreeMap, io, iter};

use super::{
    Cycle, Plan, Row,
    client::{SPACING, TIMEOUT},
    flapping::{CALM, DOWN, NAMES, REPEATED, UP},
    outage::{CONSECUTIVE, COUNT, MINIMUM, SLOW, SPAN},
};
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
    /// As [`Parts::sheet`], when there are not two warm-ups or two cycles to draw a line between.
    ///
    /// # Panics
    ///
    /// As [`rows`](Self::rows).
    pub fn sheet(&self) -> io::Result<Sheet> {
        let (rows, cycles) = (self.rows(), self.flapping());
        Parts {
            rows: &rows,
            more: BTreeMap::from([("flapping", serde_json::to_value(&cycles)?)]),
            about: self.about(),
            tables: vec![("A total outage", outages(&rows)), ("A service that flaps, cycle by cycle", flaps(&cycles))],
            notes: NOTES,
            panels: self.panels(&rows, &cycles),
        }
        .sheet()
    }

    fn about(&self) -> String {
        format!(
            "A client calls every {} ms of virtual time, and gives up after {} s on what is not answered. The service \
             is down for {} s,\nafter so many successes; or it flaps {} times, up for {} s and down for {} s, is well for \
             {} s, and goes down once more.\nThe rules: {CONSECUTIVE} failures in a row, half of the results, half of \
             them slower than {} s; of the last {COUNT} results or\nof the last {} s, from {MINIMUM} on. Open times: \
             5 s doubling up to 5 min, with equal jitter; means of {} runs,\nof {} for the flaps.",
            SPACING.as_millis(),
            TIMEOUT.as_secs(),
            self.outage.as_secs(),
            self.cycles,
            UP.as_secs(),
            DOWN.as_secs(),
            CALM.as_secs(),
            SLOW.as_secs(),
            SPAN.as_secs(),
            self.runs,
            self.runs * REPEATED,
        )
    }

    fn panels(&self, rows: &[Row], cycles: &[Cycle]) -> Vec<Panel> {
        let power = |warmup: u32| f64::from(warmup).log10();
        let least = self.warmups.iter().copied().map(power).fold(f64::INFINITY, f64::min);
        let most = self.warmups.iter().copied().map(power).fold(f64::NEG_INFINITY, f64::max);
        let line = |&(label, window, rule, colour, width): &(&str, &str, &str, Colour, u32)| Line {
            label: label.to_owned(),
            colour,
            width,
            points: rows
                .iter()
                .filter(|row| row.window == window && row.rule == rule)
                .map(|row| (power(row.warmup_successes), row.failures_to_open.map(f64::from)))
                .collect(),
        };
        let lines: Vec<Line> = LINES.iter().map(line).collect();
        let failures = Panel {
            title: "Failures until it opens".to_owned(),
            x_label: "successes before the outage (power of ten)".to_owned(),
            y_label: "failures".to_owned(),
            x: least..most,
            y: 5.0..chart::top(&lines, 100.0),
            scale: Scale::Log,
            bands: Vec::new(),
            lines,
        };
        vec![
            failures,
            self.cycles_panel("A flapping service: open times", "open time (s)", cycles, |cycle| {
                cycle.open_time_ms.map(|ms| ms / 1_000.0)
            }),
            self.cycles_panel("A flapping service: calls wasted", "calls per cycle", cycles, |cycle| {
                Some(cycle.calls_wasted)
            }),
        ]
    }

    fn cycles_panel(&self, title: &str, y_label: &str, cycles: &[Cycle], value: fn(&Cycle) -> Option<f64>) -> Panel {
        let line = |(name, colour): (&str, Colour)| Line {
            label: name.to_owned(),
            colour,
            width: 2,
            points: of(cycles, name).map(|cycle| (cycle.cycle.into(), value(cycle))).collect(),
        };
        let lines = NAMES.into_iter().zip([colours::BLUE, colours::ORANGE]).map(line);
        let lines: Vec<Line> = lines.collect();
        Panel {
            title: title.to_owned(),
            x_label: "cycle, the last after a calm".to_owned(),
            y_label: y_label.to_owned(),
            x: 1.0..f64::from(self.cycles) + 1.0,
            y: 0.0..chart::top(&lines, 1.0),
            scale: Scale::Linear,
            bands: Vec::new(),
            lines,
        }
    }
}

fn outages(rows: &[Row]) -> Vec<Vec<String>> {
    let head = ["window", "rule", "after", "failures to open", "time to open", "calls wasted", "time to recover"];
    let line = |row: &Row| {
        vec![
            row.window.to_owned(),
            row.rule.to_owned(),
            row.warmup_successes.to_string(),
            row.failures_to_open.map_or_else(|| "–".to_owned(), |failures| failures.to_string()),
            seconds(row.time_to_open_ms),
            format!("{:.1}", row.calls_wasted),
            seconds(Some(row.time_to_recover_ms)),
        ]
    };
    iter::once(head.map(str::to_owned).to_vec()).chain(rows.iter().map(line)).collect()
}

/// A figure of a cycle, as it is shown.
type Figure = fn(&Cycle) -> String;

/// A line for each cycle, columns for both kinds of open times.
fn flaps(cycles: &[Cycle]) -> Vec<Vec<String>> {
    let figures: [(&str, Figure); 3] = [
        ("open", |cycle| seconds(cycle.open_time_ms)),
        ("wasted", |cycle| format!("{:.1}", cycle.calls_wasted)),
        ("rejected while up", |cycle| format!("{:.1}", cycle.rejected_while_up)),
    ];
    let mut head = vec!["cycle".to_owned()];
    head.extend(figures.iter().flat_map(|(figure, _)| NAMES.map(|name| format!("{name}: {figure}"))));
    let line = |first: &Cycle| {
        let name = if first.after_calm { "after the calm".to_owned() } else { first.cycle.to_string() };
        let of_both = cycles.iter().filter(|cycle| cycle.cycle == first.cycle);
        let cells = figures.iter().flat_map(|(_, figure)| of_both.clone().map(figure));
        iter::once(name).chain(cells).collect()
    };
    iter::once(head).chain(of(cycles, NAMES[0]).map(line)).collect()
}

fn of<'a>(cycles: &'a [Cycle], open_times: &str) -> impl Iterator<Item = &'a Cycle> {
    cycles.iter().filter(move |cycle| cycle.open_times == open_times)
}

fn seconds(ms: Option<f64>) -> String {
    ms.map_or_else(|| "–".to_owned(), |ms| format!("{:.1} s", ms / 1_000.0))
}

/// The rules that are drawn, by label, window and name: the others lie on them.
const LINES: [(&str, &str, &str, Colour, u32); 4] = [
    ("cumulative", "cumulative", "failure_rate", colours::GREY, 4),
    ("count window", "count", "failure_rate", colours::BLUE, 2),
    ("time window", "time", "failure_rate", colours::ORANGE, 2),
    ("in a row", "none", "consecutive", colours::GREEN, 2),
];

const NOTES: &str = "\
count       the last 100 results: whatever was before, half of a hundred are enough
time        the results of the last 10 s: as many as the client has in them, so here it is much the same
none        failures in a row need no window: the quickest of all, and blind to a service that fails every second call
cumulative  all results since it closed, as many breakers count: after 10,000 successes it takes 10,000 failures.
            It is no part of this library
When it recovers is not a matter of the rule: it is what is left of the open time when the service is back, up to 5 min
after a long outage. Who cannot wait for that caps it lower, or has a prober; each probe is one call wasted.
growing     this library: a close that did not last as long as the open time before it does not start them again
restarting  each close does: it is sooner back when the service is, and wastes more calls when it is not
The last line is the calm and the outage after it: what is rejected in it is what was left of the open time when the
flapping was over, the price of growth; and the open time is the first again.";
