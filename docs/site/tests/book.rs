//! What is built of a book: all of it or nothing, in place of what was there, and always the same.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use evenkeel_site::{
    build::{self, Options},
    sheets::Sheets,
};
use tempfile::TempDir;

/// A repository of one chapter and two files, and a place for its site.
struct Repository {
    folder: TempDir,
    sheets: Sheets,
}

impl Repository {
    fn new(chapter: &str) -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("a folder"), sheets: Sheets::new(true) };
        repository
            .write("docs/book/book.toml", "[book]\ntitle = \"A book\"\n[output.html.playground]\nrunnable = false\n");
        repository.write("docs/book/src/SUMMARY.md", "# Summary\n\n# One\n\n- [A](a.md)\n  - [Below](below/b.md)\n");
        repository.write("docs/book/src/a.md", chapter);
        repository.write("docs/book/src/below/b.md", "# B\n\n[a](../a.md), [p](../../../examples/p.rs)\n");
        repository.write("docs/examples/p.rs", "//! A program.\n\nfn main() {}\n");
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    fn build(&mut self) -> io::Result<()> {
        let root = self.folder.path().to_owned();
        let options = Options { root, out: self.out(), quick: true, api: None };
        build::build(&options, &mut self.sheets).map(drop)
    }

    fn page(&self, path: &str) -> String {
        fs::read_to_string(self.out().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// Every file of a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.insert(entry.path(), fs::read(entry.path()).expect("a file"));
            }
        }
    }
    files
}

const CHAPTER: &str = "# A\n\n[`Retry`](evenkeel_backoff::Retry), [p](../../examples/p.rs)\n\n{{#charts budgets}}\n\
                       {{#figures budgets 1}}\nThe end.\n";

#[test]
fn the_charts_the_tables_and_the_files_are_in_it() {
    let mut repository = Repository::new(CHAPTER);
    repository.build().expect("a site");
    let page = repository.page("a.html");
    assert_eq!(page.matches("<figure class=\"chart\"").count(), 2, "{page}");
    assert!(page.to_lowercase().contains("viewbox=\"0 0 620 "), "{page}");
    assert!(page.contains("<th>failure rate</th>") && page.contains("<p>The end.</p>"), "{page}");
    assert!(page.contains("<code>Retry</code>, <a href=\"files/docs/examples/p.rs.html\">p</a>"), "{page}");
    assert!(repository.page("below/b.html").contains("<a href=\"../files/docs/examples/p.rs.html\">p</a>"));
    assert!(repository.page("files/docs/examples/p.rs.html").contains("//! A program."));
    assert!(repository.page("files.html").contains("A program."));
    for rows in ["budgets.csv", "budgets.json", "budgets.svg"] {
        assert!(!repository.page(&format!("figures/{rows}")).is_empty(), "{rows}");
    }
}

#[test]
fn the_same_book_makes_the_same_bytes() {
    let mut repository = Repository::new(CHAPTER);
    repository.build().expect("a site");
    let first = files(&repository.out());
    repository.sheets = Sheets::new(true);
    repository.build().expect("a site");
    assert!(first == files(&repository.out()) && first.len() > 20, "{} files", first.len());
}

#[test]
fn a_site_takes_the_place_of_the_one_before_as_a_whole() {
    let mut repository = Repository::new("# A\n");
    repository.build().expect("a site");
    repository.write("site/stale.html", "");
    repository.build().expect("a site");
    assert!(!repository.out().join("stale.html").exists());
    let mut left: Vec<_> = fs::read_dir(repository.folder.path()).expect("a folder").flatten().collect();
    left.retain(|entry| entry.file_name() != "docs");
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn folders_with_names_like_the_sites_are_nobodys_business() {
    let mut repository = Repository::new("# A\n");
    for beside in ["site.old", "site.new"] {
        repository.write(&format!("{beside}/thesis.txt"), "the only copy");
        repository.build().expect("a site");
        repository.build().expect("a site");
        let kept = fs::read_to_string(repository.folder.path().join(beside).join("thesis.txt")).expect("a file");
        assert_eq!(kept, "the only copy");
    }
}

#[test]
fn chapters_with_the_line_ends_of_another_system_make_the_same_site() {
    let mut repository = Repository::new(CHAPTER);
    repository.build().expect("a site");
    let first = repository.page("a.html");
    repository.write("docs/book/src/a.md", &CHAPTER.replace('\n', "\r\n"));
    repository.build().expect("a site");
    assert_eq!(first, repository.page("a.html"));
}

#[test]
fn a_linked_file_that_there_is_not_is_refused_with_its_line() {
    let mut repository = Repository::new("# A\n\n[x](../../gone.rs)\n");
    let why = repository.build().expect_err("refused").to_string();
    assert!(why.starts_with("docs/book/src/a.md:3: links to `docs/gone.rs`, which cannot be read: "), "{why}");
}

#[test]
fn a_program_comes_with_its_modules() {
    let mut repository = Repository::new("# A\n");
    repository.write("docs/examples/p.rs", "//! A program.\n\nmod args;\n\nfn main() {}\n");
    repository.write("docs/examples/p/args.rs", "//! What it is told.\n");
    repository.build().expect("a site");
    let page = repository.page("files/docs/examples/p.rs.html");
    assert!(page.contains("href=\"../../../files/docs/examples/p/args.rs.html\""), "{page}");
    assert!(repository.page("files/docs/examples/p/args.rs.html").contains("//! What it is told."));
    assert!(repository.page("files.html").contains("What it is told."));
}

#[test]
fn a_book_that_cannot_be_built_leaves_the_site_before_as_it_was() {
    let mut repository = Repository::new("# A\n\nThe first.\n");
    repository.build().expect("a site");
    repository.write("docs/book/src/a.md", "# A\n\nThe second.\n\n{{#charts nothing}}\n");
    let why = repository.build().expect_err("refused").to_string();
    assert!(why.starts_with("docs/book/src/a.md:5: there is no experiment `nothing`"), "{why}");
    assert!(repository.page("a.html").contains("The first."));
}

#[test]
fn a_folder_of_something_else_is_not_replaced() {
    let mut repository = Repository::new("# A\n");
    repository.write("site/thesis.txt", "the only copy");
    let why = repository.build().expect_err("refused").to_string();
    assert!(why.ends_with("site is no site: remove it, or name another folder"), "{why}");
    assert_eq!(repository.page("thesis.txt"), "the only copy");
}

#[test]
fn a_missing_chapter_is_refused_and_not_made() {
    let mut repository = Repository::new("# A\n");
    repository.write("docs/book/src/SUMMARY.md", "# Summary\n\n- [A](a.md)\n- [C](c.md)\n");
    let why = repository.build().expect_err("refused").to_string();
    assert!(why.contains("c.md"), "{why}");
    assert!(!repository.folder.path().join("docs/book/src/c.md").exists());
}
