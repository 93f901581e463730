//! What was measured, laid out: a table and a chart for each case, and one of the promises.

use std::{fmt::Write as _, io};

use evenkeel_lab::{
    chart::{Bar, Bars, colours},
    sheet::{Chart, Sheet},
    table,
};

use crate::row::{Measured, Results, Row};

/// Lays them out. The caption of a case's table and the title of its chart are `area: case`; the promises come first.
///
/// # Errors
///
/// When a figure is nothing that a chart can show.
pub fn of(results: &Results) -> io::Result<Sheet> {
    let mut text = format!("{}\n{ABOUT}\n", results.machine);
    if !results.targets.is_empty() {
        // A `String` takes all that it is given.
        let _ = write!(text, "\nPromises, and what they came to:\n\n{}", table::markdown(&promises(&results.targets)));
    }
    let mut charts = Vec::new();
    for (area, case) in cases(results) {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| (&*row.area, &*row.case) == (area, case)).collect();
        let title = format!("{area}: {case}");
        let is_shared = rows.iter().any(|row| row.threads > 1);
        let (lines, bars) = if is_shared { shared(&rows) } else { alone(&rows) };
        let _ = write!(text, "\n{title}:\n\n{}", table::markdown(&lines));
        let unit = if is_shared { "throughput of two threads, where one thread's is 1" } else { "ns a call" };
        charts.extend(chart(title, unit, bars)?);
    }
    let _ = write!(text, "\n{NOTES}\n");
    let svg = in_one(&charts);
    Ok(Sheet { json: serde_json::to_string(results)?, csv: csv(&results.rows), text, svg, charts })
}

/// All pictures in one, one below the other, with the titles of all.
fn in_one(charts: &[Chart]) -> String {
    let height = |svg: &str| svg.split_once(" height=\"")?.1.split('"').next()?.parse::<u32>().ok();
    let titles = charts.iter().map(|chart| chart.title.as_str()).collect::<Vec<_>>().join("; ");
    let titles = titles.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (mut top, mut inside) = (0, String::new());
    for Chart { svg, .. } in charts {
        inside += &svg.replacen("<svg ", &format!("<svg y=\"{top}\" "), 1);
        top += height(svg).unwrap_or(0);
    }
    let open = format!("<svg role=\"img\" width=\"620\" height=\"{top}\" xmlns=\"http://www.w3.org/2000/svg\">");
    format!("{open}\n<title>{titles}</title>\n{inside}\n</svg>\n")
}

const ABOUT: &str = "\
The candidates of a case had their turns in one run, a tenth of a millisecond each, each of them first in its turn; a figure is the
median of its turns, a ratio the median of the ratios within the turns. Allocations and bytes were counted by a second program, for
counting takes time of its own.";

const NOTES: &str = "\
What is compared does the same work for its caller, and not the same work: where a peer does less, the chapter says so. Ratios hold
elsewhere better than nanoseconds do. \"Its clock stands\" is without what reading the clock costs, which is not ours to change.";

/// Each area with each of its cases, in the order of the run.
fn cases(results: &Results) -> Vec<(&str, &str)> {
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for row in &results.rows {
        if !cases.contains(&(&row.area, &row.case)) {
            cases.push((&row.area, &row.case));
        }
    }
    cases
}

fn promises(targets: &[Measured]) -> Vec<Vec<String>> {
    // What matters first: the rest may be beyond the edge of a page.
    let head = ["promise", "limit", "figure", "", "beside"].map(str::to_owned).to_vec();
    let line = |of: &Measured| {
        let kept = if of.kept { "kept" } else { "missed" };
        vec![
            of.promise.clone(),
            format!("{}", of.limit),
            format!("{:.2}", of.figure),
            kept.to_owned(),
            of.beside.clone().unwrap_or_default(),
        ]
    };
    std::iter::once(head).chain(targets.iter().map(line)).collect()
}

type Laid = (Vec<Vec<String>>, Vec<(String, f64)>);

