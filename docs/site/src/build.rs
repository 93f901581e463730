//! Builds the site, and puts it in place as a whole.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use mdbook_driver::{
    MDBook,
    book::{Book, BookItem, Chapter, SectionNumber},
    config::{Config, HtmlConfig, SearchChapterSettings},
};

use crate::{
    api::{self, Api},
    check, figures,
    files::{self, Files},
    lost, markdown,
    place::Place,
    sheets::Sheets,
};

/// What is built, of what, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The root of the repository.
    pub root: PathBuf,
    /// The folder of the site. What is in it is replaced, if it is a site; if not, nothing is built. A symbolic link is followed.
    pub out: PathBuf,
    /// Whether the experiments are run at a fraction of their cost, and less exact.
    pub quick: bool,
    /// What rustdoc has made: in `doc` the pages of the libraries, in `chapters` those of the chapters. Without it the site has
    /// no API, and links to it are plain text.
    pub api: Option<PathBuf>,
}

impl Options {
    /// Of this repository, whole but for the API.
    #[must_use]
    pub fn new(out: PathBuf) -> Self {
        // Asked of the running cargo first: a tree that has been moved may still hold an older binary.
        let site = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Self { root: PathBuf::from(site).join("../.."), out, quick: false, api: None }
    }
}

/// Builds it. `sheets` has what the experiments have shown; those that are missing are run, and kept for the next time.
///
/// # Errors
///
/// When a page asks for something that there is not (a [`Refusal`](crate::Refusal) with its file and line), an experiment
/// fails, a file cannot be read or written, or a link of the site is broken. What was in the folder before is still there.
pub fn build(options: &Options, sheets: &mut Sheets) -> io::Result<check::Report> {
    let place = Place::new(&options.out)?;
    let fresh = place.fresh();
    let root = options.root.join("docs/book");
    let mut mdbook = MDBook::load_with_config(&root, config(&root, &fresh)?).map_err(of_mdbook)?;
    let pages = resolve(&mut mdbook.book, options, sheets)?;
    hide_data_from_search(&mut mdbook.config, &pages)?;
    mdbook.build().map_err(of_mdbook)?;
    lost::write(&fresh)?;
    sheets.write(&fresh.join("figures"))?;
    if let Some(api) = &options.api {
        Api::new(api.clone()).copy(&fresh)?;
    }
    let report = check::links(&fresh)?;
    if !report.broken.is_empty() {
        let broken: Vec<String> = report.broken.iter().map(ToString::to_string).collect();
        return Err(io::Error::other(format!(
            "{}\n{} broken links: nothing is put into {}",
            broken.join("\n"),
            broken.len(),
            options.out.display()
        )));
    }
    place.take()?;
    Ok(report)
}

/// From the book's own file alone: what the environment says would make another book of it.
fn config(root: &Path, out: &Path) -> io::Result<Config> {
    let mut config = Config::from_disk(root.join("book.toml")).map_err(of_mdbook)?;
    config.build.build_dir = std::path::absolute(out)?;
    config.build.create_missing = false;
    // All that is included in a chapter is ours.
    config.build.use_default_preprocessors = false;
    // mdBook's page for what is not there holds in the root of a host alone.
    config.set("output.html.input-404", "").map_err(of_mdbook)?;
    Ok(config)
}

/// Resolves what stands in the chapters, and adds the pages of files.
fn resolve(book: &mut Book, options: &Options, sheets: &mut Sheets) -> io::Result<Vec<files::Page>> {
    let mut wanted = BTreeSet::new();
    let mut chapters = BTreeSet::new();
    book.for_each_chapter_mut(|chapter| chapter.content = markdown::with_lines(&chapter.content));
    for chapter in book.chapters() {
        let path = path_of(chapter);
        wanted.extend(figures::wanted(&format!("{}/{path}", files::BOOK), &chapter.content)?);
        chapters.insert(path);
    }
    sheets.run(&wanted)?;

    let api = options.api.clone().map(Api::new);
    let mut files = Files::new(chapters);
    let mut result = Ok(());
    book.for_each_chapter_mut(|chapter| {
        let path = path_of(chapter);
        let (file, root) = (format!("{}/{path}", files::BOOK), "../".repeat(path.matches('/').count()));
        // In this order: the charts come last, since only they change the numbers of the lines.
        let resolved = api::resolved(&file, &chapter.content, &root, api.as_ref())
            .and_then(|text| files.linked(&file, &text, &root))
            .and_then(|text| figures::resolved(&file, &text, &root, sheets));
        match resolved {
            Ok(text) => chapter.content = text,
            Err(refusal) if result.is_ok() => result = Err(refusal),
            Err(_) => {}
        }
    });
    result?;
    let pages = files.pages(|file| Ok(markdown::with_lines(&fs::read_to_string(options.root.join(file))?)))?;
    add(book, &pages);
    Ok(pages)
}

/// With `/` between its parts on every system.
fn path_of(chapter: &Chapter) -> String {
    let parts = chapter.path.iter().flat_map(|path| path.components());
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The files are below one entry of the side bar, which opens for who is there.
fn add(book: &mut Book, pages: &[files::Page]) {
    const NAME: &str = "Programs and files";
    if pages.is_empty() {
        return;
    }
    // A page is listed below another by its number, which is shown nowhere.
    let next = 1 + book.items.iter().filter(|item| matches!(item, BookItem::Chapter(_))).count();
    let numbers = (0_u32..).map(|number| number + 1);
    let next = u32::try_from(next).unwrap_or(u32::MAX);
    let page = |(number, page): (u32, &files::Page)| {
        let above = vec![NAME.to_owned()];
        let chapter = Chapter::new(&page.file, page.text.clone(), &page.path, above);
        BookItem::Chapter(Chapter { number: Some(SectionNumber::new([next, number])), ..chapter })
    };
    let list = Chapter::new(NAME, files::list(pages), format!("{}.md", files::FOLDER), Vec::new());
    let sub_items = numbers.zip(pages).map(page).collect();
    book.push_item(Chapter { number: Some(SectionNumber::new([next])), sub_items, ..list });
}

/// A dashboard of two thousand lines would be in most results.
fn hide_data_from_search(config: &mut Config, pages: &[files::Page]) -> io::Result<()> {
    let mut html: HtmlConfig = config.html_config().unwrap_or_default();
    let mut search = html.search.take().unwrap_or_default();
    for page in pages.iter().filter(|page| page.file.ends_with(".json")) {
        let mut hidden = SearchChapterSettings::default();
        hidden.enable = Some(false);
        search.chapter.insert(page.path.clone(), hidden);
    }
    html.search = Some(search);
    config.set("output.html", html).map_err(of_mdbook)
}

/// With all that led to it, in one line.
// As `map_err` wants it.
#[allow(clippy::needless_pass_by_value)]
fn of_mdbook(error: mdbook_driver::errors::Error) -> io::Error {
    io::Error::other(format!("mdBook: {error:#}"))
}
