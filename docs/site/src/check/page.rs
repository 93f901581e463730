//! What a page says of itself: its links, the places on it, and where it sends its reader.

use std::collections::{BTreeMap, BTreeSet};

use html5gum::{DefaultEmitter, HtmlString, Spanned, State, Token, Tokenizer};

use super::style;

/// The links and ids of an HTML or SVG file, or the links of a style sheet.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// All links, in the order in which they stand on the page.
    pub(super) links: Vec<String>,
    /// What a fragment may name.
    pub(super) ids: BTreeSet<String>,
    /// The ids that more than one element has, once each.
    pub(super) twice: BTreeSet<String>,
    /// The ids by which an element says which other one names it.
    pub(super) named: BTreeSet<String>,
    /// What links are relative to, where that is not the page itself.
    pub(super) base: Option<String>,
    /// The page to which this one sends its reader on.
    pub(super) forward: Option<String>,
    /// Names that are no ids: `<a name>`, and a fragment may name them all the same.
    anchors: BTreeSet<String>,
}

type Attributes = BTreeMap<HtmlString, Spanned<HtmlString, ()>>;

/// Attributes with one link, and the element that must have them, where others mean something else by it.
const LINKS: &[(&[u8], Option<&[u8]>)] = &[
    (b"href", None),
    (b"xlink:href", None),
    (b"src", None),
    (b"poster", None),
    (b"background", None),
    (b"action", Some(b"form")),
    (b"formaction", None),
    (b"data", Some(b"object")),
];

/// Attributes with the ids of other elements of the page, one or more, and the element that must have them, as in [`LINKS`].
const IDS: &[(&[u8], Option<&[u8]>)] = &[
    (b"aria-labelledby", None),
    (b"aria-describedby", None),
    (b"aria-controls", None),
    (b"for", Some(b"label")),
    (b"for", Some(b"output")),
];

/// mdBook's field for searching says that what describes it is here. The element has another name since its 0.5, and that
/// is not for the site to mend.
const DEAD_IN_MDBOOK: (&str, &str) = ("mdbook-searchbar", "searchresults-header");

impl Page {
    /// Reads HTML, or SVG, of any kind, even what is no HTML at all.
    pub(super) fn of_html(html: &[u8]) -> Self {
        Self::read(html, false)
    }

