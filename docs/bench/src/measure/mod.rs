//! How it is measured: candidates, in turn, batch by batch.

mod candidate;
mod heap;
mod judge;
mod shared;
pub(crate) mod timing;

use std::collections::BTreeMap;

pub use candidate::Candidate;
pub use heap::{Allocated, Count, Counted};
pub use shared::Shared;

pub use crate::poll::{drive, request};

use crate::{
    row::{Results, Row},
    target,
};

/// What the cases are told to: it measures them as they come.
#[derive(Debug)]
pub struct Bench {
    how: How,
    only: Option<String>,
    results: Results,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Time, in so many rounds. One only shows that everything runs.
    Time {
        /// How often each candidate has its turn.
        rounds: usize,
    },
    /// Allocations and bytes.
    Heap(Count),
}

impl Bench {
    /// All cases; or only those whose area is named.
    #[must_use]
    pub fn new(how: How, only: Option<String>) -> Self {
        Self { how, only, results: Results::default() }
    }

    /// Measures one case: `candidates` do the same thing, one thread at a time.
    pub fn compare(&mut self, area: &str, case: &str, mut candidates: Vec<Candidate<'_>>) {
        if !self.is_wanted(area) {
            return;
        }
        let rounds = match self.how {
            How::Time { rounds } => timing::in_turn(&mut candidates, rounds),
            How::Heap(count) => {
                for candidate in &mut candidates {
                    let Counted { allocs, bytes } = candidate.count(count);
                    self.push(Row { allocs: Some(allocs), bytes, ..row(area, case, candidate.name, 1) });
                }
                return;
            }
        };
        for (candidate, nanos) in candidates.iter().zip(&rounds) {
            self.push(timed(row(area, case, candidate.name, 1), nanos));
        }
        let names = candidates.iter().map(|candidate| candidate.name);
        self.judge(area, case, &names.zip(rounds).collect());
    }

    /// Measures one case with one thread and with two, which share what each candidate works on.
    pub fn share(&mut self, area: &str, case: &str, candidates: &[Shared<'_>]) {
        if !self.is_wanted(area) {
            return;
        }
        let rows = |name| [1, 2].map(|threads| row(area, case, name, threads));
        let measured = match self.how {
            How::Time { rounds } => shared::in_turn(candidates, rounds),
            How::Heap(count) => {
                for candidate in candidates {
                    for (row, Counted { allocs, bytes }) in rows(candidate.name).into_iter().zip(candidate.count(count))
                    {
                        self.push(Row { allocs: Some(allocs), bytes, ..row });
                    }
                }
                return;
            }
        };
        for (candidate, nanos) in candidates.iter().zip(&measured) {
            for (row, nanos) in rows(candidate.name).into_iter().zip(nanos) {
                self.push(timed(row, nanos));
            }
        }
        let gained = |[one, two]: [Vec<f64>; 2]| one.iter().zip(&two).map(|(one, two)| 2.0 * one / two).collect();
        let gained = candidates.iter().map(|candidate| candidate.name).zip(measured.into_iter().map(gained));
        self.judge(area, case, &gained.collect());
    }

    /// All that was measured.
    #[must_use]
    pub fn into_results(self) -> Results {
        self.results
    }

    /// Whether the cases of that area are measured.
    #[must_use]
    pub fn is_wanted(&self, area: &str) -> bool {
        self.only.as_deref().is_none_or(|only| area == only)
    }

    fn push(&mut self, row: Row) {
        debug_assert!(!self.results.rows.iter().any(|other| other.is_of(&row)), "measured twice: {row:?}");
        self.results.rows.push(row);
    }

    /// What the promises about this case came to.
    fn judge(&mut self, area: &str, case: &str, rounds: &BTreeMap<&'static str, Vec<f64>>) {
        let promised = target::ALL.iter().filter(|target| (target.area, target.case) == (area, case));
        self.results.targets.extend(promised.map(|target| judge::judge(target, rounds)));
    }
}

/// In which order the candidates of a round have their turns.
///
/// Each goes first in its turn, for the first has the caches of the last; and every other round goes backwards, for nobody
/// is to come always after the same one.
fn order(round: usize, candidates: usize) -> impl Iterator<Item = usize> {
    (0..candidates).map(move |place| {
        let place = if round % 2 == 0 { place } else { candidates - 1 - place };
        (round / 2 + place) % candidates
    })
}

fn row(area: &str, case: &str, candidate: &str, threads: u32) -> Row {
    Row {
        area: area.to_owned(),
        case: case.to_owned(),
        candidate: candidate.to_owned(),
        threads,
        ns: None,
        quartiles: None,
        allocs: None,
        bytes: None,
    }
}

fn timed(row: Row, nanos: &[f64]) -> Row {
    let [low, median, high] = quartiles(nanos.to_vec());
    Row { ns: Some(median), quartiles: Some([low, high]), ..row }
}

fn quartiles(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| of[of.len() * quarter / 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_candidate_goes_first_in_its_turn_and_comes_after_every_neighbour() {
        let rounds: Vec<Vec<usize>> = (0..6).map(|round| order(round, 3).collect()).collect();
        assert_eq!(rounds, [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1], [1, 0, 2]]);
        assert_eq!(order(7, 1).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn the_median_and_its_quartiles_are_values_that_were_measured() {
        assert_eq!(quartiles(vec![5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
    }
}
