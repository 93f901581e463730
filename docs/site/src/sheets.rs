//! The experiments that the chapters ask for, each run once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use evenkeel_lab::{experiment::Experiment, sheet::Sheet};

/// The seed of every figure in the book: what `cargo xtask lab` takes where it is told none.
const SEED: u64 = 1;

/// What the experiments have shown so far.
#[derive(Debug, Default)]
pub struct Sheets {
    quick: bool,
    done: BTreeMap<Experiment, Sheet>,
}

impl Sheets {
    /// None yet. `quick` ones take a fraction of the time, and are less exact.
    #[must_use]
    pub fn new(quick: bool) -> Self {
        Self { quick, done: BTreeMap::new() }
    }

    /// Whether they are less exact than those of the book.
    #[must_use]
    pub fn are_quick(&self) -> bool {
        self.quick
    }

    /// As if the one of `from` had been run in full, which takes longer than a test may.
    #[cfg(test)]
    pub(crate) fn of_a_full_run(experiment: Experiment, from: &Self) -> Self {
        Self { quick: false, done: from.done.clone().into_iter().filter(|(name, _)| *name == experiment).collect() }
    }

    /// Runs those of `wanted` that have not been run, side by side on the cores there are.
    ///
    /// # Errors
    ///
    /// The first one of an experiment, with its name.
    pub fn run(&mut self, wanted: &BTreeSet<Experiment>) -> io::Result<()> {
        let open: Vec<Experiment> = wanted.iter().copied().filter(|name| !self.done.contains_key(name)).collect();
        let (next, quick) = (AtomicUsize::new(0), self.quick);
        let worker = || {
            let mut sheets = Vec::new();
            // Who takes a number has the experiment to himself; the results come back through `join`.
            while let Some(&experiment) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                sheets.push((experiment, experiment.sheet(SEED, quick)));
            }
            sheets
        };
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let results: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores.min(open.len())).map(|_| scope.spawn(worker)).collect();
            let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
            joined.flat_map(|sheets| sheets.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for (experiment, sheet) in results {
            let named = |error| io::Error::other(format!("the experiment `{}`: {error}", experiment.name()));
            self.done.insert(experiment, sheet.map_err(named)?);
        }
        Ok(())
    }

    /// What an experiment has shown, if it has been run.
    #[must_use]
    pub fn of(&self, experiment: Experiment) -> Option<&Sheet> {
        self.done.get(&experiment)
    }

    /// Writes the rows as `<name>.csv` and `<name>.json`, and all charts as `<name>.svg`, into a folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (experiment, sheet) in &self.done {
            let name = experiment.name();
            fs::write(folder.join(format!("{name}.csv")), &sheet.csv)?;
            fs::write(folder.join(format!("{name}.json")), format!("{}\n", sheet.json))?;
            fs::write(folder.join(format!("{name}.svg")), &sheet.svg)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_is_run_once_and_is_the_same_beside_others_as_alone() {
        let mut sheets = Sheets::new(true);
        sheets.run(&BTreeSet::from([Experiment::Breaker, Experiment::Budgets])).expect("figures");
        let first = sheets.of(Experiment::Budgets).cloned();
        sheets.done.remove(&Experiment::Breaker);
        sheets.run(&BTreeSet::from([Experiment::Budgets])).expect("nothing to do");
        assert!(sheets.of(Experiment::Breaker).is_none(), "not wanted, not run");
        assert!(first.is_some() && first == Experiment::Budgets.sheet(SEED, true).ok());
    }
}
