//! Pages for the files of the repository that the book links to: its programs, the alert rules, the dashboard.
//!
//! The repository has more files than a reader of the book wants. A file has a page if a chapter links to it, or a page of
//! such a file does.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::{Refusal, markdown, modules};

/// Where the site keeps them.
pub const FOLDER: &str = "files";

/// The folder of the chapters, from the root of the repository.
pub const BOOK: &str = "docs/book/src";

/// The files that have a page, with their texts, and what is known of the book.
#[derive(Debug, Default)]
pub struct Files {
    chapters: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    /// Linked to, and not read yet; each with the file and the line where that is said.
    open: BTreeMap<String, (String, usize)>,
}

/// A page of a file, in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The file, from the root of the repository.
    pub file: String,
    /// Where mdBook thinks it is, from the folder of the chapters: `.md`, which becomes `.html`.
    pub path: String,
    /// What the file says of itself in a sentence; nothing where it says nothing.
    pub about: String,
    /// The page.
    pub text: String,
}

impl Files {
    /// No file yet, beside these chapters, from the folder of the chapters.
    #[must_use]
    pub fn new(chapters: BTreeSet<String>) -> Self {
        Self { chapters, ..Self::default() }
    }

    /// The page of `file` with its links to other files leading to their pages; those are remembered. `root` is the way from
    /// the page to the root of the site.
    ///
    /// # Errors
    ///
    /// A link that leads out of the repository, or is not written in one piece.
    pub fn linked(&mut self, file: &str, text: &str, root: &str) -> Result<String, Refusal> {
        let refusal = |at: usize, why: String| Refusal { file: file.to_owned(), line: markdown::line(text, at), why };
        let in_book = file.strip_prefix(BOOK).is_some();
        let mut places = Vec::new();
        for (destination, at) in markdown::definitions(text) {
            if is_relative(&destination) && !(in_book && self.is_of_the_book(file, &destination)) {
                return Err(refusal(at, format!("write `{destination}` in the link itself: `[…]({destination})`")));
            }
        }
        for link in markdown::links(text) {
            let destination = &link.destination;
            if !is_relative(destination) || (in_book && self.is_of_the_book(file, destination)) {
                continue;
            }
            let (path, fragment) = destination.find('#').map_or((&**destination, ""), |at| destination.split_at(at));
            let outside = || refusal(link.at.start, format!("`{destination}` leads out of the repository"));
            let target = joined(file, &decoded(path)).ok_or_else(outside)?;
            let from = (file.to_owned(), markdown::line(text, link.at.start));
            places.push((link.at.clone(), format!("{root}{}{fragment}", encoded(&self.page_of(target, from)))));
        }
        Ok(markdown::replaced(text, places))
    }

    /// Reads all files that are linked to, those that their pages link to, and the modules of those in Rust, with `read`, which
    /// is asked for a path from the root of the repository.
    ///
    /// # Errors
    ///
    /// Those of `read`, with the file and the line of the link; and as [`linked`](Self::linked).
    pub fn pages(mut self, read: impl Fn(&str) -> std::io::Result<String>) -> std::io::Result<Vec<Page>> {
        let mut pages = Vec::new();
        while let Some((file, (from, line))) = self.open.pop_first() {
            let text = read(&file).map_err(|error| {
                let why = format!("links to `{file}`, which cannot be read: {error}");
                Refusal { file: from, line, why }
            })?;
            let path = page_path(&file);
            let root = "../".repeat(path.matches('/').count());
            let page = if is_markdown(&file) {
                self.linked(&file, &text, &root)?
            } else if file.ends_with(".rs") {
                let found = modules::of(&file, &text).into_iter();
                let found = found.filter_map(|all| all.into_iter().find(|module| read(module).is_ok()));
                let pages = found.map(|module| {
                    let page = self.page_of(module.clone(), (file.clone(), 1));
                    format!("[`{module}`]({root}{})", encoded(&page))
                });
                code(&file, &text, &pages.collect::<Vec<_>>())
            } else {
                code(&file, &text, &[])
            };
            pages.push(Page { about: about(&file, &text), path, text: page, file: file.clone() });
            self.texts.insert(file, text);
        }
        pages.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(pages)
    }

    /// Within the folder of the chapters mdBook itself sees to the links.
    fn is_of_the_book(&self, file: &str, destination: &str) -> bool {
        let path = destination.split('#').next().unwrap_or_default();
        let target = if path.is_empty() { Some(file.to_owned()) } else { joined(file, &decoded(path)) };
        target.is_some_and(|target| target.strip_prefix(BOOK).is_some())
    }

