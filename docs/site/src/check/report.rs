//! What was found, for people.

use std::{collections::BTreeMap, fmt};

/// What the links of a site lead to. Its `Display` is one line for each broken link, then the hosts, then the sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many HTML files were read.
    pub pages: usize,
    /// How many links there are in them, and in the SVG and CSS files; those to other hosts are among them.
    pub links: usize,
    /// The links that lead nowhere, by page, in the order in which they stand there.
    pub broken: Vec<Broken>,
    /// How many links lead to which other host.
    pub hosts: BTreeMap<String, usize>,
}

/// A link that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file in which it stands: its path in the site, with slashes.
    pub page: String,
    /// The link as it stands there, or the id.
    pub link: String,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a link leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The site has no such file.
    NoFile,
    /// It leads to a folder without an `index.html`.
    NoIndex,
    /// The page is there, the place on it is not.
    NoFragment {
        /// The page to which it leads.
        page: String,
        /// The id that no element has.
        fragment: String,
    },
    /// The page to which it leads sends the reader on and on.
    Circle {
        /// One of the pages that do.
        page: String,
    },
    /// It begins at the root of the host, and the site may lie below it.
    Rooted,
    /// The page's `<base>` does: none of its links was checked.
    RootedBase,
    /// It leads to the machine of whoever reads it.
    ThisMachine,
    /// It leads out of the folder of the site.
    Outside,
    /// It is no address that a page can have: of a scheme that browsers do not know, or not to be read at all.
    NoAddress,
    /// The page's `<base>` makes all of its links lead elsewhere: none of them was checked.
    ForeignBase,
    /// Two elements of the page have this id: a link leads to the first.
    TwiceTheId,
    /// An `aria-labelledby`, or an attribute like it, asks for the element with this id, and it is not on the page.
    NoElement,
}

impl Report {
    pub(super) fn broken(&mut self, page: &str, link: &str, why: Why) {
        self.broken.push(Broken { page: page.to_owned(), link: link.to_owned(), why });
    }

    /// Whether every link leads somewhere.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for broken in &self.broken {
            writeln!(f, "{broken}")?;
        }
        for (host, links) in &self.hosts {
            writeln!(f, "{links:>6} to {host}, not followed")?;
        }
        write!(f, "{} pages, {} links, {} broken", self.pages, self.links, self.broken.len())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.page, self.link, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => write!(f, "leads to no file"),
            Self::NoIndex => write!(f, "leads to a folder without an index.html"),
            Self::NoFragment { page, fragment } => write!(f, "leads to no `{fragment}` on {page}"),
            Self::Circle { page } => write!(f, "is sent on in a circle, by {page} too"),
            Self::Rooted => write!(f, "begins at the root of the host, and the site may lie below it"),
            Self::RootedBase => {
                write!(f, "as the base of all links is the root of the host, and the site may lie below it")
            }
            Self::ThisMachine => write!(f, "leads to the reader's own machine"),
            Self::Outside => write!(f, "leads out of the site"),
            Self::NoAddress => write!(f, "is no address"),
            Self::ForeignBase => write!(f, "as the base of all links leads out of the site"),
            Self::TwiceTheId => write!(f, "is the id of two elements"),
            Self::NoElement => write!(f, "names no element of the page"),
        }
    }
}
