//! What the chapters show: experiments, each run once, and what was measured when the book was written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use evenkeel_bench::recorded::Record;
use evenkeel_lab::{experiment::Experiment, sheet::Sheet};

/// The seed of every figure in the book: what `cargo xtask lab` takes where it is told none.
const SEED: u64 = 1;

/// Where charts and tables come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An experiment, which is run while the site is built: it gives the same figures everywhere.
    Lab(Experiment),
    /// Measurements, which are not: a machine that builds a site is busy with that.
    Recorded(Record),
}

impl Source {
    /// Of all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Experiment::ALL.into_iter().map(Self::Lab).chain(Record::ALL.into_iter().map(Self::Recorded))
    }

    /// What it is called in the book, and in the names of its files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lab(experiment) => experiment.name(),
            Self::Recorded(record) => record.name(),
        }
    }

    /// The command that runs it again.
    #[must_use]
    pub fn command(self) -> String {
        match self {
            Self::Lab(experiment) => format!("cargo xtask lab {}", experiment.name()),
            Self::Recorded(record) => record.command().to_owned(),
        }
    }

    fn sheet(self, quick: bool) -> io::Result<Sheet> {
        match self {
            Self::Lab(experiment) => experiment.sheet(SEED, quick),
            Self::Recorded(record) => record.sheet(),
        }
    }
}

/// What they have shown so far.
#[derive(Debug, Default)]
pub struct Sheets {
    quick: bool,
    done: BTreeMap<Source, Sheet>,
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
    pub(crate) fn of_a_full_run(source: Source, from: &Self) -> Self {
        Self { quick: false, done: from.done.clone().into_iter().filter(|(name, _)| *name == source).collect() }
    }

    /// Runs or reads those of `wanted` that were not yet, side by side on the cores there are.
    ///
    /// # Errors
    ///
    /// The first one, with its name.
    pub fn run(&mut self, wanted: &BTreeSet<Source>) -> io::Result<()> {
        let open: Vec<Source> = wanted.iter().copied().filter(|name| !self.done.contains_key(name)).collect();
        let (next, quick) = (AtomicUsize::new(0), self.quick);
        let worker = || {
            let mut sheets = Vec::new();
            // Who takes a number has the experiment to himself; the results come back through `join`.
            while let Some(&source) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                sheets.push((source, source.sheet(quick)));
            }
            sheets
        };
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let results: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores.min(open.len())).map(|_| scope.spawn(worker)).collect();
            let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
            joined.flat_map(|sheets| sheets.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for (source, sheet) in results {
            let named = |error| io::Error::other(format!("`{}`: {error}", source.name()));
            self.done.insert(source, sheet.map_err(named)?);
        }
        Ok(())
    }

    /// What one has shown, if it has been run.
    #[must_use]
    pub fn of(&self, source: Source) -> Option<&Sheet> {
        self.done.get(&source)
    }

    /// Writes the rows as `<name>.csv` and `<name>.json`, and all charts as `<name>.svg`, into a folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (source, sheet) in &self.done {
            let name = source.name();
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

    const BUDGETS: Source = Source::Lab(Experiment::Budgets);

    #[test]
    fn an_experiment_is_run_once_and_is_the_same_beside_others_as_alone() {
        let mut sheets = Sheets::new(true);
        sheets.run(&BTreeSet::from([Source::Lab(Experiment::Breaker), BUDGETS])).expect("figures");
        let first = sheets.of(BUDGETS).cloned();
        sheets.done.remove(&Source::Lab(Experiment::Breaker));
        sheets.run(&BTreeSet::from([BUDGETS])).expect("nothing to do");
        assert!(sheets.of(Source::Lab(Experiment::Breaker)).is_none(), "not wanted, not run");
        assert!(first.is_some() && first == Experiment::Budgets.sheet(SEED, true).ok());
    }

    #[test]
    fn no_two_have_one_name() {
        let names: BTreeSet<&str> = Source::all().map(Source::name).collect();
        assert_eq!(names.len(), Source::all().count());
    }

    #[test]
    fn what_was_measured_is_shown_as_it_was_recorded() {
        let mut sheets = Sheets::new(true);
        let bench = Source::Recorded(Record::Bench);
        sheets.run(&BTreeSet::from([bench])).expect("a record");
        assert_eq!(sheets.of(bench), Record::Bench.sheet().ok().as_ref());
    }
}
