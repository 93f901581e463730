//! The book's chapters on the four crates, and the sections of a chapter.
#![allow(dead_code)] // Each test file takes what it needs.

/// A chapter on one crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chapter {
    /// The crate's folder.
    pub(crate) library: &'static str,
    pub(crate) text: &'static str,
    /// Of the names of its series, what follows `evenkeel_`.
    pub(crate) parts: &'static [&'static str],
}

pub(crate) const CHAPTERS: [Chapter; 4] = [
    Chapter { library: "backoff", text: include_str!("../../book/src/backoff.md"), parts: &["retry"] },
    Chapter { library: "budget", text: include_str!("../../book/src/budget.md"), parts: &["budget", "throttle"] },
    Chapter { library: "breaker", text: include_str!("../../book/src/breaker.md"), parts: &["breaker"] },
    Chapter { library: "hedging", text: include_str!("../../book/src/hedging.md"), parts: &["hedge"] },
];

/// The titles of the second level, in their order.
pub(crate) fn titles(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let lines = text.lines().filter(move |line| {
        in_code ^= line.starts_with("```");
        !in_code
    });
    lines.filter_map(|line| line.strip_prefix("## ")).collect()
}

/// What stands below a title of the second level.
///
/// # Panics
///
/// When there is no such title.
pub(crate) fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let (_, below) = text.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section `{title}`"));
    below.split_once("\n## ").map_or(below, |(section, _)| section)
}
