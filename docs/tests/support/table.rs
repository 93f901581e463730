//! The table of metrics in the book, read.
#![allow(dead_code)] // Each test file takes what it needs.

use std::collections::{BTreeMap, BTreeSet};

/// One row: a series as it is documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// `evenkeel_…`, as it is exported.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// By the label's key.
    pub(crate) labels: BTreeMap<String, Values>,
    /// The name of a `metrics::Unit`, such as `count` or `seconds`.
    pub(crate) unit: Option<String>,
    /// What it shows, in words.
    pub(crate) shows: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// What a label can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// Whatever the program chooses.
    Open,
    /// These, and no other.
    Of(BTreeSet<String>),
}

impl Kind {
    /// As in the table, and in the `# TYPE` line of an exporter.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The chapter that has the table.
pub(crate) const CHAPTER: &str = include_str!("../../book/src/metrics.md");

/// The rows of the book's table, in their order.
pub(crate) fn documented() -> Vec<Series> {
    parse(CHAPTER)
}

/// The rows of the one table in `markdown` whose first column is `series`.
///
/// # Panics
///
/// When there is no such table, or a row is not as it should be: it says which.
pub(crate) fn parse(markdown: &str) -> Vec<Series> {
    let mut lines = markdown.lines().skip_while(|line| cells(line).is_none_or(|cells| cells[0] != "series"));
    let head = lines.next().and_then(cells).expect("a table whose first column is `series`");
    assert_eq!(head, ["series", "kind", "labels", "unit", "shows"]);
    let rows: Vec<Series> = lines.skip(1).map_while(cells).map(|cells| row(&cells)).collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "each series has one row");
    rows
}

/// The cells of a line of a table.
pub(crate) fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

fn row(cells: &[&str]) -> Series {
    let [name, kind, of, unit, shows] = cells else { panic!("not five cells: {cells:?}") };
    let name = word(name).unwrap_or_else(|| panic!("not a name: {name}"));
    let kind = [Kind::Counter, Kind::Gauge, Kind::Histogram].into_iter().find(|known| known.as_str() == *kind);
    Series {
        name: name.to_owned(),
        kind: kind.unwrap_or_else(|| panic!("no kind of {name}")),
        labels: labels(of).unwrap_or_else(|| panic!("the labels of {name}: {of}")),
        unit: Some(*unit).filter(|unit| !unit.is_empty()).map(str::to_owned),
        shows: (*shows).to_owned(),
    }
}

/// Of "`name`, `outcome`: `success` `failure`".
fn labels(cell: &str) -> Option<BTreeMap<String, Values>> {
    let label = |part: &str| {
        let (key, values) = part.split_once(':').unwrap_or((part, ""));
        let values: BTreeSet<String> =
            values.split_whitespace().map(|value| Some(word(value)?.to_owned())).collect::<Option<_>>()?;
        let values = if values.is_empty() { Values::Open } else { Values::Of(values) };
        Some((word(key.trim())?.to_owned(), values))
    };
    cell.split(',').map(label).collect()
}

/// What is between backticks, if it is nothing but a word.
fn word(text: &str) -> Option<&str> {
    let word = text.strip_prefix('`')?.strip_suffix('`')?;
    (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).then_some(word)
}
