//! Rust source as the rules see it: code without its comments, and where the tests begin.

/// Each line with its number, cut off before a `//`. What looks like a comment inside of a string is lost with it, which no
/// rule minds.
pub(super) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line.split_once("//").map_or(line, |(code, _)| code)))
}

/// The number of the line on which the test module of this file begins; past the end if there is none.
pub(super) fn start_of_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_module =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(is_module).map_or(usize::MAX, |index| index + 1)
}

/// Whether the name occurs on its own, not as the end or the beginning of a longer one.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        let longer = word.ends_with(part) && after.starts_with(part);
        !before.ends_with(part) && !longer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_cut_off() {
        let lines: Vec<_> = code("//! A.\nlet a = 1; // why\n    /// doc\n").collect();
        assert_eq!(lines, [(1, ""), (2, "let a = 1; "), (3, "    ")]);
    }

    #[test]
    fn tests_begin_at_a_module_with_a_body() {
        assert_eq!(start_of_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
        assert_eq!(start_of_tests("#[cfg(test)]\nmod probe;\n\nfn a() {}\n"), usize::MAX);
    }

    #[test]
    fn a_word_is_whole() {
        assert!(has_word("Mutex<T>", "Mutex") && has_word("std::sync::Mutex;", "Mutex"));
        assert!(!has_word("MutexGuard", "Mutex") && !has_word("FairMutex", "Mutex"));
        assert!(has_word("thread::spawn(f)", "thread::spawn") && has_word("a(b!(c))", "b!("));
    }
}
