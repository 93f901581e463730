//! What carries credentials, by its name: of headers, and of parameters of a query.

use super::percent::{Tail, decoded};

/// The part of `name` that says that it carries credentials. Rather one too many: an id whose name has such a part by chance is
/// missing in the report, and a secret would be in it.
pub(super) fn credential(name: &str) -> Option<&'static str> {
    let name = name.as_bytes();
    // A key by which nobody is let in.
    if name.ends_with(b"idempotency-key") {
        return None;
    }
    (0..name.len()).find_map(|at| {
        let (begins_word, rest) = (at == 0 || !name[at - 1].is_ascii_alphanumeric(), &name[at..]);
        let is_it = |part: &&&str| begins(rest, part) && !is_harmless(name, rest);
        let is_word = |word: &&&str| begins_word && begins(rest, word) && ends_word(rest, word.len());
        let mut parts = parts_from(rest[0]).iter().filter(is_it);
        parts.next().or_else(|| words_from(rest[0]).iter().find(is_word)).copied()
    })
}

/// Whether a query's parameter of this name carries credentials; the name is as it is in the URL.
pub(super) fn parameter(name: &str) -> bool {
    // Not of headers, nor as a word in a longer name: a code is mostly something else.
    let is_it = |name: &str| name.eq_ignore_ascii_case("code") || credential(name).is_some();
    if !name.contains('%') {
        return is_it(name);
    }
    let mut plain = Tail::default();
    decoded(name).for_each(|byte| plain.push(byte));
    // A name that is too long to be looked through, or is no text, may be anything.
    plain.length() > Tail::BYTES || std::str::from_utf8(plain.bytes()).map_or(true, is_it)
}

/// The parts that begin with this letter. Each header of each request is asked for them, so most letters end the search.
const fn parts_from(letter: u8) -> &'static [&'static str] {
    match letter.to_ascii_lowercase() {
        b'a' => &["auth"],
        b'c' => &["cookie", "credential"],
        b'j' => &["jwt"],
        b'k' => &["key"],
        b'p' => &["passw"],
        b's' => &["secret", "session", "signature"],
        b't' => &["token"],
        _ => &[],
    }
}

/// What is too short to be looked for within words.
const fn words_from(letter: u8) -> &'static [&'static str] {
    match letter.to_ascii_lowercase() {
        b'p' => &["pass", "pwd"],
        b's' => &["sig"],
        _ => &[],
    }
}

/// Whether the word that begins here is a common one that has such a part by chance: of many of them, a request would seem to
/// have more secrets than can be told apart.
fn is_harmless(name: &[u8], rest: &[u8]) -> bool {
    let is = |word: &str| begins(rest, word) && ends_word(rest, word.len());
    ["author", "authors", "keyword", "keywords"].iter().any(|word| is(word)) || begins(name, "max") && is("tokens")
}

fn begins(text: &[u8], with: &str) -> bool {
    text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
}

fn ends_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}
