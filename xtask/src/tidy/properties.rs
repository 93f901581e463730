//! The rule for the book's table of properties: it has every file of them, their names, and how many cases they run.

use std::collections::BTreeMap;

use super::{Fault, TreeRule, tree::Tree};
use crate::workspace::LIBRARIES;

pub(super) const RULES: &[TreeRule] = &[TreeRule { name: "stale-properties", check: stale }];

const PAGE: &str = "docs/book/src/verified.md";

/// What proptest runs where nothing else is said.
const CASES: u32 = 256;

/// The properties of a file, and how many cases each runs.
#[derive(Debug, PartialEq, Eq)]
struct Properties {
    names: Vec<String>,
    cases: u32,
}

fn stale(tree: &Tree) -> Vec<(String, Fault)> {
    let page = tree.text(PAGE).unwrap_or_default();
    let mut rows: BTreeMap<&str, (usize, Properties)> =
        page.lines().enumerate().filter_map(|(index, line)| Some((index + 1, row(line)?))).map(by_path).collect();
    let of_libraries = |path: &str| LIBRARIES.iter().any(|library| path.starts_with(&format!("{library}/")));
    let files = tree.texts().filter(|(path, _)| path.ends_with(".rs") && of_libraries(path));
    let mut faults = Vec::new();
    for (path, found) in files.filter_map(|(path, text)| Some((path, properties(text)?))) {
        match rows.remove(path) {
            Some((_, said)) if said == found => {}
            Some((line, _)) => faults.push((line, format!("it is `{}`", found.row(path)))),
            None => faults.push((1, format!("add to the table of properties `{}`", found.row(path)))),
        }
    }
    faults.extend(rows.into_iter().map(|(path, (line, _))| (line, format!("there are no properties in {path}"))));
    faults.into_iter().map(|fault| (PAGE.to_owned(), fault)).collect()
}

impl Properties {
    /// As it should stand in the table.
    fn row(&self, path: &str) -> String {
        format!("| `{path}` | `{}` | {} |", self.names.join("`, `"), self.cases)
    }
}

fn by_path((line, (path, said)): (usize, (&str, Properties))) -> (&str, (usize, Properties)) {
    (path, (line, said))
}

/// Of a line of the table: a path in backquotes, names in backquotes, a number.
fn row(line: &str) -> Option<(&str, Properties)> {
    let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
    let path = cells.next()?.strip_suffix('`').filter(|path| path.ends_with(".rs"))?;
    let names = cells.next()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let cases = cells.next()?.parse().ok()?;
    cells.next().is_none().then_some((path, Properties { names, cases }))
}

/// The properties in a source that has any. What the blocks of one file say of cases must be the same.
fn properties(text: &str) -> Option<Properties> {
    let (mut names, mut cases) = (Vec::new(), CASES);
    let mut inside: Option<usize> = None;
    for line in text.lines() {
        let (code, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        match inside {
            None if code == "proptest! {" => inside = Some(indent),
            Some(block) if indent == block && code == "}" => inside = None,
            Some(block) if indent == block + 4 && code.starts_with("fn ") => {
                names.extend(code.strip_prefix("fn ").and_then(|code| code.split('(').next()).map(str::to_owned));
            }
            Some(_) if code.starts_with("#![proptest_config(") => cases = configured(code).unwrap_or(cases),
            Some(_) | None => {}
        }
    }
    (!names.is_empty()).then_some(Properties { names, cases })
}

/// Of `with_cases(1_000)` or `cases: 1_000`.
fn configured(code: &str) -> Option<u32> {
    let (_, number) = code.split_once("with_cases(").or_else(|| code.split_once("cases: "))?;
    let digits = number.split(|c: char| !(c.is_ascii_digit() || c == '_')).next()?;
    digits.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn helper() {}
proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn all_is_well(x in any::<u8>()) {
        fn not_this() {}
    }
}
fn nor_this() {}
";

    #[test]
    fn a_table_that_says_what_there_is_is_in_order() {
        let row = "# Verified\n\n| `budget/tests/a.rs` | `all_is_well` | 1000 |\n";
        let tree = Tree::from([(PAGE, row), ("budget/tests/a.rs", SOURCE), ("docs/tests/b.rs", SOURCE)]);
        assert_eq!(stale(&tree), []);
    }

    #[test]
    fn another_count_another_name_a_missing_row_and_one_too_many_are_found() {
        let source = [("budget/tests/a.rs", SOURCE)];
        let faults = |row: &str| stale(&Tree::from([(PAGE, row), source[0]])).len();
        assert_eq!(faults("| `budget/tests/a.rs` | `all_is_well` | 256 |\n"), 1);
        assert_eq!(faults("| `budget/tests/a.rs` | `all_was_well` | 1000 |\n"), 1);
        assert_eq!(faults(""), 1);
        assert_eq!(faults("| `budget/tests/a.rs` | `all_is_well` | 1000 |\n| `b.rs` | `a` | 1 |\n"), 1);
    }

    #[test]
    fn where_nothing_is_configured_it_is_the_default() {
        assert_eq!(properties("proptest! {\n    fn a() {}\n}\n").map(|found| found.cases), Some(CASES));
        assert_eq!(configured("#![proptest_config(ProptestConfig::with_cases(512))]"), Some(512));
    }
}
