//! Links to the API, which rustdoc has resolved, and rustdoc's pages, with a way back to the book.
//!
//! The chapters are documented as modules of `evenkeel-docs`, so rustdoc knows where each path in them leads, and fails on
//! one that leads nowhere. Its page of a chapter has the same links in the same order, with a URL in place of the path.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use html5gum::{StartTag, Token, Tokenizer};

use crate::{
    Refusal,
    files::joined,
    markdown::{self, Link},
};

/// Where the site keeps rustdoc's pages.
pub const FOLDER: &str = "api";

/// What rustdoc has made, as `cargo xtask docs` leaves it in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    folder: PathBuf,
}

impl Api {
    /// `folder` has the pages of the libraries in `doc`, and those of the chapters in `chapters`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Copies the pages of the libraries, each HTML page with a link to the book's first page on it. rustdoc has no page above
    /// the crates, and links to it all the same: it sends the reader on to the book's page of them.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    pub fn copy(&self, site: &Path) -> io::Result<()> {
        copied(&self.folder.join("doc"), &site.join(FOLDER), 1)?;
        let to = if site.join("api.html").exists() { "../api.html" } else { "../index.html" };
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"refresh\" content=\"0;URL={to}\">\n<title>The API</title>\n</head>\n\
             <body><p><a href=\"{to}\">The API</a></p></body>\n</html>\n"
        );
        fs::write(site.join(FOLDER).join("index.html"), page)
    }

    /// The links to the API that rustdoc has found in a chapter, in its order: each with its title and its URL from the root
    /// of the site.
    fn links(&self, module: &str) -> io::Result<Vec<Resolved>> {
        let page = self.folder.join("chapters").join(module).join("index.html");
        let html = fs::read_to_string(&page);
        let html = html.map_err(|error| io::Error::other(format!("rustdoc's page {}: {error}", page.display())))?;
        Ok(resolved_by_rustdoc(&html))
    }

    /// Seen from another crate, an item is where it is defined. If that is a private module, there is only a page that sends the
    /// reader on to where it is public.
    fn public(&self, url: &str) -> String {
        let (page, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
        let html = fs::read_to_string(self.folder.join("doc").join(page)).unwrap_or_default();
        let (_, rest) = html.split_once("http-equiv=\"refresh\" content=\"0;URL=").unwrap_or_default();
        match rest.split_once('"').and_then(|(to, _)| joined(page, to)) {
            Some(to) => format!("{to}{fragment}"),
            None => url.to_owned(),
        }
    }
}

/// Whether a link leads to an item of a crate: its destination is a path of Rust.
#[must_use]
pub fn is_path(destination: &str) -> bool {
    let path = destination.split_once('@').map_or(destination, |(_, path)| path);
    let word = |c: char| c.is_alphanumeric() || "_:()!#".contains(c);
    (path.contains("::") || path.starts_with("evenkeel_")) && path.chars().all(word)
}

/// The chapter with the links to the API that rustdoc has resolved, or without any where there is no API: then only what is
/// shown for them stays. `file` is its path from the root of the repository, `root` the way to the root of the site.
///
/// # Errors
///
/// When rustdoc's page has other links than the chapter: it is of another state of the chapter. A link to the API as a URL,
/// which rustdoc cannot look after.
pub fn resolved(file: &str, text: &str, root: &str, api: Option<&Api>) -> Result<String, Refusal> {
    let refusal = |at: usize, why: String| Refusal { file: file.to_owned(), line: markdown::line(text, at), why };
    let apart = markdown::definitions(text).into_iter().find(|(destination, _)| is_path(destination));
    if let Some((path, at)) = apart {
        return Err(refusal(at, format!("write the path `{path}` in the link itself: `[…]({path})`")));
    }
    if let Some((url, at)) = typed(file, text) {
        let why =
            format!("`{url}` is typed: write the path of the item, `[…](evenkeel_…::…)`, and let rustdoc resolve it");
        return Err(refusal(at, why));
    }
    let paths: Vec<Link> = markdown::links(text).into_iter().filter(|link| is_path(&link.destination)).collect();
    let Some(first) = paths.first() else { return Ok(text.to_owned()) };
    let Some(api) = api else {
        let plain = paths.iter().map(|link| (link.whole.clone(), text[link.shown.clone()].to_owned()));
        return Ok(markdown::replaced(text, plain.collect()));
    };
    let module = module(file);
    let found = api.links(&module).map_err(|error| refusal(first.at.start, error.to_string()))?;
    if found.len() != paths.len() {
        let (ours, theirs) = (paths.len(), found.len());
        let why = format!("{ours} links to the API from here on, and {theirs} on rustdoc's page: build that again");
        return Err(refusal(first.at.start, why));
    }
    let mut places = Vec::new();
    for (link, Resolved { title, url }) in paths.iter().zip(found) {
        let path = &link.destination;
        if last(&title) != last(path) {
            return Err(refusal(link.at.start, format!("`{path}`, where rustdoc has `{title}`")));
        }
        let inside = url.strip_prefix("../../../").map(|inside| format!("{root}{FOLDER}/{}", api.public(inside)));
        let url = inside.or_else(|| url.starts_with("https://").then(|| url.clone()));
        let unknown = || refusal(link.at.start, format!("`{path}` leads to `{title}`, which is not on the site"));
        places.push((link.at.clone(), url.ok_or_else(unknown)?));
    }
    Ok(markdown::replaced(text, places))
}