fn alone(rows: &[&Row]) -> Laid {
    let head = ["", "ns", "quartiles", "allocations", "bytes"].map(str::to_owned).to_vec();
    let line = |row: &&Row| {
        vec![
            row.candidate.clone(),
            row.ns.map_or(String::new(), |ns| format!("{ns:.1}")),
            row.quartiles.map_or(String::new(), |[low, high]| format!("{low:.1} to {high:.1}")),
            allocations(row),
            bytes(row),
        ]
    };
    let bars = rows.iter().filter_map(|row| Some((row.candidate.clone(), row.ns?))).collect();
    (std::iter::once(head).chain(rows.iter().map(line)).collect(), bars)
}

fn allocations(row: &Row) -> String {
    row.allocs.map_or(String::new(), |allocs| {
        if allocs.fract() == 0.0 { format!("{allocs:.0}") } else { format!("{allocs:.2}") }
    })
}

fn bytes(row: &Row) -> String {
    row.bytes.map_or(String::new(), |bytes| bytes.to_string())
}

fn shared(rows: &[&Row]) -> Laid {
    let head = ["", "ns, one thread", "ns of each, two threads", "throughput", "allocations", "bytes"];
    let pair = |row: &&Row| {
        let two = *rows.iter().find(|other| other.threads == 2 && other.candidate == row.candidate)?;
        Some((row.ns?, two.ns?, two))
    };
    let pairs: Vec<_> = rows.iter().filter(|row| row.threads == 1).filter_map(pair).collect();
    let line = |&(one, two, row): &(f64, f64, &Row)| {
        let (name, throughput) = (row.candidate.clone(), format!("{:.2}", 2.0 * one / two));
        vec![name, format!("{one:.1}"), format!("{two:.1}"), throughput, allocations(row), bytes(row)]
    };
    let bars = pairs.iter().map(|(one, two, row)| (row.candidate.clone(), 2.0 * one / two)).collect();
    let head = head.map(str::to_owned).to_vec();
    (std::iter::once(head).chain(pairs.iter().map(line)).collect(), bars)
}

fn chart(title: String, unit: &str, bars: Vec<(String, f64)>) -> io::Result<Option<Chart>> {
    if bars.iter().all(|(_, value)| *value <= 0.0) {
        return Ok(None);
    }
    let bar = |(label, value): (String, f64)| Bar { colour: colour(&label), label, value };
    let bars = Bars { title, unit: unit.to_owned(), bars: bars.into_iter().map(bar).collect() };
    let svg = bars.svg().map_err(io::Error::other)?;
    Ok(Some(Chart { alt: bars.described(), title: bars.title, svg }))
}

/// Others' are orange, what is only there for comparison is grey, ours are blue.
fn colour(candidate: &str) -> colours::Colour {
    match candidate {
        _ if is_a_peer(candidate) => colours::ORANGE,
        _ if is_ours(candidate) => colours::BLUE,
        _ => colours::GREY,
    }
}

/// Whether a candidate, by its name, is one of the four crates: no peer, and nothing that is only compared with.
#[must_use]
pub fn is_ours(candidate: &str) -> bool {
    const REFERENCES: [&str; 18] = [
        "by hand",
        "no layer",
        "no breaker",
        "no throttle",
        "bare await",
        "a reading of the clock",
        "readings of the clock",
        "the clock alone",
        "atomic",
        "what the machine has",
        "`Instant::now`",
        "Instant::now`",
        "a clock that costs",
        "a coarse clock",
        "a clock that stands",
        "a count of milliseconds",
        "no timer",
        "`tokio::time::timeout`",
    ];
    !is_a_peer(candidate) && !REFERENCES.iter().any(|word| candidate.contains(word))
}

fn is_a_peer(candidate: &str) -> bool {
    const PEERS: [&str; 6] = ["tower", "backon", "tokio-retry", "recloser", "failsafe", "hdrhistogram"];
    PEERS.iter().any(|peer| candidate.contains(peer)) || candidate.starts_with("backoff")
}