    /// From the root of the site. `from` is where the file is asked for.
    fn page_of(&mut self, file: String, from: (String, usize)) -> String {
        let chapter = file.strip_prefix(BOOK).and_then(|rest| rest.strip_prefix('/'));
        match chapter {
            Some("SUMMARY.md") => "index.html".to_owned(),
            Some(chapter) if self.chapters.contains(chapter) => html(chapter),
            Some(_) | None => {
                let page = html(&page_path(&file));
                if !self.texts.contains_key(&file) {
                    self.open.entry(file).or_insert(from);
                }
                page
            }
        }
    }
}

/// The page that lists them all, in Markdown, for the folder of the chapters.
#[must_use]
pub fn list(pages: &[Page]) -> String {
    let mut text =
        "# Programs and files\n\nThe programs and files of the repository that the chapters speak of, as they are.\n\n\
                    | file | |\n| --- | --- |\n"
            .to_owned();
    for Page { file, path, about, .. } in pages {
        let about = about.replace('|', "\\|");
        text += &format!("| [`{file}`]({}) | {about} |\n", encoded(&html(path)));
    }
    text
}

fn is_relative(destination: &str) -> bool {
    let is_elsewhere = destination.split(['/', '#']).next().is_some_and(|start| start.contains(':'));
    !destination.is_empty() && !destination.starts_with('#') && !is_elsewhere && !crate::api::is_path(destination)
}

fn is_markdown(file: &str) -> bool {
    file.ends_with(".md")
}

fn page_path(file: &str) -> String {
    let extension = if is_markdown(file) { "" } else { ".md" };
    format!("{FOLDER}/{file}{extension}")
}

fn html(path: &str) -> String {
    format!("{}.html", path.trim_end_matches(".md"))
}

/// What cannot stand as it is in a link of Markdown, or means something else in one.
const SPECIAL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'(').add(b')').add(b'<').add(b'>').add(b'?');

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, SPECIAL).to_string()
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Where a relative link in the file `from` leads; `None` if that is above all files.
pub(crate) fn joined(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!link.starts_with('/')).then(|| parts.join("/"))
}

/// The file as a block of code, highlighted as what it is, with links to the files that it is continued in.
fn code(file: &str, text: &str, modules: &[String]) -> String {
    let language = match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "rs" => "rust",
        "yml" | "yaml" => "yaml",
        "sh" => "bash",
        known @ ("toml" | "json") => known,
        _ => "text",
    };
    let text = if language == "rust" { shown_whole(text) } else { text.to_owned() };
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let modules = if modules.is_empty() { String::new() } else { format!("Its modules: {}.\n\n", modules.join(", ")) };
    format!("# `{file}`\n\n{modules}{fence}{language}\n{text}{end}{fence}\n")
}

