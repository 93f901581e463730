//! Whether every link of a built site leads somewhere: to a file of the site, and to a place on the page.
//!
//! The site is read as it lies on the disk, and nothing is fetched. Scripts are not run either: what only they can make, links
//! as well as ids, is for the test in a browser.

mod address;
mod page;
mod report;
mod style;

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    net::IpAddr,
    path::Path,
};

pub use report::{Broken, Report, Why};

use address::{Address, Place};
use page::Page;

/// How many pages may send a reader on to the next before it counts as a circle.
const FORWARDS: usize = 8;

/// Says of each link in the HTML, SVG and CSS files of the folder `site` whether it leads somewhere.
///
/// A link to a folder leads to its `index.html`. One with a fragment leads to an `id`, or an `<a name>`, of the page; where that
/// page only sends the reader on (`<meta http-equiv="refresh">`), of the one after it. A range of lines in rustdoc's sources
/// (`#12-30`) leads to its first and its last line. Two elements of one page with the same `id` are broken as well, and so is
/// an `aria-labelledby`, `aria-describedby`, `aria-controls` or `for` without its element.
///
/// A site may lie below a path of its host, so that a link from the host's root, as `/a.html`, is broken too, and so is a
/// `<base>` like it. What is on another host is counted by host, and otherwise believed; a link to the reader's own machine,
/// as `http://localhost/`, is broken.
///
/// # Errors
///
/// If the folder, or a file in it, cannot be read. A link in the file system is not followed: what it leads to is not part of
/// the site.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let site = tempfile::tempdir()?;
/// std::fs::write(site.path().join("index.html"), r##"<h1 id="top">One</h1> <a href="two.html#there">two</a>"##)?;
/// std::fs::write(site.path().join("two.html"), r##"<a href="index.html#top">back</a>"##)?;
///
/// let report = evenkeel_site::check::links(site.path())?;
/// assert_eq!((report.pages, report.links), (2, 2));
/// assert_eq!(report.broken[0].to_string(), "index.html: `two.html#there` leads to no `there` on two.html");
/// # Ok(())
/// # }
/// ```
pub fn links(site: &Path) -> io::Result<Report> {
    let site = Site::read(site)?;
    let mut report = Report::default();
    for (path, page) in &site.pages {
        report.pages += usize::from(kind(path) == Kind::Html);
        for id in &page.twice {
            report.broken(path, id, Why::TwiceTheId);
        }
        for id in page.named.iter().filter(|id| !page.ids.contains(*id)) {
            report.broken(path, id, Why::NoElement);
        }
        let base = match &page.base {
            Some(href) => match Address::of(path).join(href) {
                Place::Inside(base) => base,
                Place::Rooted => {
                    report.broken(path, href, Why::RootedBase);
                    continue;
                }
                // All of the page's relative links would lead to another host.
                Place::Host(_) | Place::Elsewhere | Place::Outside | Place::Unknown => {
                    report.broken(path, href, Why::ForeignBase);
                    continue;
                }
            },
            None => Address::of(path),
        };
        for link in &page.links {
            report.links += 1;
            match base.join(link) {
                Place::Host(host) if is_this_machine(&host) => report.broken(path, link, Why::ThisMachine),
                Place::Host(host) => *report.hosts.entry(host).or_default() += 1,
                Place::Elsewhere => {}
                Place::Rooted => report.broken(path, link, Why::Rooted),
                Place::Outside => report.broken(path, link, Why::Outside),
                Place::Unknown => report.broken(path, link, Why::NoAddress),
                Place::Inside(to) => {
                    if let Err(why) = site.leads(&to) {
                        report.broken(path, link, why);
                    }
                }
            }
        }
    }
    Ok(report)
}

/// Every file of the site by its path with slashes, and what stands in those that have links.
struct Site {
    files: HashMap<String, Kind>,
    pages: BTreeMap<String, Page>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Html,
    Svg,
    Css,
    Other,
    Folder,
}

fn kind(path: &str) -> Kind {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Kind::Html,
        Some("svg") => Kind::Svg,
        Some("css") => Kind::Css,
        Some(_) | None => Kind::Other,
    }
}

impl Site {
    fn read(root: &Path) -> io::Result<Self> {
        let mut site = Self { files: HashMap::from([(String::new(), Kind::Folder)]), pages: BTreeMap::new() };
        site.enter(root, "")?;
        Ok(site)
    }

    fn enter(&mut self, folder: &Path, within: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{within}{}", entry.file_name().to_string_lossy());
            let file_type = entry.file_type()?;
            if file_type.is_dir() {
                self.enter(&entry.path(), &format!("{path}/"))?;
                self.files.insert(path, Kind::Folder);
            } else if file_type.is_file() {
                let kind = kind(&path);
                let page = match kind {
                    Kind::Html | Kind::Svg => Some(Page::of_html(&fs::read(entry.path())?)),
                    Kind::Css => Some(Page::of_css(&String::from_utf8_lossy(&fs::read(entry.path())?))),
                    Kind::Other | Kind::Folder => None,
                };
                self.pages.extend(page.map(|page| (path.clone(), page)));
                self.files.insert(path, kind);
            }
        }
        Ok(())
    }

    /// Whether there is a file at this address, and on it what the fragment names.
    fn leads(&self, to: &Address) -> Result<(), Why> {
        let mut at = self.file(&to.path())?;
        let Some((raw, fragment)) = to.fragment() else { return Ok(()) };
        for _ in 0..FORWARDS {
            // In what is neither, a fragment means something to the program that reads it, or nothing.
            let (Kind::Html | Kind::Svg, Some(page)) = (kind(&at), self.pages.get(&at)) else { return Ok(()) };
            if page.has(&raw) || page.has(&fragment) || is_range(&at, &fragment, page) {
                return Ok(());
            }
            let Some(forward) = &page.forward else { return Err(Why::NoFragment { page: at, fragment }) };
            match Address::of(&at).join(forward) {
                Place::Inside(next) => at = self.file(&next.path())?,
                Place::Host(_) | Place::Elsewhere => return Ok(()),
                // Reported where it stands.
                Place::Rooted | Place::Outside | Place::Unknown => return Err(Why::NoFragment { page: at, fragment }),
            }
        }
        Err(Why::Circle { page: at })
    }

    /// The file that a server would answer with.
    fn file(&self, path: &str) -> Result<String, Why> {
        let trimmed = path.trim_end_matches('/');
        match self.files.get(trimmed) {
            Some(Kind::Folder) => {
                let index = if trimmed.is_empty() { "index.html".to_owned() } else { format!("{trimmed}/index.html") };
                if self.files.contains_key(&index) { Ok(index) } else { Err(Why::NoIndex) }
            }
            Some(Kind::Html | Kind::Svg | Kind::Css | Kind::Other) if trimmed == path => Ok(path.to_owned()),
            Some(_) | None => Err(Why::NoFile),
        }
    }
}

/// A host that is another machine for each reader, and for most no server at all.
fn is_this_machine(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// Rustdoc's pages of sources give each line an id, and a script marks the lines of a range.
fn is_range(path: &str, fragment: &str, page: &Page) -> bool {
    path.ends_with(".rs.html")
        && fragment.split_once('-').is_some_and(|(first, last)| page.has(first) && page.has(last))
}
