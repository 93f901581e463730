//! The lines of a report: columns that are as wide as the widest of what is in them.

use std::{
    borrow::Cow,
    boxed::Box,
    fmt, format,
    string::{String, ToString},
    time::{Duration, SystemTime, UNIX_EPOCH},
    vec::Vec,
};

use super::{AttemptRecord, report::shown_end};

/// A line. The last column is as wide as it is.
pub(super) struct Row([Cow<'static, str>; COLUMNS]);

const COLUMNS: usize = 6;
const HEAD: Row = Row([
    Cow::Borrowed("sent"),
    Cow::Borrowed("service"),
    Cow::Borrowed("took"),
    Cow::Borrowed("ended"),
    Cow::Borrowed("retry after"),
    Cow::Borrowed("ids"),
]);

impl Row {
    pub(super) fn write_all(f: &mut fmt::Formatter<'_>, rows: &[Self]) -> fmt::Result {
        let mut widths = [0; COLUMNS];
        for Self(cells) in rows.iter().chain([&HEAD]) {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        [&HEAD].into_iter().chain(rows).try_for_each(|Self(cells)| {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())
        })
    }
}

impl From<&AttemptRecord> for Row {
    fn from(record: &AttemptRecord) -> Self {
        let ids: Vec<String> = record.request_ids.iter().map(ToString::to_string).collect();
        let text = |text: Box<str>| Cow::Owned(text.into());
        Self([
            utc(record.at),
            Cow::Owned(record.service.as_ref().into()),
            Cow::Owned(seconds(record.took)),
            text(shown_end(record.end)),
            record.retry_after.map_or(NOTHING, |delay| Cow::Owned(seconds(delay))),
            if ids.is_empty() { NOTHING } else { Cow::Owned(ids.join(" ")) },
        ])
    }
}

const NOTHING: Cow<'static, str> = Cow::Borrowed("-");

/// As RFC 3339 has it, to the millisecond; it knows no times before the year 0, and humantime none before 1970 and after 9999.
pub(super) fn utc(at: SystemTime) -> Cow<'static, str> {
    match at.duration_since(UNIX_EPOCH) {
        Err(_) => Cow::Borrowed("before 1970"),
        Ok(since) if since.as_secs() > LAST_SECOND => Cow::Borrowed("after 9999"),
        Ok(_) => Cow::Owned(humantime::format_rfc3339_millis(at).to_string()),
    }
}

/// The last one of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// `0.412 s`; of what is less than a millisecond, nothing.
fn seconds(time: Duration) -> String {
    format!("{}.{:03} s", time.as_secs(), time.subsec_millis())
}
