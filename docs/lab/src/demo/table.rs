//! The figures as a table of text.

use super::{
    provider::Provider,
    summary::{ByProvider, Figures, Summary},
};
use crate::table;

/// What the table and the report show of each strategy, beside its name: a heading, and a cell.
pub(super) const COLUMNS: [Column; 12] = [
    ("requests", |figures| figures.requests.to_string()),
    ("answered", |figures| percent(figures.answered_share)),
    ("… in outage", |figures| figures.outage_answered_share.map_or_else(nothing, percent)),
    ("p50 ms", |figures| optional(figures.p50_ms, 0)),
    ("p95 ms", |figures| optional(figures.p95_ms, 0)),
    ("p99 ms", |figures| optional(figures.p99_ms, 0)),
    ("upstream", |figures| figures.upstream_calls.to_string()),
    ("amplif.", |figures| format!("{:.2}×", figures.amplification)),
    ("… in outage", |figures| figures.outage_amplification.map_or_else(nothing, |times| format!("{times:.2}×"))),
    ("recovery ms", |figures| optional(figures.recovery_ms, 0)),
    ("answered by", |figures| each(&figures.by_alternate)),
    ("calls to", |figures| each(&figures.calls_by_alternate)),
];

pub(super) type Column = (&'static str, fn(&Figures) -> String);

/// The table, with a line for each strategy.
#[must_use]
pub fn table(summary: &Summary) -> String {
    let head = std::iter::once("strategy").chain(COLUMNS.iter().map(|(heading, _)| *heading)).map(str::to_owned);
    let line = |figures: &Figures| {
        std::iter::once(figures.name.to_owned()).chain(COLUMNS.iter().map(|(_, cell)| cell(figures))).collect()
    };
    let lines: Vec<Vec<String>> = std::iter::once(head.collect()).chain(summary.strategies.iter().map(line)).collect();

    table::plain(&lines)
}

fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(nothing, |value| format!("{value:.decimals$}"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The primary's, and the secondary's.
fn each(counts: &ByProvider) -> String {
    Provider::ALL.map(|provider| counts.get(provider.name()).unwrap_or(&0).to_string()).join(" + ")
}

fn nothing() -> String {
    "–".to_owned()
}