/// A URL of the API, on this site or on docs.rs, that stands in a chapter outside of code.
fn typed(file: &str, text: &str) -> Option<(String, usize)> {
    let folder = format!("{}/{FOLDER}", crate::files::BOOK);
    let is_api = |link: &str| {
        let path = link.split(['#', '?']).next().unwrap_or_default();
        !link.contains("://") && joined(file, path).is_some_and(|to| Path::new(&to).starts_with(&folder))
    };
    let links = markdown::links(text).into_iter().map(|link| (link.destination, link.at.start));
    let on_site = links.chain(markdown::definitions(text)).find(|(link, _)| is_api(link));
    let code = markdown::code(text);
    let elsewhere = || {
        let places = text.match_indices("docs.rs/evenkeel").map(|(at, _)| at);
        let at = places.into_iter().find(|at| !code.iter().any(|place| place.contains(at)))?;
        let end =
            text[at..].find(|c: char| c.is_whitespace() || ")>\"]".contains(c)).map_or(text.len(), |end| at + end);
        Some((text[at..end].to_owned(), at))
    };
    on_site.or_else(elsewhere)
}

/// The module that a chapter is the documentation of.
fn module(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.trim_end_matches(".md").replace('-', "_")
}

/// The last name of a path or of a title of rustdoc's: `run` of `evenkeel_backoff::Retry::run()`.
fn last(path: &str) -> &str {
    let path = path.split('#').next().unwrap_or(path).trim_end_matches(['(', ')', '!']);
    path.rsplit([':', ' ', '@']).next().unwrap_or(path)
}

#[derive(Debug, PartialEq, Eq)]
struct Resolved {
    /// Kind and path: `struct evenkeel_backoff::Retry`.
    title: String,
    url: String,
}

/// The links in the text of a page that have a kind and a path for their title.
fn resolved_by_rustdoc(html: &str) -> Vec<Resolved> {
    let text = html.split_once("class=\"docblock\"").map_or("", |(_, text)| text);
    let tags = Tokenizer::new(text).flatten().filter_map(|token| match token {
        Token::StartTag(tag) if &**tag.name == b"a" => Some(tag),
        _ => None,
    });
    let link = |tag: StartTag<()>| {
        let value = |name: &[u8]| Some(String::from_utf8_lossy(tag.attributes.get(name)?).into_owned());
        Some(Resolved { title: value(b"title")?, url: value(b"href")? })
    };
    tags.filter_map(link).filter(|link| is_title(&link.title)).collect()
}

fn is_title(title: &str) -> bool {
    title.rsplit_once(' ').is_some_and(|(_, path)| path.contains("::") || path.starts_with("evenkeel_"))
}

