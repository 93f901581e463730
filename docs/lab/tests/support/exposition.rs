//! Prometheus's text format, read.
#![allow(dead_code)] // Each test file takes what it needs.

use std::collections::BTreeMap;

/// What one scrape has shown.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// By series.
    pub(crate) help: BTreeMap<String, String>,
    /// `counter`, `gauge`, `histogram`: by series.
    pub(crate) kinds: BTreeMap<String, String>,
    /// The lines that have a value. Those of a histogram are `…_bucket`, `…_sum` and `…_count`.
    pub(crate) samples: BTreeMap<Sample, f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Exposition {
    /// # Panics
    ///
    /// When a line is not of the format, or is there twice.
    pub(crate) fn parse(text: &str) -> Self {
        let mut read = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let twice = if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                read.help.insert(name.to_owned(), help.to_owned()).is_some()
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                read.kinds.insert(name.to_owned(), kind.to_owned()).is_some()
            } else {
                let (sample, value) = sample(line).unwrap_or_else(|| panic!("not of the format: {line}"));
                read.samples.insert(sample, value).is_some()
            };
            assert!(!twice, "twice: {line}");
        }
        read
    }

    /// The samples of that name with these labels, among others, added up.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has =
            |sample: &Sample| labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|v| v == value));
        let found: Vec<f64> = self
            .samples
            .iter()
            .filter(|(sample, _)| sample.name == name && has(sample))
            .map(|(_, value)| *value)
            .collect();
        assert!(!found.is_empty(), "{name} {labels:?}");
        found.into_iter().sum()
    }

    /// What can only grow: the counters, and what histograms have counted.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&Sample, f64)> {
        let grows = |sample: &Sample| {
            let is = |series: &str, kind: &str| self.kinds.get(series).is_some_and(|known| known == kind);
            let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| sample.name.strip_suffix(suffix));
            is(&sample.name, "counter") || histogram.is_some_and(|series| is(series, "histogram"))
        };
        self.samples.iter().filter(move |(sample, _)| grows(sample)).map(|(sample, value)| (sample, *value))
    }
}

/// Of `name{key="value",…} 1`. Our label values have neither commas nor quotes.
fn sample(line: &str) -> Option<(Sample, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    let label = |part: &str| {
        let (key, value) = part.split_once('=')?;
        Some((key.to_owned(), value.strip_prefix('"')?.strip_suffix('"')?.to_owned()))
    };
    let labels = labels.split(',').filter(|part| !part.is_empty()).map(label).collect::<Option<_>>()?;
    Some((Sample { name: name.to_owned(), labels }, value.parse().ok()?))
}
