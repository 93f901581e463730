//! Rules for every Rust file.

use super::{
    Fault, Rule,
    source::{code, has_word, start_of_tests},
};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "long-file", applies: is_rust, check: long_file },
    Rule { name: "first-line", applies: is_rust, check: first_line },
    Rule { name: "unfinished", applies: is_rust, check: unfinished },
    Rule { name: "ignored-test", applies: is_rust, check: ignored_tests },
    Rule { name: "test-name", applies: is_rust, check: test_names },
    Rule { name: "sleeping-test", applies: is_test, check: sleeping_everywhere },
    Rule { name: "sleeping-unit-test", applies: is_rust, check: sleeping_in_unit_tests },
];

const MAX_LINES: usize = 400;
// In two parts, so that this file may be checked too.
const UNFINISHED: [&str; 3] = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
pub(super) const SLEEP: &str = concat!("thread::", "sleep(");

pub(super) fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn is_test(path: &str) -> bool {
    is_rust(path) && path.split('/').any(|folder| folder == "tests")
}

fn long_file(text: &str) -> Vec<Fault> {
    let count = text.lines().count();
    if count <= MAX_LINES {
        return Vec::new();
    }
    vec![(MAX_LINES + 1, format!("split it: a file is one idea, and these are {count} lines of at most {MAX_LINES}"))]
}

fn first_line(text: &str) -> Vec<Fault> {
    let first = text.lines().position(|line| !line.trim().is_empty()).unwrap_or(0);
    if text.lines().nth(first).is_some_and(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![(first + 1, "begin with `//!` and one sentence on what the file is for".to_owned())]
}

/// In examples as well, which are code that runs.
fn unfinished(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for call in UNFINISHED.into_iter().filter(|call| has_word(line, call)) {
            faults.push((index + 1, format!("finish it, or take it out: `{call}…)`")));
        }
    }
    faults
}

fn ignored_tests(text: &str) -> Vec<Fault> {
    let ignored = |(_, code): &(usize, &str)| code.trim_start().starts_with("#[ignore");
    let advice = "a test runs every time, or goes";
    code(text).filter(ignored).map(|(line, _)| (line, advice.to_owned())).collect()
}

fn test_names(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut is_test = false;
    for (line, code) in code(text) {
        let code = code.trim();
        if code.starts_with("#[") {
            is_test |= code.contains("test]") || code.contains("test(");
        } else if !code.is_empty() {
            if is_test && has_word(code, "fn") && code.contains("fn test_") {
                faults.push((line, "name the test with the sentence that it proves, without `test_`".to_owned()));
            }
            is_test = false;
        }
    }
    faults
}

fn sleeping_everywhere(text: &str) -> Vec<Fault> {
    sleeping_from(text, 1)
}

fn sleeping_in_unit_tests(text: &str) -> Vec<Fault> {
    sleeping_from(text, start_of_tests(text))
}

fn sleeping_from(text: &str, first: usize) -> Vec<Fault> {
    let sleeping = code(text).filter(|&(line, code)| line >= first && code.contains(SLEEP));
    let advice = "move a clock by hand: a test that sleeps is slow, and fails on a busy machine";
    sleeping.map(|(line, _)| (line, advice.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::lines, *};

    #[test]
    fn a_file_may_have_four_hundred_lines_and_no_more() {
        assert!(long_file(&"a\n".repeat(400)).is_empty());
        assert_eq!(lines(&long_file(&"a\n".repeat(401))), [401]);
    }

    #[test]
    fn a_file_begins_by_saying_what_it_is_for() {
        assert!(first_line("\n//! One idea.\nuse a;\n").is_empty());
        assert_eq!(lines(&first_line("\n// One idea.\n")), [2]);
        assert_eq!(lines(&first_line("")), [1]);
    }

    #[test]
    fn unfinished_code_is_found_and_a_longer_name_is_not() {
        let text = UNFINISHED.map(|call| format!("    {call})\n/// {call})\n")).concat();
        assert_eq!(lines(&unfinished(&text)), [1, 2, 3, 4, 5, 6]);
        assert!(unfinished(&format!("my_{})\n", UNFINISHED[0])).is_empty());
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_eq!(lines(&ignored_tests("#[test]\n#[ignore]\nfn a() {}\n    #[ignore = \"slow\"]\n")), [2, 4]);
        assert!(ignored_tests("#[test]\nfn a() {} // #[ignore]\n").is_empty());
    }

    #[test]
    fn a_test_is_a_sentence_and_a_helper_may_be_called_anything() {
        let named = "#[test]\nfn test_a() {}\n#[tokio::test(start_paused = true)]\n// Why.\nasync fn test_b() {}\n";
        assert_eq!(lines(&test_names(named)), [2, 5]);
        assert!(test_names("#[test]\nfn a_is_b() {}\nfn test_clock() {}\n").is_empty());
    }

    #[test]
    fn a_test_does_not_sleep_and_may_pass_on_what_does() {
        let text = format!("fn a() {{ {SLEEP}d) }}\n#[cfg(test)]\nmod tests {{\n    {SLEEP}d);\n}}\n");
        assert_eq!(lines(&sleeping_in_unit_tests(&text)), [4]);
        assert_eq!(lines(&sleeping_everywhere(&text)), [1, 4]);
        assert!(sleeping_everywhere("run_blocking(std::thread::sleep)\n").is_empty());
    }

    #[test]
    fn tests_are_what_stands_in_a_folder_of_tests() {
        assert!(is_test("breaker/tests/models.rs") && is_test("breaker/tests/common/mod.rs"));
        assert!(!is_test("breaker/src/lib.rs") && !is_test("breaker/tests/seeds.txt"));
    }
}
