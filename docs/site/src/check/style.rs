//! Links in CSS: `url(…)`, and `@import` with a string.

/// The links of a style sheet, or of a `style` attribute, as they stand there. Comments have none.
pub(super) fn links(css: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut rest = css;
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some(inner) = strip(rest, "url(") {
            let (link, after) = url(inner);
            links.push(link);
            rest = after;
        } else if let Some(inner) = strip(rest, "@import") {
            let inner = inner.trim_start();
            if let Some((link, after)) = string(inner) {
                links.push(link);
                rest = after;
            } else {
                rest = inner;
            }
        } else if let Some((_, after)) = string(rest) {
            rest = after;
        } else if first.is_alphanumeric() || first == '-' || first == '_' {
            // A longer name, as `curl(`, is none.
            rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    links
}

fn strip<'a>(css: &'a str, word: &str) -> Option<&'a str> {
    let head = css.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &css[word.len()..])
}

/// What stands before the closing parenthesis, and what comes after it.
fn url(inner: &str) -> (String, &str) {
    let inner = inner.trim_start();
    if let Some((link, after)) = string(inner) {
        return (link, after.split_once(')').map_or("", |(_, after)| after));
    }
    let (link, after) = inner.split_once(')').unwrap_or((inner, ""));
    (link.trim_end().to_owned(), after)
}

/// A string that begins here, and what comes after it.
fn string(css: &str) -> Option<(String, &str)> {
    let quote = css.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let mut text = String::new();
    let mut chars = css.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            // Of the escapes, only those that stand for themselves: the others are not for links.
            '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
            // A string ends with its line, closed or not.
            '\n' => return Some((text, &css[at..])),
            c if c == quote => return Some((text, &css[at + 1..])),
            c => text.push(c),
        }
    }
    Some((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_however_they_are_quoted() {
        let css = r#"@import "a.css"; @import url(b.css); a { background: URL( "c d.png" ) } b { src: url('e.woff2')
            format("woff2"), url( f.woff ) }"#;
        assert_eq!(links(css), ["a.css", "b.css", "c d.png", "e.woff2", "f.woff"]);
    }

    #[test]
    fn comments_strings_and_longer_names_hold_none() {
        assert_eq!(links(r#"/* url(a) */ a::before { content: "url(b)"; x: my-url(c) curl(d) }"#), [""; 0]);
    }

    #[test]
    fn a_sheet_that_ends_too_early_is_read_to_its_end() {
        for css in ["url(", "url(\"", "url('a", "@import", "@import '", "/*", "\"", "'\\", "url(ä", "ä\"\\ä"] {
            assert!(links(css).len() <= 1, "{css}");
        }
    }
}