/// The rows as comma-separated values; what there is not is empty.
fn csv(rows: &[Row]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let line = |row: &Row| {
        let names = [&row.area, &row.case, &row.candidate].map(|name| quoted(name)).join(",");
        let (ns, allocs) = (number(row.ns), number(row.allocs));
        format!("{names},{},{ns},{allocs},{}\n", row.threads, bytes(row))
    };
    let head = "area,case,candidate,threads,ns,allocs,bytes\n".to_owned();
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(candidate: &str, threads: u32, ns: f64) -> Row {
        Row {
            area: "breaker".to_owned(),
            case: "closed".to_owned(),
            candidate: candidate.to_owned(),
            threads,
            ns: Some(ns),
            quartiles: Some([ns - 1.0, ns + 1.0]),
            allocs: Some(0.0),
            bytes: None,
        }
    }

    fn results(rows: Vec<Row>) -> Results {
        Results { machine: "A machine.".to_owned(), rows, targets: Vec::new() }
    }

    #[test]
    fn a_case_is_a_table_and_a_chart() {
        let sheet = of(&results(vec![row("ours", 1, 2.0), row("recloser", 1, 16.0)])).expect("lengths");
        assert!(sheet.text.contains("\nbreaker: closed:\n\n|          |   ns |"), "{}", sheet.text);
        assert_eq!(sheet.charts.len(), 1);
        assert_eq!(
            (&*sheet.charts[0].title, &*sheet.charts[0].alt),
            ("breaker: closed", "ns a call. ours: 2.0; recloser: 16.")
        );
        assert!(sheet.csv.ends_with("\"breaker\",\"closed\",\"recloser\",1,16,0,\n"), "{}", sheet.csv);
    }

    #[test]
    fn one_picture_has_all_charts_below_each_other_and_their_titles() {
        let open = Row { case: "a & b".to_owned(), ..row("ours", 1, 3.0) };
        let sheet = of(&results(vec![row("ours", 1, 2.0), row("recloser", 1, 16.0), open])).expect("lengths");
        assert!(sheet.svg.contains("<title>breaker: closed; breaker: a &amp; b</title>"), "{}", sheet.svg);
        let [first, second] = [&sheet.charts[0].svg, &sheet.charts[1].svg];
        assert!(first.contains("height=\"136\"") && second.contains("height=\"96\""), "{first}{second}");
        assert!(sheet.svg.contains(" height=\"232\" ") && sheet.svg.contains("<svg y=\"136\" "), "{}", sheet.svg);
    }

    #[test]
    fn an_allocation_that_not_every_call_has_is_not_shown_as_none() {
        let of = |allocs| allocations(&Row { allocs: Some(allocs), ..row("ours", 1, 2.0) });
        assert_eq!([0.0, 2.0, 0.5].map(of), ["0", "2", "0.50"]);
    }

    #[test]
    fn of_shared_state_the_throughput_is_shown() {
        let two = Row { allocs: Some(3.0), bytes: Some(64), ..row("ours", 2, 2.5) };
        let sheet = of(&results(vec![row("ours", 1, 2.0), two])).expect("lengths");
        let line = "|            2.0 |                     2.5 |       1.60 |           3 |    64 |";
        assert!(sheet.text.contains(line), "{}", sheet.text);
    }

    #[test]
    fn peers_ours_and_what_is_compared_with_have_a_colour_each() {
        for (name, of) in [
            ("recloser, `call`", colours::ORANGE),
            ("tower's retry, `tower::hedge`", colours::ORANGE),
            ("two readings of the clock", colours::GREY),
            ("backoff, its clock stands", colours::ORANGE),
            ("a bare await", colours::GREY),
            ("each thread its own: what the machine has", colours::GREY),
            ("time window, its clock stands", colours::BLUE),
            ("time window, with the clock", colours::BLUE),
            ("`Exponential`", colours::BLUE),
        ] {
            assert_eq!(colour(name), of, "{name}");
        }
    }
}
