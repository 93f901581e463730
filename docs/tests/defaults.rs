//! The tables of defaults in the book's chapters are the constants of the crates.
#![cfg(not(loom))]
#![allow(missing_docs)]

#[path = "support/chapters.rs"]
mod chapters;
#[path = "support/table.rs"]
mod table;

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use chapters::{CHAPTERS, section};
use table::cells;

/// What a constant holds, as a table can say it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Number(f64),
    Time(Duration),
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<NonZeroU32> for Value {
    fn from(number: NonZeroU32) -> Self {
        number.get().into()
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

/// By their paths.
macro_rules! constants {
    ($($path:path),* $(,)?) => { [$((stringify!($path).replace("::<()>", ""), Value::from($path))),*] };
}

fn constants() -> BTreeMap<String, Value> {
    let all = constants![
        evenkeel_backoff::DEFAULT_MAX_ATTEMPTS,
        evenkeel_backoff::DEFAULT_MAX_SERVER_DELAY,
        evenkeel_budget::AdaptiveThrottle::DEFAULT_K,
        evenkeel_budget::AdaptiveThrottle::DEFAULT_MAX_REJECTION,
        evenkeel_budget::AdaptiveThrottle::DEFAULT_WINDOW,
        evenkeel_budget::BudgetMap::<()>::DEFAULT_IDLE_AFTER,
        evenkeel_budget::InFlightBudget::DEFAULT_MIN_CONCURRENCY,
        evenkeel_budget::InFlightBudget::DEFAULT_SHARE,
        evenkeel_budget::RatioBudget::DEFAULT_MIN_PER_SECOND,
        evenkeel_budget::RatioBudget::DEFAULT_RATIO,
        evenkeel_budget::RatioBudget::DEFAULT_TTL,
        evenkeel_budget::TokenBudget::DEFAULT_CAPACITY,
        evenkeel_breaker::Breaker::DEFAULT_CHECK_GRACE,
        evenkeel_breaker::Breaker::DEFAULT_CHECK_TIMEOUT,
        evenkeel_breaker::Breaker::DEFAULT_CONSECUTIVE_FAILURES,
        evenkeel_breaker::Breaker::DEFAULT_COUNT_WINDOW,
        evenkeel_breaker::Breaker::DEFAULT_FAILURE_RATE,
        evenkeel_breaker::Breaker::DEFAULT_FIRST_OPEN,
        evenkeel_breaker::Breaker::DEFAULT_HALF_OPEN_PERMITS,
        evenkeel_breaker::Breaker::DEFAULT_HALF_OPEN_SUCCESSES,
        evenkeel_breaker::Breaker::DEFAULT_LONGEST_OPEN,
        evenkeel_breaker::Breaker::DEFAULT_MAX_HINT,
        evenkeel_breaker::Breaker::DEFAULT_MINIMUM_CALLS,
        evenkeel_breaker::BreakerMap::<()>::DEFAULT_IDLE_AFTER,
        evenkeel_breaker::BreakerMap::<()>::DEFAULT_MAX_OPEN,
        evenkeel_hedging::DEFAULT_MAX_ATTEMPTS,
        evenkeel_hedging::DEFAULT_MAX_SERVER_DELAY,
        evenkeel_hedging::Quantile::DEFAULT_WARM_UP,
        evenkeel_hedging::Quantile::DEFAULT_WINDOW,
    ];
    let count = all.len();
    let all = BTreeMap::from(all);
    assert_eq!(all.len(), count, "each once");
    all
}

#[test]
fn the_chapters_tables_of_defaults_are_the_constants() {
    let mut said = BTreeMap::new();
    for chapter in CHAPTERS {
        for (path, value) in read(section(chapter.text, DEFAULTS)) {
            assert!(path.starts_with(&format!("evenkeel_{}::", chapter.library)), "{path} in {}", chapter.library);
            assert_eq!(said.insert(path.clone(), value), None, "{path} is said twice");
        }
    }
    assert_eq!(said, constants());
}

#[test]
fn no_constant_of_the_crates_is_left_out() {
    for chapter in CHAPTERS {
        let mut declared = Vec::new();
        for file in sources(&root().join(chapter.library).join("src")) {
            let text = fs::read_to_string(&file).expect("a source can be read");
            let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("pub const DEFAULT_"));
            declared.extend(names.map(|rest| rest.split(':').next().unwrap_or_default().to_owned()));
        }
        declared.sort();
        let of = format!("evenkeel_{}::", chapter.library);
        let paths = constants().into_keys().filter(|path| path.starts_with(&of));
        let mut known: Vec<String> =
            paths.filter_map(|path| Some(path.rsplit_once("DEFAULT_")?.1.to_owned())).collect();
        known.sort();
        assert_eq!(known, declared, "{}: what is new goes to `constants` above, and to the chapter", chapter.library);
    }
}

#[test]
fn every_default_has_a_reason() {
    for chapter in CHAPTERS {
        for line in section(chapter.text, DEFAULTS).lines() {
            let Some(cells) = cells(line) else { continue };
            assert!(cells.last().is_some_and(|why| !why.is_empty()), "{}: {line}", chapter.library);
        }
    }
}

#[test]
fn a_value_is_read_as_it_is_written() {
    let text =
        "| `k` | [2](a::DEFAULT_K) | up to [5 min](b::DEFAULT_LONG), from [0.5](B::new) |\nnot [3](c::DEFAULT_C)";
    let minutes = Value::Time(Duration::from_secs(300));
    assert_eq!(read(text), [("a::DEFAULT_K".to_owned(), Value::Number(2.0)), ("b::DEFAULT_LONG".to_owned(), minutes)]);
    assert!(std::panic::catch_unwind(|| read("| [soon](a::DEFAULT_K) |")).is_err());
}

const DEFAULTS: &str = "Defaults, and why";

/// The values of the rows that link to a constant, with its path.
fn read(section: &str) -> Vec<(String, Value)> {
    let rows = section.lines().filter_map(cells).flatten();
    let links = rows.flat_map(|cell| cell.split('[').skip(1)).filter_map(|link| link.split_once("]("));
    let paths = links.filter_map(|(text, rest)| Some((text, rest.split_once(')')?.0)));
    let constants = paths.filter(|(_, path)| path.rsplit("::").next().is_some_and(|name| name.starts_with("DEFAULT_")));
    constants.map(|(text, path)| (path.to_owned(), value(text).unwrap_or_else(|| panic!("{text} of {path}")))).collect()
}

/// Of "0.2", "10 s" or "5 min".
fn value(text: &str) -> Option<Value> {
    let number = text.parse().ok().map(Value::Number);
    number.or_else(|| humantime::parse_duration(&text.replace(' ', "")).ok().map(Value::Time))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files of a folder and of those in it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder can be read").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs")).chain(below).collect()
}
