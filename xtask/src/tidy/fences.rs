//! The rule for examples: each of them runs.

use super::{Fault, Rule, rust::is_rust};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "idle-doctest", applies: is_rust, check: in_doc_comments },
    Rule { name: "idle-example", applies: is_markdown, check: in_markdown },
];

pub(super) fn is_markdown(path: &str) -> bool {
    path.ends_with(".md")
}

fn in_doc_comments(text: &str) -> Vec<Fault> {
    let doc = |line: &str| {
        let line = line.trim_start();
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or_default().to_owned()
    };
    idle(text.lines().map(doc))
}

fn in_markdown(text: &str) -> Vec<Fault> {
    idle(text.lines().map(str::to_owned))
}

fn idle(lines: impl Iterator<Item = String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in lines.enumerate() {
        let Some(attributes) = fence(&line) else { continue };
        let mut words = attributes.split([',', ' ', '{', '}']);
        if let Some(word) = words.find(|word| *word == "no_run" || word.starts_with("ignore")) {
            faults.push((index + 1, format!("make the example run, and assert: `{word}` hides that it is wrong")));
        }
    }
    faults
}

/// What follows the marks of a code fence, if the line is one; in a quote or a list too.
pub(super) fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || " >-*.)".contains(c));
    let mark = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark))?;
    Some(line.trim_start_matches(&mark[..1]).trim())
}

#[cfg(test)]
mod tests {
    use super::{super::lines, *};

    #[test]
    fn a_fence_in_a_numbered_list_is_one() {
        assert_eq!(fence("1. ```rust,ignore"), Some("rust,ignore"));
        assert_eq!(fence("1. ignore it"), None);
    }

    #[test]
    fn an_example_that_does_not_run_is_found_in_a_doc_comment() {
        let text = "/// ```no_run\n/// ```\n//! ```rust,ignore\n    /// ```ignore-windows\n";
        assert_eq!(lines(&in_doc_comments(text)), [1, 3, 4]);
        assert!(in_doc_comments("/// ```should_panic\n// ```ignore\nlet a = \"```ignore\";\n").is_empty());
    }

    #[test]
    fn an_example_that_does_not_run_is_found_in_a_chapter() {
        assert_eq!(lines(&in_markdown("> ```rust, no_run\n~~~{.rust .x} ignore\n")), [1, 2]);
        assert!(in_markdown("We never write `no_run` or `ignore`.\n\n```text\nignore\n```\n").is_empty());
    }
}
