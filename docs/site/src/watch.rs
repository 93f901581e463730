//! Builds the site again when a file of the book has changed, or one that has a page in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    build::{Options, build},
    files::{self, BOOK},
    sheets::Sheets,
};

/// How long a change may go unseen.
const EVERY: Duration = Duration::from_millis(500);

/// Looks at the book and the files that have a page for ever, and builds the site when something in them has changed. Experiments are not run again, and
/// rustdoc is not: links to items that are new to a chapter fail until `cargo xtask docs` is called again.
// It waits for what a person does.
#[allow(clippy::disallowed_methods)]
pub fn watch(options: &Options, sheets: &mut Sheets) -> ! {
    let mut before = seen(options);
    loop {
        thread::sleep(EVERY);
        let now = seen(options);
        if now != before {
            before = now;
            match build(options, sheets) {
                Ok(_) => eprintln!("built again"),
                Err(error) => eprintln!("not built again: {error}"),
            }
        }
    }
}

/// The files, and when they were changed. What cannot be read is not there.
fn seen(options: &Options) -> BTreeMap<PathBuf, SystemTime> {
    let mut seen = BTreeMap::new();
    for folder in [BOOK, "docs/book/theme"] {
        walk(&options.root.join(folder), &mut |path| note(path, &mut seen));
    }
    note(options.root.join("docs/book/book.toml"), &mut seen);
    // Which files have a page, the site says itself.
    let pages = options.out.join(files::FOLDER);
    walk(&pages, &mut |page| {
        let file = page.strip_prefix(&pages).ok().and_then(|path| path.to_str()?.strip_suffix(".html"));
        if let Some(file) = file.map(|file| options.root.join(file)) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned() + ".md";
            note(file.with_file_name(name), &mut seen);
            note(file, &mut seen);
        }
    });
    seen
}

fn note(path: PathBuf, seen: &mut BTreeMap<PathBuf, SystemTime>) {
    if let Ok(changed) = fs::metadata(&path).and_then(|data| data.modified()) {
        seen.insert(path, changed);
    }
}

/// All files below a folder.
fn walk(folder: &Path, each: &mut impl FnMut(PathBuf)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // A symbolic link to a folder may lead back here.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), each);
        } else {
            each(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_a_new_and_a_lost_chapter_are_seen() {
        let (root, options) = repository();
        let book = root.path().join(BOOK);
        fs::create_dir_all(book.join("below")).expect("a folder");
        fs::write(book.join("below/a.md"), "a").expect("a file");
        let first = seen(&options);
        assert_eq!((first.len(), &first), (1, &seen(&options)));
        long_ago(&book.join("below/a.md"));
        let second = seen(&options);
        assert_ne!(first, second);
        fs::write(book.join("b.md"), "b").expect("a file");
        assert_ne!(second, seen(&options));
        fs::remove_file(book.join("b.md")).expect("a file less");
        assert_eq!(second, seen(&options));
    }

    #[test]
    fn a_change_of_a_file_that_has_a_page_is_seen() {
        let (root, options) = repository();
        fs::create_dir_all(options.out.join("files/a.b")).expect("a folder");
        fs::create_dir(root.path().join("a.b")).expect("a folder");
        for file in ["a.b/p.rs", "README.md", "a.b/none.rs"] {
            fs::write(root.path().join(file), "").expect("a file");
        }
        for page in ["a.b/p.rs.html", "README.html"] {
            fs::write(options.out.join("files").join(page), "").expect("a page");
        }
        for file in ["a.b/p.rs", "README.md"] {
            let before = seen(&options);
            assert_eq!(before.len(), 2);
            long_ago(&root.path().join(file));
            assert_ne!(before, seen(&options), "{file}");
        }
    }

    fn repository() -> (tempfile::TempDir, Options) {
        let root = tempfile::tempdir().expect("a folder");
        let options = Options { root: root.path().to_owned(), ..Options::new(root.path().join("site")) };
        (root, options)
    }

    fn long_ago(file: &Path) {
        let file = fs::File::options().write(true).open(file).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
    }
}
