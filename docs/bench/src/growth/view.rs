//! What was measured, as tables and charts.

use std::{collections::BTreeMap, io};

use evenkeel_lab::{
    chart::{
        self, Line, Panel, Scale,
        colours::{self, Colour},
    },
    sheet::{Parts, Sheet},
};

use super::{
    Growth, Point, Size,
    charts::{self, Chart},
};

/// Tables and charts of what was measured.
///
/// # Errors
///
/// As [`Parts::sheet`], when a chart has not two values of what its points are laid out by.
pub fn sheet(growth: &Growth) -> io::Result<Sheet> {
    let shown = charts::ALL.map(|chart| (chart, of(growth, chart.name)));
    let mut tables: Vec<_> = shown.iter().map(|(chart, points)| (chart.caption, table(chart, points))).collect();
    tables.push(("Bytes of each thing: its own size and what it has on the heap", memory(&growth.memory)));
    Parts {
        rows: &growth.points,
        more: BTreeMap::from([
            ("machine", serde_json::to_value(&growth.machine)?),
            ("memory", serde_json::to_value(&growth.memory)?),
        ]),
        about: format!(
            "How what a call costs grows with what there is, and what each thing takes; on {}.\nOne thread. The points of a \
             chart were measured in turn, and each figure is the median of its turns.",
            growth.machine
        ),
        tables,
        notes: NOTES,
        panels: shown.iter().map(|(chart, points)| panel(chart, points)).collect(),
    }
    .sheet()
}

fn of<'a>(growth: &'a Growth, chart: &str) -> Vec<&'a Point> {
    growth.points.iter().filter(|point| point.chart == chart).collect()
}

/// The lines, in the order in which they were measured first.
fn lines<'a>(points: &[&'a Point]) -> Vec<&'a str> {
    let mut lines: Vec<&str> = Vec::new();
    for point in points {
        if !lines.contains(&&*point.line) {
            lines.push(&point.line);
        }
    }
    lines
}

fn value(point: &Point) -> Option<f64> {
    point.ns.or(point.bytes)
}

/// A line for each place along the axis, a column for each line of the chart.
fn table(chart: &Chart, points: &[&Point]) -> Vec<Vec<String>> {
    let lines = lines(points);
    let mut places: Vec<f64> = points.iter().map(|point| point.x).collect();
    places.sort_unstable_by(f64::total_cmp);
    places.dedup();
    let head = std::iter::once(chart.x_label).chain(lines.iter().copied()).map(str::to_owned).collect();
    let row = |x: &f64| {
        let cell = |line: &&str| {
            let point = points.iter().find(|point| point.line == *line && point.x.total_cmp(x).is_eq());
            point.and_then(|point| value(point)).map_or(String::new(), number)
        };
        std::iter::once(number(*x)).chain(lines.iter().map(cell)).collect()
    };
    std::iter::once(head).chain(places.iter().map(row)).collect()
}

fn memory(sizes: &[Size]) -> Vec<Vec<String>> {
    let head = ["", "made", "used"].map(str::to_owned).to_vec();
    let row = |size: &Size| vec![size.thing.clone(), number(size.made as f64), number(size.used as f64)];
    std::iter::once(head).chain(sizes.iter().map(row)).collect()
}

fn panel(chart: &Chart, points: &[&Point]) -> Panel {
    let line = |(label, colour): (&str, &Colour)| {
        let mut points: Vec<_> =
            points.iter().filter(|point| point.line == label).map(|point| (point.x, value(point))).collect();
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Line { label: label.to_owned(), colour: *colour, width: 2, points }
    };
    let lines: Vec<Line> = lines(points).into_iter().zip(COLOURS.iter().cycle()).map(line).collect();
    let xs = || points.iter().map(|point| point.x);
    let lowest = points.iter().filter_map(|point| value(point)).fold(f64::INFINITY, f64::min);
    Panel {
        title: chart.title.to_owned(),
        x_label: chart.x_label.to_owned(),
        y_label: chart.y_label.to_owned(),
        x: xs().fold(f64::INFINITY, f64::min)..xs().fold(0.0, f64::max),
        y: below(lowest)..chart::top(&lines, 10.0),
        scale: Scale::LogLog,
        bands: Vec::new(),
        lines,
    }
}

/// The power of ten at or below it. What takes no time at all has no place on the axis.
fn below(lowest: f64) -> f64 {
    10_f64.powf(lowest.log10().floor())
}

/// With commas; what is small with a digit after the point.
fn number(value: f64) -> String {
    if value < 99.95 && value.fract() > 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

const COLOURS: [Colour; 6] =
    [colours::BLUE, colours::ORANGE, colours::GREEN, colours::PURPLE, colours::AMBER, colours::GREY];

const NOTES: &str = "\
A line that is level costs the same however much there is. What rises with the number of keys is memory that is in no cache
any more: a plain HashMap rises alike. A window of few results, or few samples, costs more for each of them, for each begins
a tick of its own, or has the threshold worked out again; that is a bound, and not a growth.

Peers that say so read the system's clock in each call; ours then have a clock of theirs that costs a load. What is put off is
done by one call in many, which holds the map's lock for as long: the other calls of that map wait. It is in the mean of the
figures before it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_what_a_reader_needs_of_them() {
        for (value, shown) in
            [(0.0, "0"), (3.25, "3.2"), (64.0, "64"), (100.4, "100"), (1e6, "1,000,000"), (1234.0, "1,234")]
        {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn an_axis_begins_at_the_power_of_ten_below() {
        for (lowest, begin) in [(9.9, 1.0), (10.0, 10.0), (0.4, 0.1)] {
            assert!((below(lowest) - begin).abs() < 1e-9, "{lowest}");
        }
    }
}
