//! How many attempts there were, and how many failed, by service: a table of names that grows and never changes.

use std::{
    boxed::Box,
    string::String,
    sync::{Arc, OnceLock},
    vec::Vec,
};

use super::{AttemptLog, ring::Kept};
use crate::sync::{AtomicU64, Ordering};

/// What was counted of one service, since the log began or was cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceTotals {
    /// Its name, as it is shown.
    pub service: Arc<str>,
    /// Attempts that have ended.
    pub attempts: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Failures that are no longer on record, for the log is bounded.
    pub not_kept: u64,
}

/// The names, each in the first place that was free, and one place more for all that come too late.
pub(super) struct Totals(Box<[OnceLock<Total>]>);

struct Total {
    service: Arc<str>,
    succeeded: Tally,
    failed: Tally,
}

/// What is counted, and where the count began: a `clear` does not go back to zero, so that the number of what was counted
/// says for ever whether it was before or after.
///
/// Nothing is decided by these numbers but what is shown, so they are relaxed.
#[derive(Default)]
struct Tally {
    next: AtomicU64,
    first: AtomicU64,
}

/// What an attempt was counted as: what is on record is counted, in whatever moment the log is cleared.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    place: usize,
    is_failure: bool,
    number: u64,
}

const NAMED: usize = AttemptLog::MAX_SERVICES;
const OTHERS: &str = "others";

impl Totals {
    pub(super) fn new() -> Self {
        Self((0..=NAMED).map(|_| OnceLock::new()).collect())
    }

    /// The place of a service, which it has from the first time that it is asked for.
    pub(super) fn place(&self, service: &str) -> usize {
        // What has the name of those that come too late is one of them: two totals of one name would say nothing.
        if shown(service).eq(OTHERS.chars()) {
            return NAMED;
        }
        let is_here = |place: &OnceLock<Total>| {
            let total = place.get_or_init(|| Total::new(shown(service).collect::<String>().into()));
            total.service.chars().eq(shown(service))
        };
        self.0[..NAMED].iter().position(is_here).unwrap_or(NAMED)
    }

    pub(super) fn service(&self, place: usize) -> Arc<str> {
        Arc::clone(&self.total(place).service)
    }

    pub(super) fn count(&self, place: usize, is_failure: bool) -> Counted {
        let number = self.total(place).tally(is_failure).next.fetch_add(1, Ordering::Relaxed);
        Counted { place, is_failure, number }
    }

    /// Whether it was counted after the last `clear`.
    pub(super) fn is_current(&self, counted: Counted) -> bool {
        counted.number >= self.total(counted.place).tally(counted.is_failure).first.load(Ordering::Relaxed)
    }

    /// What was counted, beside those failures that are on record; of these, what a `clear` has just forgotten is taken out.
    pub(super) fn counts(&self, kept: &mut Vec<Arc<Kept>>) -> Vec<ServiceTotals> {
        let mut count = |(place, total): (usize, &Total)| {
            let mut count = |is_failure| {
                let Tally { next, first } = total.tally(is_failure);
                let first = first.load(Ordering::Relaxed);
                let is_of_it = |counted: Counted| counted.place == place && counted.is_failure == is_failure;
                kept.retain(|kept| !is_of_it(kept.counted) || kept.counted.number >= first);
                let count = next.load(Ordering::Relaxed).saturating_sub(first);
                (count, kept.iter().filter(|kept| is_of_it(kept.counted)).count() as u64)
            };
            let ((succeeded, _), (failures, kept)) = (count(false), count(true));
            ServiceTotals {
                service: Arc::clone(&total.service),
                attempts: failures.saturating_add(succeeded),
                failures,
                not_kept: failures.saturating_sub(kept),
            }
        };
        let named = self.0.iter().enumerate().filter_map(|(place, total)| Some((place, total.get()?)));
        named.map(&mut count).collect()
    }

    pub(super) fn clear(&self) {
        for total in self.0.iter().filter_map(OnceLock::get) {
            for Tally { next, first } in [&total.failed, &total.succeeded] {
                // Of two that clear at the same time, the later one counts.
                first.fetch_max(next.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }

    fn total(&self, place: usize) -> &Total {
        // Empty for the last place alone, before the first that comes too late.
        self.0[place].get_or_init(|| Total::new(OTHERS.into()))
    }
}

impl Total {
    fn new(service: Arc<str>) -> Self {
        Self { service, succeeded: Tally::default(), failed: Tally::default() }
    }

    const fn tally(&self, is_failure: bool) -> &Tally {
        if is_failure { &self.failed } else { &self.succeeded }
    }
}

/// A name as it is shown: on one line, and not too long for a column.
pub(super) fn shown(service: &str) -> impl Iterator<Item = char> + Clone {
    service.chars().map(|c| if c.is_control() || is_invisible(c) { '_' } else { c }).take(LONGEST_NAME)
}

const LONGEST_NAME: usize = 64;

/// What breaks a line, turns its direction or is not seen: separators of lines, marks of direction, joiners, tags.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