    /// `framed` is what stands in an attribute of another page; such a page in it is not read, or it could go on for long.
    fn read(html: &[u8], framed: bool) -> Self {
        let mut page = Self::default();
        let mut tokens = Tokenizer::new_with_emitter(html, DefaultEmitter::default());
        let mut in_style = false;
        while let Some(Ok(token)) = tokens.next() {
            match token {
                Token::StartTag(tag) => {
                    page.element(&tag.name, &tag.attributes);
                    if let Some(html) = tag.attributes.get(&b"srcdoc"[..]).filter(|_| !framed) {
                        page.frame(&Self::read(html, true));
                    }
                    in_style = tag.name.as_slice() == b"style";
                    if let Some(state) = text_of(&tag.name).filter(|_| !tag.self_closing) {
                        tokens.set_state(state);
                    }
                }
                Token::String(css) if in_style => page.links.extend(style::links(&String::from_utf8_lossy(&css))),
                Token::EndTag(_) => in_style = false,
                Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        page
    }

    /// Reads a style sheet.
    pub(super) fn of_css(css: &str) -> Self {
        Self { links: style::links(css), ..Self::default() }
    }

    /// Whether a fragment may name this.
    pub(super) fn has(&self, fragment: &str) -> bool {
        self.ids.contains(fragment) || self.anchors.contains(fragment)
    }

    /// Takes the links of a page within this one. They are relative to this one; places on that one are for itself alone.
    fn frame(&mut self, page: &Self) {
        self.links.extend(page.links.iter().filter(|link| !link.starts_with('#')).cloned());
    }

    fn element(&mut self, name: &[u8], attributes: &Attributes) {
        let value = |of: &[u8]| attributes.get(of).map(|value| String::from_utf8_lossy(value).into_owned());
        if let Some(id) = value(b"id") {
            if !self.ids.insert(id.clone()) {
                self.twice.insert(id);
            }
        }
        for (attribute, _) in IDS.iter().filter(|(_, of)| of.is_none_or(|of| of == name)) {
            let ids = value(attribute).unwrap_or_default();
            let is_dead = |id: &str| value(b"id").is_some_and(|own| (own.as_str(), id) == DEAD_IN_MDBOOK);
            let alive = ids.split_ascii_whitespace().filter(|id| *attribute != b"aria-describedby" || !is_dead(id));
            self.named.extend(alive.map(str::to_owned));
        }
        match name {
            b"base" => self.base = self.base.take().or_else(|| value(b"href")),
            b"a" => self.anchors.extend(value(b"name")),
            b"meta" if value(b"http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh")) => {
                self.forward = value(b"content").as_deref().and_then(refresh).map(str::to_owned);
                self.links.extend(self.forward.clone());
            }
            _ => {}
        }
        // The base is no link itself: pages beneath it are.
        for (attribute, of) in LINKS.iter().filter(|_| name != b"base") {
            if of.is_none_or(|of| of == name) {
                self.links.extend(value(attribute));
            }
        }
        for set in [&b"srcset"[..], b"imagesrcset"] {
            self.links.extend(candidates(&value(set).unwrap_or_default()));
        }
        // Not only `style`: in SVG, `fill` and others as well.
        for value in attributes.values().filter(|value| value.windows(4).any(|four| four == b"url(")) {
            self.links.extend(style::links(&String::from_utf8_lossy(value)));
        }
    }
}

/// How the text of an element is to be read that is no HTML. With `<noscript>` it is: a reader without scripts follows its links.
fn text_of(name: &[u8]) -> Option<State> {
    match name {
        b"title" | b"textarea" => Some(State::RcData),
        b"script" => Some(State::ScriptData),
        b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" => Some(State::RawText),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

/// The address in `0; url=…`.
fn refresh(content: &str) -> Option<&str> {
    let (_, after) = content.split_once([';', ','])?;
    let after = after.trim_start();
    let address = match after.get(..3) {
        Some(head) if head.eq_ignore_ascii_case("url") => after[3..].trim_start().strip_prefix('=')?.trim(),
        _ => after.trim(),
    };
    let address = match address.chars().next()? {
        quote @ ('"' | '\'') => address[1..].split(quote).next()?,
        _ => address,
    };
    Some(address)
}

/// The addresses of a `srcset`, each before its width or density.
fn candidates(set: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = set;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return found;
        }
        // Commas within belong to it, as in `data:`; those at its end part it from the next.
        let (address, after) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()));
        let whole = address.trim_end_matches(',');
        found.push(whole.to_owned());
        rest = if whole.len() < address.len() { after } else { after.split_once(',').map_or("", |(_, next)| next) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidates_of_a_set_end_at_space_or_at_a_comma_before_it() {
        assert_eq!(candidates("a.png, b.png 2x,c.png 3x , d.png"), ["a.png", "b.png", "c.png", "d.png"]);
        assert_eq!(candidates("data:image/png;base64,AA 1x, b.png"), ["data:image/png;base64,AA", "b.png"]);
        assert_eq!(candidates(" , ,"), [""; 0]);
    }

    #[test]
    fn a_refresh_has_its_address_after_the_seconds() {
        assert_eq!(refresh("0; url=a.html"), Some("a.html"));
        assert_eq!(refresh("0;URL='a b.html'"), Some("a b.html"));
        assert_eq!(refresh("5, a.html"), Some("a.html"));
        assert_eq!(refresh("5"), None);
        assert_eq!(refresh("5;"), None);
    }

    #[test]
    fn links_in_scripts_titles_and_comments_are_text() {
        let page = Page::of_html(
            b"<title><a href=1></title><script>'<a href=2>'</script><!-- <a href=3> --><noscript><a href=4></noscript>
              <iframe src=5><a href=6></iframe><style>a { background: url(7) }</style><svg fill='url(#8)'/>",
        );
        assert_eq!(page.links, ["4", "5", "7", "#8"]);
    }
}
