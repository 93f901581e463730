//! The rule for the book's evidence: a test that the page of hazards names is there.

use std::collections::HashSet;

use super::{Fault, TreeRule, tree::Tree};

pub(super) const RULES: &[TreeRule] = &[TreeRule { name: "missing-evidence", check: missing }];

const PAGE: &str = "docs/book/src/verified.md";

fn missing(tree: &Tree) -> Vec<(String, Fault)> {
    let sources = tree.texts().filter(|(path, _)| path.ends_with(".rs"));
    let tests: HashSet<&str> = sources.flat_map(|(_, text)| text.lines().filter_map(function)).collect();
    let page = tree.text(PAGE).unwrap_or_default();
    let named = page.lines().enumerate().flat_map(|(index, line)| names(line).map(move |name| (index + 1, name)));
    let missing = named.filter(|(_, name)| !tests.contains(name));
    missing
        .map(|(line, name)| (PAGE.to_owned(), (line, format!("there is no test `{name}`: name the one there is"))))
        .collect()
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
}
