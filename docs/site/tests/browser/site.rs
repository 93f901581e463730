//! The site that is looked at: which pages it has, and which charts each should have.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use evenkeel_site::{
    build::{self, Options},
    serve,
    sheets::Sheets,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::asked::{self, Asked};

/// How many pages within the API are looked at: as many as can be in half a minute, spread over all of them.
const SAMPLE: usize = 30;

pub(crate) struct Site {
    /// `http://127.0.0.1:…`, without a slash after it.
    pub(crate) address: String,
    /// The pages of the book, as paths in the site.
    pub(crate) book: Vec<String>,
    /// The first page of each crate.
    pub(crate) crates: Vec<String>,
    /// Some of the other pages of the API.
    pub(crate) api: Vec<String>,
    /// Whether it is to have an API: one that is built here has none, since that takes rustdoc.
    pub(crate) has_api: bool,
    /// The charts that a page has; others have none.
    pub(crate) charts: BTreeMap<String, Vec<Asked>>,
    server: JoinHandle<io::Result<()>>,
    _folder: Option<TempDir>,
}

impl Site {
    /// All of it: that which `EVENKEEL_SITE` names, or one that is built now.
    pub(crate) async fn whole() -> Self {
        let named = env::var_os("EVENKEEL_SITE");
        let has_api = named.is_some();
        if !has_api {
            println!("skipped: the API, which a site has that `cargo xtask docs` builds and EVENKEEL_SITE names");
        }
        let (root, folder) = match named {
            Some(built) => (PathBuf::from(built), None),
            None => {
                let folder = tempfile::Builder::new().prefix("evenkeel-site").tempdir().expect("a temporary folder");
                (built(folder.path()), Some(folder))
            }
        };
        let charts = asked::by_page(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src"), &root);
        let mut site =
            Self::of(&root, charts.expect("the chapters, and the pictures that they ask for, can be read"), folder)
                .await;
        site.has_api = has_api;
        site
    }

    /// That of a folder.
    pub(crate) async fn of(root: &Path, charts: BTreeMap<String, Vec<Asked>>, folder: Option<TempDir>) -> Self {
        let mut pages = Vec::new();
        walk(root, "", &mut pages).expect("the site can be read");
        pages.sort();
        let (api, book): (Vec<_>, Vec<_>) = pages.into_iter().partition(|page| page.starts_with("api/"));
        let is_index = |page: &String| page.matches('/').count() == 2 && page.ends_with("/index.html");
        let (crates, api): (Vec<_>, Vec<_>) = api.into_iter().partition(is_index);
        let api = api.iter().step_by((api.len() / SAMPLE).max(1)).cloned().collect();
        let (address, serving) = serve::bind(root, 0).await.expect("a free port");
        let server = tokio::spawn(serving);
        Self { address: format!("http://{address}"), book, crates, api, has_api: true, charts, server, _folder: folder }
    }

    pub(crate) fn url(&self, page: &str) -> String {
        format!("{}/{page}", self.address)
    }

    /// The first page that has a chart.
    pub(crate) fn page_with_a_chart(&self) -> Option<&str> {
        self.charts.keys().map(String::as_str).next()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The site of this very book, with quick charts and without the API.
fn built(folder: &Path) -> PathBuf {
    let options = Options { quick: true, ..Options::new(folder.join("site")) };
    build::build(&options, &mut Sheets::new(true)).unwrap_or_else(|error| panic!("{error}"));
    options.out
}

/// All HTML files but those that only send a reader on: where they lead is looked at itself.
fn walk(folder: &Path, within: &str, pages: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{within}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), pages)?;
        } else if path.ends_with(".html") {
            let html = fs::read_to_string(entry.path())?;
            // mdBook's list of chapters is a page for a frame, which only readers without scripts see.
            if path != "toc.html" && !html.contains("http-equiv=\"refresh\"") {
                pages.push(path);
            }
        }
    }
    Ok(())
}
