//! What was measured, as rows.

use serde::{Deserialize, Serialize};

/// One candidate in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about: `breaker`, say.
    pub area: String,
    /// What is done.
    pub case: String,
    /// Who does it.
    pub candidate: String,
    /// How many threads do it at the same time, to state that they share.
    pub threads: u32,
    /// Nanoseconds an operation takes each of them: the median of all batches.
    pub ns: Option<f64>,
    /// The lower and the upper quartile of the batches.
    pub quartiles: Option<[f64; 2]>,
    /// Allocations of an operation.
    pub allocs: Option<f64>,
    /// What is kept between operations, in bytes: its own size and what it has on the heap.
    pub bytes: Option<u64>,
}

impl Row {
    /// Whether both are of the same thing.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        let key = |row: &Self| (row.area.clone(), row.case.clone(), row.candidate.clone(), row.threads);
        key(self) == key(other)
    }
}

/// A promise, and what was measured of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What is promised.
    pub promise: String,
    /// The case, as `area: case`.
    pub case: String,
    /// Whose.
    pub candidate: String,
    /// Beside whom, where it is a ratio; the best of several.
    pub beside: Option<String>,
    /// At most this, or of throughput at least.
    pub limit: f64,
    /// The figure: the median of what it was in each round.
    pub figure: f64,
    /// Whether it is kept.
    pub kept: bool,
}

/// All that one run has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Processor, system and compiler.
    pub machine: String,
    /// In the order in which they were measured.
    pub rows: Vec<Row>,
    /// The promises that the cases of this run are about.
    pub targets: Vec<Measured>,
}

impl Results {
    /// Adds what another run has counted of the same cases: allocations and bytes.
    pub fn add_counts(&mut self, counted: &Self) {
        for row in &mut self.rows {
            if let Some(other) = counted.rows.iter().find(|other| other.is_of(row)) {
                row.allocs = other.allocs;
                row.bytes = other.bytes;
            }
        }
    }

    /// To as many digits as mean something, for a file that is kept.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        let hundredth = |value: f64| (value * 100.0).round() / 100.0;
        let mut rounded = self.clone();
        for row in &mut rounded.rows {
            row.ns = row.ns.map(tenth);
            row.quartiles = row.quartiles.map(|quartiles| quartiles.map(tenth));
        }
        for target in &mut rounded.targets {
            target.figure = hundredth(target.figure);
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(candidate: &str, threads: u32) -> Row {
        let (area, case) = ("area".to_owned(), "case".to_owned());
        Row {
            area,
            case,
            candidate: candidate.to_owned(),
            threads,
            ns: None,
            quartiles: None,
            allocs: None,
            bytes: None,
        }
    }

    #[test]
    fn counts_are_added_to_the_rows_that_they_are_of_and_no_others() {
        let timed = |candidate, threads| Row { ns: Some(3.0), ..row(candidate, threads) };
        let rows = vec![timed("a", 1), timed("a", 2), timed("b", 1)];
        let mut results = Results { rows, machine: "m".to_owned(), ..Results::default() };
        let counted = |candidate| Row { allocs: Some(2.0), bytes: Some(64), ..row(candidate, 1) };
        results.add_counts(&Results { rows: vec![counted("c"), counted("a")], ..Results::default() });

        let [one, two, other] = &results.rows[..] else { panic!("{results:?}") };
        assert_eq!((one.ns, one.allocs, one.bytes), (Some(3.0), Some(2.0), Some(64)));
        assert_eq!((two.allocs, other.allocs), (None, None), "two threads, or another candidate");
        assert_eq!(results.machine, "m");
    }

    #[test]
    fn results_are_read_as_they_were_written() {
        let rows = vec![Row { ns: Some(0.5), quartiles: Some([0.25, 1.0]), ..row("a", 1) }];
        let results = Results { rows, ..Results::default() };
        let json = serde_json::to_string(&results).expect("plain data");
        assert!(json.contains(r#""candidate":"a","threads":1,"ns":0.5"#), "{json}");
        assert_eq!(serde_json::from_str::<Results>(&json).expect("what was written"), results);
    }
}
