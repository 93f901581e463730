//! What every experiment's charts have: a title, axes with names, the same in words, and a picture that is well-formed.

#![allow(missing_docs)]

use evenkeel_lab::{experiment::Experiment, sheet::Chart, side_by_side};

/// Each with its sheet; of a look, for the shape of a chart is the same.
fn charts() -> Vec<(&'static str, Vec<Chart>)> {
    side_by_side::each(&Experiment::ALL, |experiment| {
        (experiment.name(), experiment.sheet(1, true).expect("a sheet").charts)
    })
}

#[test]
fn every_chart_says_what_it_shows_in_a_title_in_words_and_in_a_picture_that_is_well_formed() {
    for (experiment, charts) in charts() {
        assert!(!charts.is_empty(), "{experiment} has no charts");
        for (place, chart) in charts.iter().enumerate() {
            let Chart { title, alt, svg } = chart;
            let of = format!("{experiment}, chart {place} ({title})");
            assert!(!title.trim().is_empty() && charts[..place].iter().all(|other| other.title != *title), "{of}");

            let (axes, values) = alt.split_once(". ").unwrap_or_else(|| panic!("{of}: {alt}"));
            let (y_label, x_label) = axes.split_once(" by ").unwrap_or_else(|| panic!("{of}: {alt}"));
            for label in [y_label, x_label] {
                assert!(is_drawn(svg, label), "{of}: an axis is called {label:?}");
                let has_unit = label.trim_end().ends_with(')') || COUNTED.iter().any(|word| label.contains(word));
                assert!(has_unit, "{of}: {label:?} has no unit");
            }
            let courses = courses(values);
            for (label, course) in &courses {
                let parts = [" at ", ", at least ", ", at most "];
                assert!(parts.iter().all(|part| course.contains(part)), "{of}: {label} begins, falls, rises: {alt}");
                for band in bands(values) {
                    assert!(course.contains(&format!(" ({band}), ")), "{of}: {label} in {band}: {alt}");
                }
            }
            assert!(!values.contains("no values"), "{of}: {alt}");

            let head = format!("<title>{}</title>\n<desc>{}</desc>", escaped(title), escaped(alt));
            assert!(svg.starts_with("<svg role=\"img\" ") && svg.contains(&head), "{of}");
            let lines = drawn(svg, courses.len());
            assert!(lines.len() > 1 && lines.iter().all(|line| !line.is_empty()), "{of}: each of its lines is drawn");
            well_formed(svg).unwrap_or_else(|error| panic!("{of}: {error}"));
        }
    }
}

#[test]
fn lines_that_are_drawn_differently_read_differently() {
    for (experiment, charts) in charts() {
        for Chart { title, alt, svg } in charts {
            let courses = courses(alt.split_once(". ").expect("its axes first").1);
            let drawn = drawn(&svg, courses.len());
            for (place, (label, course)) in courses.iter().enumerate() {
                for (before, (other, same)) in courses[..place].iter().enumerate() {
                    let differ = drawn[place] != drawn[before];
                    assert!(!differ || course != same, "{experiment}, {title}: {label} reads as {other}: {course}");
                }
            }
        }
    }
}

/// Of each line its name, and what is said of it.
fn courses(values: &str) -> Vec<(&str, &str)> {
    values.split_inclusive(". ").filter_map(|sentence| sentence.split_once(": ")).collect()
}

/// The names of the bands.
fn bands(values: &str) -> Vec<&str> {
    let unlike_lines = values.split_inclusive(". ").filter(|sentence| !sentence.contains(": "));
    unlike_lines.filter_map(|sentence| Some(sentence.split_once(" from ")?.0)).collect()
}

/// The points of each of the lines as they are drawn. The legend is drawn first, and tells them apart by their colour.
fn drawn(svg: &str, lines: usize) -> Vec<Vec<&str>> {
    let coloured = svg.lines().filter(|line| line.starts_with("<polyline ") && !line.contains("stroke=\"#000000\""));
    let coloured: Vec<(&str, &str)> =
        coloured.map(|line| (attribute(line, "stroke"), attribute(line, "points"))).collect();
    let (legend, data) = coloured.split_at(lines);
    let of = |colour: &str| data.iter().filter(|line| line.0 == colour).map(|line| line.1).collect();
    legend.iter().map(|(colour, _)| of(colour)).collect()
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, rest) = element.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} in {element}"));
    rest.split('"').next().expect("a value")
}

/// Counts have no unit but what is counted.
const COUNTED: [&str; 8] = ["attempts", "calls", "clients", "cycle", "failures", "requests", "successes", "writes"];

/// As a text of its own.
fn is_drawn(svg: &str, text: &str) -> bool {
    svg.lines().any(|line| line == escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One element, in which each that is opened is closed in its turn, each attribute has quotes, and each `&` is an
/// entity.
fn well_formed(svg: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg.trim();
    while let Some((text, after)) = rest.split_once('<') {
        is_text(text)?;
        if open.is_empty() && (!text.is_empty() || rest.len() != svg.trim().len()) {
            return Err(format!("something follows the end: {text:?}"));
        }
        let (tag, after) = after.split_once('>').ok_or("a tag is not ended")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened != Some(name) {
                return Err(format!("{name} is closed, and {opened:?} is open"));
            }
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let parts: Vec<&str> = attributes.trim_end().split('"').collect();
        // Names and values by turns, and nothing after the last value.
        let (names, mut values) = (parts.iter().step_by(2), parts.iter().skip(1).step_by(2));
        if !names.clone().rev().skip(1).all(|name| name.ends_with('=')) || names.clone().next_back() != Some(&"") {
            return Err(format!("the attributes of {name}: {attributes}"));
        }
        values.try_for_each(|value| is_text(value))?;
        if !is_empty {
            open.push(name);
        }
    }
    is_text(rest)?;
    if open.is_empty() && rest.is_empty() { Ok(()) } else { Err(format!("not closed: {open:?}")) }
}

fn is_text(text: &str) -> Result<(), String> {
    let entities = ["amp;", "lt;", "gt;", "quot;", "apos;"];
    let is_entity = |after: &str| entities.iter().any(|entity| after.starts_with(entity)) || after.starts_with('#');
    if text.split('&').skip(1).all(is_entity) && !text.contains('>') {
        Ok(())
    } else {
        Err(format!("not text: {text}"))
    }
}

#[test]
fn what_is_not_well_formed_is_found() {
    for svg in [
        "<svg><g></svg>",
        "<svg></g>",
        "<svg>",
        "<svg a=b/>",
        "<svg a=\"b/>",
        "<svg>a & b</svg>",
        "<svg/><svg/>",
        "<svg/>text",
        "text<svg/>",
        "<svg a=\"1\" b/>",
    ] {
        assert!(well_formed(svg).is_err(), "{svg}");
    }
    assert_eq!(well_formed("<svg a=\"1\" b=\"2\">\n<g>x &amp; y</g><p/>\n</svg>"), Ok(()));
}
