//! The rule for the book's evidence: a test that the page of hazards or a failure story names is there.

use std::collections::HashSet;

use super::{Fault, TreeRule, tree::Tree};

pub(super) const RULES: &[TreeRule] = &[TreeRule { name: "missing-evidence", check: missing }];

const BOOK: &str = "docs/book/src/";
/// The page that names tests everywhere.
const PAGE: &str = "docs/book/src/verified.md";
/// The section of the other chapters that does.
const STORIES: &str = "## Failure stories";

fn missing(tree: &Tree) -> Vec<(String, Fault)> {
    let sources = tree.texts().filter(|(path, _)| path.ends_with(".rs"));
    let tests: HashSet<&str> = sources.flat_map(|(_, text)| text.lines().filter_map(function)).collect();
    let chapters = tree.texts().filter(|(path, _)| path.starts_with(BOOK) && path.ends_with(".md"));
    let named = chapters.flat_map(|(path, text)| {
        let lines = evidence(path, text).flat_map(|(line, text)| names(text).map(move |name| (line, name)));
        lines.map(move |(line, name)| (path, line, name))
    });
    let missing = named.filter(|(_, _, name)| !tests.contains(name));
    missing
        .map(|(path, line, name)| {
            (path.to_owned(), (line, format!("there is no test `{name}`: name the one there is")))
        })
        .collect()
}

/// The lines of a chapter that may name tests, counted from one.
fn evidence<'a>(path: &str, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut inside = path == PAGE;
    let everywhere = inside;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.starts_with("## ") {
            inside = everywhere || line == STORIES;
        }
        inside.then_some((index + 1, line))
    })
}

/// The name of the function that a line defines.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    name.split(['(', '<']).next()
}

/// What is quoted as code and reads as a test's name: a sentence in lower case.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|code| {
        let sentence = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        code.matches('_').count() >= 3 && code.chars().all(sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_named_and_there_is_in_order() {
        let tree = Tree::from([
            (PAGE, "| 1 | `a_delay_is_no_wait`, `proptest` |\n"),
            ("a.rs", "    fn a_delay_is_no_wait() {\n"),
        ]);
        assert_eq!(missing(&tree), []);
    }

    #[test]
    fn a_test_that_is_named_and_not_there_is_found() {
        let tree = Tree::from([(PAGE, "# Hazards\n`a_delay_is_no_wait`\n"), ("a.rs", "fn a_delay_is_a_wait() {}\n")]);
        assert_eq!(missing(&tree)[0].1.0, 2);
    }
    #[test]
    fn a_failure_story_names_a_test_that_is_there_and_other_sections_may_name_what_they_like() {
        let chapter = "`not_a_test_here`\n## Failure stories\n`a_delay_is_no_wait`\n## Next\n`nor_is_this_one`\n";
        let tree = Tree::from([("docs/book/src/a.md", chapter), ("a.rs", "")]);
        let faults: Vec<_> = missing(&tree).into_iter().map(|(path, (line, _))| (path, line)).collect();
        assert_eq!(faults, [("docs/book/src/a.md".to_owned(), 3)]);
    }
}
