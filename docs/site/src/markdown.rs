//! What of a text in Markdown is a link, and what is code.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};

/// A link whose destination stands in it: `[text](destination)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as it is written.
    pub destination: String,
    /// The place of the destination in the text.
    pub at: Range<usize>,
    /// The place of the whole link.
    pub whole: Range<usize>,
    /// The place of what is shown for it.
    pub shown: Range<usize>,
}

/// All links of a text, in its order. Those whose destination stands elsewhere (`[text][name]`, `<https://…>`) are not among
/// them.
#[must_use]
pub fn links(text: &str) -> Vec<Link> {
    let inline = events(text).filter_map(|(event, whole)| match event {
        Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, .. }) => Some((dest_url, whole)),
        _ => None,
    });
    let found = inline.filter_map(|(destination, whole)| {
        // What is shown may have brackets of its own, in code; the destination has none.
        let between = whole.start + text[whole.clone()].rfind("](")?;
        let at = between + 2 + text[between + 2..whole.end].find(&*destination)?;
        let shown = whole.start + 1..between;
        Some(Link { at: at..at + destination.len(), destination: destination.into_string(), whole, shown })
    });
    found.collect()
}

/// The destinations that are written apart from their links, `[name]: destination`, with their places.
#[must_use]
pub fn definitions(text: &str) -> Vec<(String, usize)> {
    let parser = Parser::new_ext(text, options());
    let mut all: Vec<_> = parser.reference_definitions().iter().collect();
    all.sort_by_key(|(_, definition)| definition.span.start);
    all.into_iter().map(|(_, definition)| (definition.dest.to_string(), definition.span.start)).collect()
}

/// The places of code, in blocks and within lines.
#[must_use]
pub fn code(text: &str) -> Vec<Range<usize>> {
    let code = events(text).filter(|(event, _)| matches!(event, Event::Start(Tag::CodeBlock(_)) | Event::Code(_)));
    code.map(|(_, place)| place).collect()
}

/// The text with some places of it replaced. The places must not overlap.
#[must_use]
pub fn replaced(text: &str, mut by: Vec<(Range<usize>, String)>) -> String {
    by.sort_by_key(|(place, _)| place.start);
    let mut whole = String::with_capacity(text.len());
    let mut done = 0;
    for (place, new) in by {
        whole += &text[done..place.start];
        whole += &new;
        done = place.end;
    }
    whole + &text[done..]
}

/// The text with the ends of lines that Markdown has here, whatever the editor has made of them.
#[must_use]
pub fn with_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The number of the line of a place, from 1.
#[must_use]
pub fn line(text: &str, place: usize) -> usize {
    1 + text[..place].matches('\n').count()
}

/// The text as HTML that shows it as it is.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn events(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(text, options()).into_offset_iter()
}

/// As rustdoc and mdBook read the chapters, in what matters for links.
fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_with_its_places_and_one_in_code_is_none() {
        let text = "A [`b[0]`](c/d.rs \"e\"),\n`[f](g)` and\n\n```text\n[h](i)\n```\n| [j](k::L) |\n| --- |\n";
        let links = links(text);
        let seen: Vec<_> = links.iter().map(|link| (&text[link.shown.clone()], &text[link.at.clone()])).collect();
        assert_eq!(seen, [("`b[0]`", "c/d.rs"), ("j", "k::L")]);
        assert_eq!(&text[links[0].whole.clone()], "[`b[0]`](c/d.rs \"e\")");
        assert_eq!(line(text, links[1].at.start), 7);
    }

    #[test]
    fn a_destination_that_is_the_end_of_what_is_shown_is_replaced_where_it_leads() {
        let text = "[see b](b) or [c](<d e>)";
        let at: Vec<_> = links(text).into_iter().map(|link| (link.at, "x".to_owned())).collect();
        assert_eq!(replaced(text, at), "[see b](x) or [c](<x>)");
    }

    #[test]
    fn definitions_are_found_in_their_order() {
        let text = "[z] and [a]\n\n[z]: one.md\n[a]: two.rs\n";
        assert_eq!(definitions(text), [("one.md".to_owned(), 13), ("two.rs".to_owned(), 25)]);
    }

    #[test]
    fn code_is_known_in_blocks_and_within_lines() {
        let text = "a `b` c\n\n```sh\nd\n```\n";
        let code: Vec<_> = code(text).into_iter().map(|place| &text[place]).collect();
        assert_eq!(code, ["`b`", "```sh\nd\n```"]);
    }

    #[test]
    fn what_html_would_take_for_its_own_is_escaped() {
        assert_eq!(escaped("a < \"b\" && c"), "a &lt; &quot;b&quot; &amp;&amp; c");
    }
}