/// `depth` is how many folders `to` is below the root of the site.
fn copied(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // What cargo keeps for itself.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copied(&from, &to, depth + 1)?;
        } else if from.extension().is_some_and(|extension| extension == "html") {
            fs::write(to, of_the_book(&fs::read_to_string(&from)?, depth))?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// A page of rustdoc's with a way back, and in the theme of the book.
fn of_the_book(html: &str, depth: usize) -> String {
    // Before rustdoc's scripts, which set the theme as soon as they are read.
    let theme = format!("<script>{THEME}</script><script");
    with_way_back(&html.replacen("<script", &theme, 1), depth)
}

/// Tells rustdoc of the theme that was chosen in the book, once after each choice: whoever then chooses another one on these
/// pages keeps it. Where there is no storage, as in a frame that has none, each keeps its own.
const THEME: &str = "try{\
const of=localStorage.getItem('mdbook-theme')||'auto';\
if(of!==(localStorage.getItem('evenkeel-theme')||'auto')){\
const to={light:'light',rust:'light',navy:'dark',coal:'dark',ayu:'ayu'}[of];\
localStorage.setItem('evenkeel-theme',of);\
localStorage.setItem('rustdoc-use-system-theme',String(!to));\
if(to)localStorage.setItem('rustdoc-theme',to)\
}}catch{}";

/// The link stands in the page's main part: rustdoc lays that out for phones as well.
fn with_way_back(html: &str, depth: usize) -> String {
    let book = format!("{}index.html", "../".repeat(depth));
    let link = format!("<main><p style=\"margin: 0 0 .75rem\"><a href=\"{book}\">← The book</a></p>");
    html.replacen("<main>", &link, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder as `cargo xtask docs` makes it, with rustdoc's page of `docs/book/src/two-words.md`.
    fn api(links: &str) -> (tempfile::TempDir, Api) {
        let folder = tempfile::tempdir().expect("a folder");
        let page = folder.path().join("chapters/two_words");
        fs::create_dir_all(&page).expect("a folder");
        let html = format!(
            "<a href=\"../index.html\" title=\"mod evenkeel_docs\">x</a><div class=\"docblock\">{links}\
             <a href=\"stack.md\">the stack</a></div>"
        );
        fs::write(page.join("index.html"), html).expect("a page");
        let api = Api::new(folder.path().to_owned());
        (folder, api)
    }

    const TWO: &str = "<a href=\"../../../evenkeel_backoff/struct.Retry.html\" title=\"struct evenkeel_backoff::Retry\">R</a>\
        <a href=\"../../../evenkeel_backoff/struct.Retry.html#method.run\" title=\"method evenkeel_backoff::Retry::run\">r</a>";
    const TEXT: &str = "[`Retry`](evenkeel_backoff::Retry), [stack](stack.md)\n[r](evenkeel_backoff::Retry::run())\n";

    fn resolve(text: &str, api: Option<&Api>) -> Result<String, String> {
        resolved("docs/book/src/two-words.md", text, "", api).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_path_of_rust_is_told_from_a_file_and_a_url() {
        for path in
            ["evenkeel_budget", "evenkeel_backoff::Retry", "struct@evenkeel_backoff::Retry", "std::time::Duration"]
        {
            assert!(is_path(path), "{path}");
        }
        for other in
            ["stack.md", "https://docs.rs/x", "#a", "../../examples/evenkeel_x.rs", "mailto:a@b.c", "evenkeel_x.md"]
        {
            assert!(!is_path(other), "{other}");
        }
    }

    #[test]
    fn a_link_leads_where_rustdoc_says() {
        let (_folder, api) = api(TWO);
        let page = "[`Retry`](api/evenkeel_backoff/struct.Retry.html), [stack](stack.md)\n\
                    [r](api/evenkeel_backoff/struct.Retry.html#method.run)\n";
        assert_eq!(resolve(TEXT, Some(&api)), Ok(page.to_owned()));
    }

    #[test]
    fn a_page_that_only_sends_the_reader_on_is_left_out() {
        let (folder, api) = api("");
        let doc = folder.path().join("doc/evenkeel_backoff/retry");
        fs::create_dir_all(&doc).expect("a folder");
        let html = "<meta http-equiv=\"refresh\" content=\"0;URL=../../evenkeel_backoff/struct.Retry.html\">";
        fs::write(doc.join("struct.Retry.html"), html).expect("a page");
        let page = api.public("evenkeel_backoff/retry/struct.Retry.html#method.run");
        assert_eq!(page, "evenkeel_backoff/struct.Retry.html#method.run");
        assert_eq!(api.public("evenkeel_backoff/struct.Retry.html#a"), "evenkeel_backoff/struct.Retry.html#a");
    }

    #[test]
    fn without_the_api_a_link_is_what_is_shown_for_it() {
        assert_eq!(resolve(TEXT, None), Ok("`Retry`, [stack](stack.md)\nr\n".to_owned()));
    }

    #[test]
    fn another_count_of_links_is_refused() {
        let (_folder, api) = api(TWO);
        let why = resolve("\n[`Retry`](evenkeel_backoff::Retry)\n", Some(&api)).expect_err("refused");
        assert!(why.starts_with("docs/book/src/two-words.md:2: 1 links to the API from here on, and 2 on"), "{why}");
    }

    #[test]
    fn a_link_to_something_else_than_the_chapter_names_is_refused() {
        let (_folder, api) = api(TWO);
        let why = resolve(&TEXT.replace("::run()", "::when"), Some(&api)).expect_err("refused");
        let expected = "docs/book/src/two-words.md:2: `evenkeel_backoff::Retry::when`, where rustdoc has \
                        `method evenkeel_backoff::Retry::run`";
        assert_eq!(why, expected);
    }

    #[test]
    fn a_chapter_that_rustdoc_has_no_page_of_is_refused() {
        let api = Api::new(PathBuf::from("nowhere"));
        let why = resolve(TEXT, Some(&api)).expect_err("refused");
        assert!(why.starts_with("docs/book/src/two-words.md:1: rustdoc's page nowhere"), "{why}");
    }

    #[test]
    fn a_path_apart_from_its_link_is_refused() {
        let why = resolve("[`Retry`][1]\n\n[1]: evenkeel_backoff::Retry\n", None).expect_err("refused");
        assert!(why.starts_with("docs/book/src/two-words.md:3: write the path `evenkeel_backoff::Retry` in"), "{why}");
    }

    #[test]
    fn a_typed_link_to_the_api_is_refused_with_its_line() {
        for (text, url) in [
            ("[r](api/evenkeel_backoff/struct.Retry.html)", "api/evenkeel_backoff/struct.Retry.html"),
            ("[r](./api/#a)", "./api/#a"),
            ("[r][1]\n\n[1]: api/x.html", "api/x.html"),
            ("[r](https://docs.rs/evenkeel-backoff/latest/a.html)", "docs.rs/evenkeel-backoff/latest/a.html"),
            ("<https://docs.rs/evenkeel-budget>", "docs.rs/evenkeel-budget"),
        ] {
            let why = resolve(&format!("# A\n\n{text}\n"), None).expect_err("refused");
            let line = 3 + text.matches('\n').count();
            assert!(why.starts_with(&format!("docs/book/src/two-words.md:{line}: `{url}` is typed: ")), "{why}");
        }
        for fine in ["[a](api.md)", "`docs.rs/evenkeel`", "[t](https://docs.rs/tokio)", "[b](../../api/x.rs)"] {
            assert_eq!(resolve(fine, None), Ok(fine.to_owned()));
        }
        let below = resolved("docs/book/src/below/a.md", "[r](../api/x.html)", "../", None).expect_err("refused");
        assert_eq!(below.line, 1);
    }

    #[test]
    fn every_page_of_the_api_has_a_way_back() {
        let (folder, api) = api("");
        let doc = folder.path().join("doc/evenkeel_x/all");
        fs::create_dir_all(&doc).expect("a folder");
        fs::write(doc.join("a.html"), "<head><script src=\"x.js\"></script></head><body><main><p>a</body>")
            .expect("a page");
        fs::write(doc.join("../b.js"), "<main>").expect("a script");
        fs::write(folder.path().join("doc/.lock"), "").expect("a lock");
        let site = folder.path().join("site");
        api.copy(&site).expect("copied");
        let read = |path: &str| fs::read_to_string(site.join(path)).expect("a file");
        assert!(
            read("api/evenkeel_x/all/a.html")
                .contains("<main><p style=\"margin: 0 0 .75rem\"><a href=\"../../../index.html\">")
        );
        let theme = format!("<head><script>{THEME}</script><script src=\"x.js\"></script></head>");
        assert!(read("api/evenkeel_x/all/a.html").starts_with(&theme), "before rustdoc's own");
        assert_eq!(read("api/evenkeel_x/b.js"), "<main>");
        assert!(!site.join("api/.lock").exists());
        assert!(read("api/index.html").contains("content=\"0;URL=../index.html\""));
        fs::write(site.join("api.html"), "").expect("a page");
        api.copy(&site).expect("copied");
        assert!(read("api/index.html").contains("content=\"0;URL=../api.html\""));
    }
}
