//! Addresses within the site, and what a link on a page makes of them.

use percent_encoding::percent_decode_str;
use url::Url;

/// A host that no one can have, and a folder in it, so that `..` can be seen to leave the site.
const ROOT: &str = "http://site.invalid/within/";

/// Schemes that lead to no page: a browser does something else with them.
const ELSEWHERE: &[&str] = &["about", "blob", "data", "javascript", "mailto", "tel"];

/// A file or folder of the site, perhaps not there, and a place in it.
#[derive(Clone, Debug)]
pub(super) struct Address(Url);

/// What a link leads to.
#[derive(Debug)]
pub(super) enum Place {
    /// The site itself.
    Inside(Address),
    /// Another host, by its name.
    Host(String),
    /// No page at all, as `mailto:`.
    Elsewhere,
    /// The root of the host, or a place below it: where that is in the site depends on where the site lies.
    Rooted,
    /// Beside the site, by too many `..`.
    Outside,
    /// What no browser could follow.
    Unknown,
}

impl Address {
    /// The address of a file of the site.
    pub(super) fn of(path: &str) -> Self {
        let mut url = Url::parse(ROOT).expect("a constant that the tests below read");
        url.path_segments_mut().expect("`http` has a path").pop_if_empty().extend(path.split('/'));
        Self(url)
    }

    /// What a link means that stands on the page of this address, as a browser reads it.
    pub(super) fn join(&self, link: &str) -> Place {
        // A browser drops these, and what is around a link.
        let link: String = link.trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "");
        if link.strip_prefix(['/', '\\']).is_some_and(|rest| !rest.starts_with(['/', '\\'])) {
            return Place::Rooted;
        }
        let Ok(url) = self.0.join(&link) else { return Place::Unknown };
        match (url.scheme(), url.host_str()) {
            ("http", Some("site.invalid")) if url.path().starts_with("/within/") => Place::Inside(Self(url)),
            ("http", Some("site.invalid")) => Place::Outside,
            ("http" | "https", Some(host)) => Place::Host(host.to_owned()),
            (scheme, _) if ELSEWHERE.contains(&scheme) => Place::Elsewhere,
            (_, _) => Place::Unknown,
        }
    }

    /// The path in the site, decoded, without a slash before it.
    pub(super) fn path(&self) -> String {
        let path = self.0.path().strip_prefix("/within/").unwrap_or_default();
        percent_decode_str(path).decode_utf8_lossy().into_owned()
    }

    /// The name of the place on the page, as it stands and decoded; `None` for the page as a whole and for its top. A browser
    /// looks for both, in this order: rustdoc has ids with `%3C` in them.
    pub(super) fn fragment(&self) -> Option<(String, String)> {
        let fragment = self.0.fragment()?;
        // What follows is for the browser alone: text to be marked.
        let fragment = fragment.split(":~:").next().unwrap_or(fragment);
        let decoded = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        let top = decoded.is_empty() || decoded.eq_ignore_ascii_case("top");
        (!top).then(|| (fragment.to_owned(), decoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(from: &str, link: &str) -> String {
        match Address::of(from).join(link) {
            Place::Inside(to) => format!("{} {}", to.path(), to.fragment().unwrap_or_default().1),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_link_is_read_as_a_browser_reads_it() {
        assert_eq!(to("a/b.html", "c.html"), "a/c.html ");
        assert_eq!(to("a/b.html", " ../c.html?q=/x#y "), "c.html y");
        assert_eq!(to("a/b.html", "#%C3%A4"), "a/b.html ä");
        assert_eq!(to("a/b.html", "?x"), "a/b.html ");
        assert_eq!(to("a/b.html", ""), "a/b.html ");
        assert_eq!(to("a/b.html", "#TOP"), "a/b.html ");
        assert_eq!(to("a/b.html", "#x:~:text=y"), "a/b.html x");
        assert_eq!(to("a/b.html", "./c%20d/"), "a/c d/ ");
        assert_eq!(to("a/b.html", "./a:b"), "a/a:b ");
        assert_eq!(to("a b.html", "./"), " ");
        assert_eq!(to("100%.html", "#x"), "100%.html x");
        assert_eq!(to("a.html", "b\n.html"), "b.html ");
    }

    #[test]
    fn what_is_not_in_the_site_is_told_apart() {
        assert_eq!(to("a.html", "../a.html"), "Outside");
        assert_eq!(to("a.html", "%2e%2e/a.html"), "Outside");
        for rooted in ["/", "/a", "\\a", " /a:b", "/\t../a", "/?q", "/#x"] {
            assert_eq!(to("a/b.html", rooted), "Rooted", "{rooted}");
        }
        assert_eq!(to("a.html", "//docs.rs/x"), "Host(\"docs.rs\")");
        assert_eq!(to("a.html", "https://docs.rs"), "Host(\"docs.rs\")");
        assert_eq!(to("a.html", "JavaScript:void(0)"), "Elsewhere");
        assert_eq!(to("a.html", "crate::Retry"), "Unknown");
        assert_eq!(to("a.html", "file:///a.html"), "Unknown");
        assert_eq!(to("a.html", "http://"), "Unknown");
    }
}
