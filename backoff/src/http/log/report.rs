//! The text for the support: how many attempts there were, and a line for each that is on record.

use std::{boxed::Box, collections::BTreeMap, fmt, string::ToString, time::SystemTime, vec::Vec};

use super::{
    AttemptEnd, AttemptRecord, ServiceTotals,
    table::{Row, utc},
    totals::shown,
};

/// What an [`AttemptLog`](super::AttemptLog) held at one moment, or a part of it; its `Display` is plain text to paste into a
/// mail or a ticket.
///
/// First come the totals, which are always those since the log began or was cleared. Then what is listed: the attempts that
/// are still on record and were chosen, in the order in which they were sent, in UTC.
///
/// # Examples
///
/// ```
/// use evenkeel_backoff::http::AttemptLog;
/// use http::{HeaderMap, Response};
/// use std::{convert::Infallible, num::NonZeroUsize, time::{Duration, SystemTime, UNIX_EPOCH}};
///
/// let a_quarter_past_two = || UNIX_EPOCH + Duration::from_millis(1_700_014_500_250);
/// let log = AttemptLog::builder(NonZeroUsize::new(256).unwrap()).wall_clock(a_quarter_past_two).build()?;
/// for (service, id) in [("openai", "req_1"), ("azure", "req_2")] {
///     let busy = || Response::builder().status(503).header("retry-after", "2").header("x-request-id", id).body(());
///     let _ = log.watch_blocking(service, &HeaderMap::new(), busy);
/// }
///
/// let report = log.report().service("openai").between(a_quarter_past_two() - Duration::from_secs(60), SystemTime::now());
/// let text = report.to_string();
/// assert!(text.starts_with("openai: 1 of 1 attempts failed since 2023-11-15T02:15:00.250Z"), "{text}");
/// assert!(text.ends_with("503    2.000 s      x-request-id=req_1\n"), "{text}");
/// # Ok::<(), evenkeel_backoff::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    records: Vec<AttemptRecord>,
    totals: Vec<ServiceTotals>,
    everything: bool,
    since: SystemTime,
    range: Option<(SystemTime, SystemTime)>,
}

impl Report {
    pub(super) fn new(
        mut records: Vec<AttemptRecord>,
        totals: Vec<ServiceTotals>,
        everything: bool,
        since: SystemTime,
    ) -> Self {
        // They are in the order in which they ended, and the column is of when they were sent.
        records.sort_by_key(|record| record.at);
        Self { records, totals, everything, since, range: None }
    }

    /// Only the attempts of this service, by the name that the layer was given.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        let is_it = |name: &str| name.chars().eq(shown(service));
        self.records.retain(|record| is_it(&record.service));
        self.totals.retain(|total| is_it(&total.service));
        self
    }

    /// Only the attempts that were sent in this time, both ends included. The totals stay what they are.
    #[must_use]
    pub fn between(mut self, from: SystemTime, to: SystemTime) -> Self {
        self.records.retain(|record| (from..=to).contains(&record.at));
        self.range = Some((from, to));
        self
    }

    /// What is listed, in the order in which it was sent.
    #[must_use]
    pub fn records(&self) -> &[AttemptRecord] {
        &self.records
    }

    /// The totals of each service, in the order in which they were first named.
    #[must_use]
    pub fn totals(&self) -> &[ServiceTotals] {
        &self.totals
    }

    fn total(&self, f: &mut fmt::Formatter<'_>, total: &ServiceTotals) -> fmt::Result {
        let ServiceTotals { service, attempts, failures, not_kept } = total;
        writeln!(f, "{service}: {failures} of {attempts} attempts failed since {}", utc(self.since))?;
        let listed = self.records.iter().filter(|record| record.service == *service);
        let mut kinds = BTreeMap::<Box<str>, usize>::new();
        for kind in listed.map(|record| shown_end(record.end)) {
            *kinds.entry(kind).or_default() += 1;
        }
        if !kinds.is_empty() {
            write!(f, "  listed {}:", kinds.values().sum::<usize>())?;
            // The most frequent ones first; the sort keeps the order of those that are as frequent.
            let mut kinds: Vec<_> = kinds.into_iter().collect();
            kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            for (index, (kind, count)) in kinds.iter().enumerate() {
                write!(f, "{} {count} x {kind}", if index == 0 { "" } else { "," })?;
            }
            writeln!(f)?;
        }
        if *not_kept > 0 {
            writeln!(f, "  no longer on record: {not_kept}, which ended earlier")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for total in &self.totals {
            self.total(f, total)?;
        }
        let what = if self.everything { "attempts" } else { "failed attempts" };
        let first_and_last = self.records.first().zip(self.records.last()).map(|(first, last)| (first.at, last.at));
        match self.range.or(first_and_last) {
            Some((from, to)) => {
                let count = self.records.len();
                writeln!(f, "\n{what} sent from {} to {} (UTC): {count} listed", utc(from), utc(to))?;
            }
            None => writeln!(f, "\nno {what} listed")?,
        }
        if self.records.is_empty() {
            return Ok(());
        }
        let rows: Vec<Row> = self.records.iter().map(Row::from).collect();
        writeln!(f)?;
        Row::write_all(f, &rows)
    }
}

/// On one line, whatever the program calls it.
pub(super) fn shown_end(end: AttemptEnd) -> Box<str> {
    shown(&end.to_string()).collect()
}
