//! The site of this very book, with quick charts and without the API.

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use evenkeel_site::{
    build::{self, Options},
    check::Report,
    markdown,
    sheets::Sheets,
};
use html5gum::{StartTag, Token, Tokenizer};

struct Site {
    report: Report,
    /// All that is HTML, by path.
    pages: BTreeMap<String, String>,
}

/// Built once for all tests of the file.
fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { quick: true, ..Options::new(folder.path().join("site")) };
        let report = build::build(&options, &mut Sheets::new(true)).unwrap_or_else(|error| panic!("{error}"));
        let mut pages = BTreeMap::new();
        read(&options.out, "", &mut pages);
        Site { report, pages }
    })
}

fn read(folder: &Path, path: &str, pages: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = format!("{path}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), pages);
        } else if path.ends_with(".html") {
            pages.insert(path, fs::read_to_string(entry.path()).expect("a page"));
        }
    }
}

/// The chapters of the summary, from the folder of the chapters, with their texts.
fn chapters() -> Vec<(String, String)> {
    let folder = Options::new("unused".into()).root.join("docs/book/src");
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let links = markdown::links(&read("SUMMARY.md"));
    let chapters: Vec<_> = links.into_iter().map(|link| (link.destination.clone(), read(&link.destination))).collect();
    assert!(chapters.len() >= 13, "{}", chapters.len());
    chapters
}

fn tags(html: &str) -> impl Iterator<Item = StartTag<()>> {
    Tokenizer::new(html).flatten().filter_map(|token| match token {
        Token::StartTag(tag) => Some(tag),
        _ => None,
    })
}

fn value(tag: &StartTag<()>, name: &[u8]) -> String {
    tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

#[test]
fn it_has_a_page_for_each_chapter_and_the_first_is_its_front() {
    for (chapter, _) in chapters() {
        let page = chapter.replace(".md", ".html");
        assert!(site().pages.contains_key(&page), "{page}");
    }
    let first = &chapters()[0].1;
    let title = first.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a title");
    assert!(site().pages["index.html"].contains(title), "{title}");
}

#[test]
fn every_page_that_asks_for_charts_has_them_and_nothing_is_left_to_resolve() {
    let mut charts = 0;
    for (chapter, text) in chapters() {
        let page = &site().pages[&chapter.replace(".md", ".html")];
        let asks = text.lines().any(|line| line.starts_with("{{#charts "));
        assert_eq!(page.contains("<figure class=\"chart\""), asks, "{chapter}");
        charts += page.matches("<figure class=\"chart\"").count();
        // Where it stands in code it is meant to be read.
        let written = markdown::code(&text).into_iter().map(|place| text[place].matches("{{#").count());
        assert_eq!(page.matches("{{#").count(), written.sum::<usize>(), "{chapter}");
    }
    assert!(charts >= 9, "{charts}");
}

#[test]
fn a_picture_says_what_it_shows_by_ids_that_are_there_once() {
    for (path, page) in &site().pages {
        let named: Vec<String> = tags(page)
            .filter(|tag| &**tag.name == b"svg" && tag.attributes.contains_key(b"role".as_slice()))
            .flat_map(|tag| {
                assert_eq!(value(&tag, b"role"), "img", "{path}");
                value(&tag, b"aria-labelledby").split(' ').map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for id in named {
            assert_eq!(tags(page).filter(|tag| value(tag, b"id") == id).count(), 1, "{id} in {path}");
        }
    }
}

#[test]
fn no_page_fetches_anything_from_another_host_or_sends_code_there() {
    for (path, page) in &site().pages {
        for tag in tags(page) {
            let loads = match &**tag.name {
                b"script" | b"img" | b"iframe" | b"source" => value(&tag, b"src"),
                b"link" => value(&tag, b"href"),
                _ => continue,
            };
            assert!(!loads.contains("//"), "{path} loads {loads}");
        }
        assert!(!page.contains("class=\"playground\""), "{path}");
        assert!(!page.contains("MathJax"), "{path}");
    }
}

#[test]
fn a_file_that_a_chapter_speaks_of_has_a_page() {
    let page = &site().pages["files/docs/examples/reqwest_client.rs.html"];
    assert!(page.contains("language-rust") && page.contains("//! Around `reqwest`"));
    let page = &site().pages["files/docs/ops/README.html"];
    assert!(page.contains("href=\"../../../files/docs/ops/dashboard.json.html\""));
    assert!(page.contains("href=\"../../../playbook.html\""));
}

#[test]
fn the_tests_behind_a_page_have_pages_of_their_own() {
    for file in ["docs/tests/peers/jitter.rs", "docs/examples/retry/args.rs", "docs/examples/model_api/providers.rs"] {
        assert!(site().pages.contains_key(&format!("files/{file}.html")), "{file}");
    }
}

#[test]
fn every_page_holds_below_any_path_of_a_host() {
    for (path, page) in &site().pages {
        for tag in tags(page) {
            assert!(&**tag.name != b"base", "{path}");
            for name in [&b"href"[..], b"src", b"action"] {
                assert!(!value(&tag, name).starts_with('/'), "{path}: {}", value(&tag, name));
            }
        }
    }
    let lost: Vec<_> = tags(&site().pages["404.html"]).collect();
    // An empty icon is in the page itself: without one a browser asks for `/favicon.ico`.
    let elsewhere = |address: String| !address.is_empty() && address != "data:,";
    let fetches = |tag: &StartTag<()>| [&b"href"[..], b"src"].iter().any(|name| elsewhere(value(tag, name)));
    assert!(lost.len() > 5 && !lost.iter().any(fetches), "it is shown at any address, and needs nothing there");
}

#[test]
fn a_page_with_quick_charts_says_so() {
    for (path, page) in &site().pages {
        let has_figures = page.contains("<figure class=\"chart\"") || page.contains("<details class=\"figures\"");
        // What was measured is recorded, and the same in a quick site.
        let is_recorded = path == "performance.html";
        assert_eq!(page.contains("<p class=\"quick\">"), has_figures && !is_recorded, "{path}");
    }
}

#[test]
fn no_link_is_broken() {
    assert!(site().report.broken.is_empty(), "{:?}", site().report);
}
