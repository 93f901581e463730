//! Rules for every text file.

use super::{Fault, Rule, faulty_lines};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "tab", applies: any, check: tabs },
    Rule { name: "trailing-space", applies: any, check: trailing_space },
    Rule { name: "final-newline", applies: any, check: final_newline },
    Rule { name: "machine-path", applies: any, check: machine_paths },
];

/// Where machines keep people's files. In two parts, so that this file may be checked too.
const HOMES: [&str; 4] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

fn any(_: &str) -> bool {
    true
}

fn tabs(text: &str) -> Vec<Fault> {
    faulty_lines(text, "indent with spaces", |line| line.contains('\t'))
}

/// A carriage return counts: it is at the end of every line that has one.
fn trailing_space(text: &str) -> Vec<Fault> {
    faulty_lines(text, "end the line after its last character", |line| line.ends_with(char::is_whitespace))
}

fn final_newline(text: &str) -> Vec<Fault> {
    if text.is_empty() || text.ends_with('\n') {
        return Vec::new();
    }
    vec![(text.lines().count(), "end the file with a newline".to_owned())]
}

fn machine_paths(text: &str) -> Vec<Fault> {
    let advice = "name the place from the root of the repository: this path is on one machine alone";
    faulty_lines(text, advice, |line| HOMES.iter().any(|home| has_absolute(line, home)))
}

/// Whether the path begins here, rather than going on from a host or a folder before it.
fn has_absolute(line: &str, home: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "._-~})".contains(c);
    line.match_indices(home).any(|(at, _)| !line[..at].ends_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::{super::lines, *};

    #[test]
    fn tabs_are_found() {
        assert_eq!(lines(&tabs("a\n\tb\nc\td\n")), [2, 3]);
        assert!(tabs("a\n    b\n").is_empty());
    }

    #[test]
    fn spaces_and_carriage_returns_at_the_end_of_a_line_are_found() {
        assert_eq!(lines(&trailing_space("a \nb\r\nc\n  \n")), [1, 2, 4]);
        assert!(trailing_space("a\n\n b\n").is_empty());
    }

    #[test]
    fn the_last_line_must_end() {
        assert_eq!(lines(&final_newline("a\nb")), [2]);
        assert!(final_newline("a\nb\n").is_empty());
        assert!(final_newline("").is_empty());
    }

    #[test]
    fn a_path_on_one_machine_is_found_and_a_relative_one_is_not() {
        let absolute = HOMES.map(|home| format!("see `{home}me/x`\n")).concat();
        assert_eq!(lines(&machine_paths(&absolute)), [1, 2, 3, 4]);
        assert_eq!(lines(&machine_paths(&format!("file://{}me\n", HOMES[0]))), [1]);
        let relative = HOMES.map(|home| format!("https://example.com{home} ..{home} docs{home}\n")).concat();
        assert!(machine_paths(&relative).is_empty());
    }
}