/// In Rust, mdBook hides lines that begin with `# `, and takes a second `#` off those with two: in a chapter these are for the
/// doctest, in a whole program they are part of a string.
fn shown_whole(text: &str) -> String {
    let line = |line: &str| {
        let inside = line.trim_start();
        let is_special = inside.trim_end() == "#" || inside.starts_with("# ") || inside.starts_with("##");
        let indent = &line[..line.len() - inside.len()];
        if is_special { format!("{indent}#{inside}") } else { line.to_owned() }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The first sentence of a Rust file's documentation, the title of a page, the first comment of a configuration.
fn about(file: &str, text: &str) -> String {
    let mark = match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "rs" => "//! ",
        "md" | "toml" | "yml" | "yaml" | "sh" => "# ",
        _ => return String::new(),
    };
    let mut lines = text.lines().skip_while(|line| !line.starts_with(mark)).map_while(|line| line.strip_prefix(mark));
    let first = if is_markdown(file) {
        lines.next().unwrap_or_default().to_owned()
    } else {
        lines.collect::<Vec<_>>().join(" ")
    };
    let end = first.find(". ").map_or(first.len(), |at| at + 1);
    first[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn files() -> Files {
        Files::new(BTreeSet::from(["a.md".to_owned(), "b.md".to_owned()]))
    }

    fn read(file: &str) -> io::Result<String> {
        let text = match file {
            "docs/ops/README.md" => {
                "# Alerts\n\n[rules](r.yml), [a](../book/src/a.md#x), [all](../book/src/SUMMARY.md), [me](#y)\n"
            }
            "docs/ops/r.yml" => "# What wakes you.\ngroups: []\n",
            "docs/examples/p.rs" => {
                "//! A program | of two. And more.\n\n#![allow(x)]\nlet a = \"\n# A\n  ## B\n#\n\";\n"
            }
            _ => return Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        Ok(text.to_owned())
    }

    const CHAPTER: &str =
        "[p](../../examples/p.rs), [b](b.md), [ops](../../ops/README.md#z), [n](https://a.b), [me](#c)\n";

    #[test]
    fn a_link_to_a_file_leads_to_its_page_and_the_others_stay() {
        let page = files().linked("docs/book/src/a.md", CHAPTER, "").expect("links");
        let expected = "[p](files/docs/examples/p.rs.html), [b](b.md), [ops](files/docs/ops/README.html#z), \
                        [n](https://a.b), [me](#c)\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_file_that_is_linked_to_brings_those_that_it_links_to() {
        let mut files = files();
        files.linked("docs/book/src/a.md", CHAPTER, "").expect("links");
        let pages = files.pages(read).expect("pages");
        let paths: Vec<_> = pages.iter().map(|page| (&*page.path, &*page.about)).collect();
        let expected = [
            ("files/docs/examples/p.rs.md", "A program | of two."),
            ("files/docs/ops/README.md", "Alerts"),
            ("files/docs/ops/r.yml.md", "What wakes you."),
        ];
        assert_eq!(paths, expected);
        let readme = "# Alerts\n\n[rules](../../../files/docs/ops/r.yml.html), [a](../../../a.html#x), \
                      [all](../../../index.html), [me](#y)\n";
        assert_eq!(pages[1].text, readme);
        assert!(
            list(&pages)
                .contains("| [`docs/examples/p.rs`](files/docs/examples/p.rs.html) | A program \\| of two. |\n")
        );
    }

    #[test]
    fn a_program_is_shown_whole() {
        let page = code("docs/examples/p.rs", &read("docs/examples/p.rs").expect("a program"), &[]);
        assert!(page.starts_with("# `docs/examples/p.rs`\n\n```rust\n//! A program"), "{page}");
        assert!(page.contains("\n#![allow(x)]\n") && page.contains("\n## A\n  ### B\n##\n\";\n```\n"), "{page}");
        assert!(code("a.md.txt", "a\n```\n", &[]).contains("\n````text\na\n```\n````\n"));
    }

    #[test]
    fn a_file_that_there_is_not_is_refused() {
        let mut files = files();
        files.linked("docs/book/src/a.md", "\n[x](../../gone.rs)", "").expect("links");
        let why = files.pages(read).expect_err("refused").to_string();
        assert!(why.starts_with("docs/book/src/a.md:2: links to `docs/gone.rs`, which cannot be read: "), "{why}");
    }

    #[test]
    fn a_link_out_of_the_repository_or_apart_is_refused_with_its_line() {
        let why = |text: &str| files().linked("docs/book/src/a.md", text, "").expect_err("refused").to_string();
        assert!(why("\n[x](../../../../y)").starts_with("docs/book/src/a.md:2: `../../../../y` leads out of"));
        assert!(why("[x]\n\n[x]: ../../y.rs\n").starts_with("docs/book/src/a.md:3: write `../../y.rs` in the link"));
        assert!(files().linked("docs/book/src/a.md", "[x]\n\n[x]: b.md\n", "").is_ok());
    }

    #[test]
    fn a_program_brings_its_modules() {
        let mut files = files();
        files.linked("docs/book/src/a.md", "[x](../../t/x.rs)", "").expect("links");
        let read = |file: &str| match file {
            "docs/t/x.rs" => Ok("//! X.\nmod y;\nmod none;\n".to_owned()),
            "docs/t/x/y.rs" => Ok("//! Y.\n".to_owned()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let pages = files.pages(read).expect("pages");
        assert_eq!(pages.len(), 2);
        let links =
            "# `docs/t/x.rs`\n\nIts modules: [`docs/t/x/y.rs`](../../../files/docs/t/x/y.rs.html).\n\n```rust\n";
        assert!(pages[0].text.starts_with(links), "{}", pages[0].text);
        assert_eq!(pages[1].file, "docs/t/x/y.rs");
    }

    #[test]
    fn a_name_that_is_written_for_the_web_is_read_as_it_is() {
        let mut files = files();
        let page = files.linked("docs/book/src/a.md", "[x](../../my%20p%23.rs#y)", "").expect("links");
        assert_eq!(page, "[x](files/docs/my%20p%23.rs.html#y)");
        let pages = files.pages(|file| Ok(file.to_owned())).expect("pages");
        assert_eq!(pages[0].file, "docs/my p#.rs");
        assert!(list(&pages).contains("](files/docs/my%20p%23.rs.html)"));
    }
}
