//! What came to the service and who was answered, over time: the rows, and their chart.

use std::{collections::BTreeMap, io, time::Duration};

use serde::Serialize;

use super::{Report, human::rounded, measured::CALM};
use crate::{
    chart::{self, Band, Line, Panel, Scale, colours},
    fleet::Tally,
    sheet::{Parts, Sheet},
};

/// A short time of one fleet. Loads are in units of the service's capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Moment {
    /// `none`, `naive`, or `yours`.
    policy: &'static str,
    /// When it begins, in seconds since the outage began; negative before.
    at_s: f64,
    /// Attempts that came to the service.
    load: f64,
    /// Users who were answered.
    goodput: f64,
}

/// No more points than can be told apart.
const MOST: u32 = 240;

/// All of one fleet until `end`, in as many moments as can be drawn.
pub(super) fn moments(policy: &'static str, tally: &Tally, end: Duration, capacity: f64) -> Vec<Moment> {
    let bins = (end.as_secs_f64() / tally.width().as_secs_f64() / f64::from(MOST)).ceil().max(1.0);
    let step = tally.width() * bins as u32;
    let moment = |number: u32| {
        let at = step * number;
        let sum = tally.sum(at, at + step);
        let load = |count: u32| rounded(f64::from(count) / step.as_secs_f64() / capacity);
        let at_s = rounded(at.as_secs_f64() - CALM.as_secs_f64());
        Moment { policy, at_s, load: load(sum.sent), goodput: load(sum.answered) }
    };
    (0..).take_while(|number| step * (number + 1) <= end).map(moment).collect()
}

impl Report {
    /// The rows behind it as CSV, and a chart of them as SVG.
    ///
    /// # Errors
    ///
    /// As [`Parts::sheet`]; here there is no reason.
    pub fn sheet(&self) -> io::Result<Sheet> {
        Parts {
            rows: &self.moments,
            more: BTreeMap::new(),
            about: String::new(),
            tables: Vec::new(),
            notes: "",
            panels: vec![
                self.panel("What comes to the service", "attempts (× capacity)", |moment| moment.load),
                self.panel("Who is answered", "users answered (× capacity)", |moment| moment.goodput),
            ],
        }
        .sheet()
    }

    fn panel(&self, title: &str, y_label: &str, value: fn(&Moment) -> f64) -> Panel {
        let fleets = [("none", colours::GREY, 6), ("naive", colours::ORANGE, 2), ("yours", colours::BLUE, 2)];
        let line = |(label, colour, width): (&'static str, colours::Colour, u32)| {
            let own = self.moments.iter().filter(|moment| moment.policy == label);
            let points = own.map(|moment| (moment.at_s, Some(value(moment)))).collect();
            Line { label: label.to_owned(), colour, width, points }
        };
        let lines: Vec<Line> = fleets.into_iter().map(line).collect();
        let from = self.moments.first().map_or(0.0, |moment| moment.at_s);
        let until = self.moments.last().map_or(1.0, |moment| moment.at_s);
        Panel {
            title: title.to_owned(),
            x_label: "time since the outage began (s)".to_owned(),
            y_label: y_label.to_owned(),
            x: from..until,
            y: 0.0..chart::top(&lines, 1.2),
            scale: Scale::Linear,
            bands: vec![Band {
                label: "outage".to_owned(),
                x: 0.0..self.config.outage_ms / 1e3,
                shade: (colours::GREY, 0.15),
            }],
            lines,
        }
    }
}
