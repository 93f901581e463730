//! `tidy`: the house rules that a machine can check. Each rule is a pure function; the tables in the files beside this one list them.

mod book;
mod evidence;
mod fences;
mod library;
mod manifest;
mod markdown;
mod properties;
mod rust;
mod source;
mod text;
mod tree;

use std::fmt;

use crate::report::{Report, Stop};
use tree::Tree;

/// The rules that need one file to judge.
const RULES: &[&[Rule]] = &[text::RULES, rust::RULES, library::RULES, fences::RULES, manifest::RULES];
/// The rules that need to know what other files there are.
const TREE_RULES: &[&[TreeRule]] = &[markdown::RULES, book::RULES, evidence::RULES, properties::RULES];

/// Prints every finding as `path:line: rule: what to do`.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    report.check("tidy", "cargo xtask tidy", || {
        let findings = findings(&Tree::of_the_workspace()?);
        for finding in &findings {
            println!("{finding}");
        }
        if findings.is_empty() { Ok(()) } else { Err(format!("{} to put right", findings.len())) }
    })
}

/// A line, counted from one, and what to do about it.
type Fault = (usize, String);

struct Rule {
    name: &'static str,
    /// Which files it is about, by path.
    applies: fn(&str) -> bool,
    /// What is wrong in a text.
    check: fn(&str) -> Vec<Fault>,
}

struct TreeRule {
    name: &'static str,
    /// What is wrong where, by path.
    check: fn(&Tree) -> Vec<(String, Fault)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, advice } = self;
        write!(f, "{path}:{line}: {rule}: {advice}")
    }
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for rule in RULES.iter().copied().flatten().filter(|rule| (rule.applies)(path)) {
            let found = (rule.check)(text).into_iter();
            findings.extend(found.map(|(line, advice)| Finding {
                path: path.to_owned(),
                line,
                rule: rule.name,
                advice,
            }));
        }
    }
    for rule in TREE_RULES.iter().copied().flatten() {
        let found = (rule.check)(tree).into_iter();
        findings.extend(found.map(|(path, (line, advice))| Finding { path, line, rule: rule.name, advice }));
    }
    findings.sort();
    findings
}

/// A fault for each line that fails.
fn faulty_lines(text: &str, advice: &str, is_faulty: impl Fn(&str) -> bool) -> Vec<Fault> {
    let lines = text.split('\n').enumerate();
    lines.filter(|(_, line)| is_faulty(line)).map(|(index, _)| (index + 1, advice.to_owned())).collect()
}

/// The lines alone, for the rules' own tests.
#[cfg(test)]
fn lines(faults: &[Fault]) -> Vec<usize> {
    faults.iter().map(|(line, _)| *line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_an_editor_expects_it() {
        let tree = Tree::from([("a/src/x.rs", "//! X.\n\tfn a() {}\n")]);
        let all: Vec<String> = findings(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(all, ["a/src/x.rs:2: tab: indent with spaces"]);
    }

    #[test]
    fn findings_come_in_the_order_of_the_files_and_their_lines() {
        let tree = Tree::from([("b.md", "x \n\ty\n"), ("a.md", "no end")]);
        let all: Vec<(String, usize)> =
            findings(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        assert_eq!(all, [("a.md".to_owned(), 1), ("b.md".to_owned(), 1), ("b.md".to_owned(), 2)]);
    }

    #[test]
    fn no_two_rules_share_a_name() {
        let single = RULES.iter().copied().flatten().map(|rule| rule.name);
        let mut names: Vec<_> = single.chain(TREE_RULES.iter().copied().flatten().map(|rule| rule.name)).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
