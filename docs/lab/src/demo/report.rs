//! The report: a page with the figures, and the time lines of every strategy.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    incident::{Incident, Phase},
    run::Plan,
    summary::{Run, Summary},
    table::COLUMNS,
    timeline::{Slice, timeline},
};
use crate::{
    chart::{Band, Line, Panel, Scale, colours, grid},
    files,
};

/// Writes `report.html`, and its charts as `report.svg`, into `folder`, which is made if need be; returns the path of
/// the page.
///
/// # Errors
///
/// What the operating system says, with the path, when a file cannot be written.
pub fn write(folder: &Path, plan: &Plan, runs: &[Run]) -> io::Result<PathBuf> {
    let charts = charts(plan, runs).map_err(io::Error::other)?;
    let folder = files::folder(folder)?;
    files::write(&folder, "report.svg", &charts)?;
    files::write(&folder, "report.html", &html(plan, &plan.summary(runs), runs, &charts))
}

/// The time lines alone: a row for each strategy, all rows to the same scale.
fn charts(plan: &Plan, runs: &[Run]) -> Result<String, crate::chart::DrawError> {
    let lines: Vec<(&Run, Vec<Slice>)> = runs.iter().map(|run| (run, timeline(run, &plan.incident))).collect();
    let highest = lines
        .iter()
        .flat_map(|(_, slices)| slices)
        .map(|slice| slice.sent.max(slice.sent_elsewhere).max(slice.offered));
    // A spike beyond it is drawn at the edge, or it would flatten all else.
    let highest = highest.fold(plan.setup.rps, f64::max).min(plan.setup.rps * 6.0) * 1.15;
    let slowest = (plan.setup.patience.as_secs_f64() * 1_000.0).max(LOWEST_MS * 10.0);
    let rows: Vec<Vec<Panel>> = lines
        .iter()
        .map(|(run, slices)| {
            let bands = bands(&plan.incident);
            let panel = |what: &str, y_label: &str, y, scale, lines| Panel {
                title: format!("{}: {what}", run.name),
                x_label: "time since the start (s)".to_owned(),
                y_label: y_label.to_owned(),
                x: 0.0..plan.incident.length().as_secs_f64(),
                y,
                scale,
                bands: bands.clone(),
                lines,
            };
            let line = |label: &str, colour, width, value: fn(&Slice) -> Option<f64>| Line {
                label: label.to_owned(),
                colour,
                width,
                points: slices.iter().map(|slice| (slice.at, value(slice))).collect(),
            };
            vec![
                panel(
                    "load",
                    "calls per second",
                    0.0..highest,
                    Scale::Linear,
                    vec![
                        line("sent", colours::ORANGE, 2, |slice| Some(slice.sent)),
                        line("elsewhere", colours::PURPLE, 1, |slice| Some(slice.sent_elsewhere)),
                        line("at the server", colours::BLUE, 2, |slice| Some(slice.received)),
                        line("offered", colours::GREY, 2, |slice| Some(slice.offered)),
                    ],
                ),
                panel(
                    "answered",
                    "share of requests (%)",
                    0.0..112.0,
                    Scale::Linear,
                    vec![line("answered", colours::GREEN, 2, |slice| slice.answered.map(|share| share * 100.0))],
                ),
                panel(
                    "latency of the answered",
                    "latency (ms, log)",
                    LOWEST_MS..slowest,
                    Scale::Log,
                    vec![
                        line("p95", colours::BLUE, 2, |slice| slice.p95),
                        line("p50", colours::PURPLE, 2, |slice| slice.p50),
                    ],
                ),
            ]
        })
        .collect();
    grid(&rows, PANEL)
}

/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (430, 230);

/// Where the axis of latencies begins.
const LOWEST_MS: f64 = 10.0;

fn bands(incident: &Incident) -> Vec<Band> {
    let band = |phase: Phase| {
        let span = incident.span(phase);
        let shade = match phase {
            Phase::Calm | Phase::Recovery => (colours::GREEN, 0.06),
            Phase::Surge => (colours::AMBER, 0.16),
            Phase::Refused => (colours::ORANGE, 0.24),
            Phase::Unavailable => (colours::ORANGE, 0.14),
        };
        Band { label: phase.name().to_owned(), x: span.start.as_secs_f64()..span.end.as_secs_f64(), shade }
    };
    Phase::ALL.map(band).to_vec()
}

fn html(plan: &Plan, summary: &Summary, runs: &[Run], charts: &str) -> String {
    let headings: String = COLUMNS.iter().map(|(heading, _)| format!("<th>{heading}</th>")).collect();
    let rows: String = summary
        .strategies
        .iter()
        .zip(runs)
        .map(|(figures, run)| {
            let cells: String = COLUMNS.iter().map(|(_, cell)| format!("<td>{}</td>", cell(figures))).collect();
            format!("<tr><th>{}</th>{cells}<td>{}</td></tr>\n", figures.name, run.received.len())
        })
        .collect();
    // The chart scales with the page; as its own file it keeps its size.
    let svg = charts.find("<svg").map_or(charts, |begin| &charts[begin..]);
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>evenkeel: the demo</title>
<style>
  body {{ font: 15px/1.5 sans-serif; max-width: 1300px; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }}
  table {{ border-collapse: collapse; margin: 1rem 0 }}
  th, td {{ padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }}
  th:first-child {{ text-align: left }}
  svg {{ max-width: 100%; height: auto }}
  p {{ max-width: 50rem; color: #444 }}
</style>
<h1>The same incident, one strategy at a time</h1>
<p>Seed {seed}; {rps} requests a second for {seconds} s; callers wait for {patience} s. Time is compressed 10:1: 20 ms
here are 200 ms of a model API's life, and a wait of 5 s in a script is 0.5 s here.</p>
<table>
<tr><th>strategy</th>{headings}<th>reached the server</th></tr>
{rows}</table>
<p><em>Answered</em>: the caller had a 2xx within its patience; latencies are those of the answered.
<em>… in outage</em>: of the requests begun in it. <em>Upstream</em>: attempts sent to the primary, refused connections
included. <em>Amplif.</em>: those per request; <em>… in outage</em>: those sent during the outage per request begun in it.
<em>Recovery</em>: from the end of the outage until 95 % of the requests in a window of 500 ms are answered, to the beginning
of that window. <em>Answered by</em>, <em>calls to</em>: the primary, and the secondary, which is slower (median 60 ms) and well
all the time; only <em>evenkeel</em> knows it. In the charts, <em>at the server</em> is what the primary received: less than what
was <em>sent</em> to it where connections are refused; <em>elsewhere</em> is what was sent to the secondary.</p>
<p>The budget of <em>evenkeel</em> is sized by the load. Under some 800 requests (a hundred a second for 8 s) all figures are of
few.</p>
{svg}
</html>
"#,
        seed = summary.seed,
        rps = plan.setup.rps,
        seconds = summary.seconds,
        patience = plan.setup.patience.as_secs_f64(),
    )
}
