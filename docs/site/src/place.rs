//! The place of the site: whose folder it may take, and how it is taken as a whole.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// How often another build may be the first to put its site there.
const TRIES: usize = 256;

/// A folder that is there for a site, and one beside it to build in, which goes with this value.
#[derive(Debug)]
pub(crate) struct Place {
    out: PathBuf,
    beside: TempDir,
}

impl Place {
    /// Where `out` is a symbolic link, the folder that it leads to is the place.
    ///
    /// # Errors
    ///
    /// When that is a file or the folder of something else, or holds the one that this process runs in.
    pub(crate) fn new(out: &Path) -> io::Result<Self> {
        let refused = |why: &str| io::Error::other(format!("{} {why}", out.display()));
        let why = |error: io::Error| refused(&format!("cannot be the folder of the site: {error}"));
        let whole = match out.canonicalize() {
            Ok(whole) => whole,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(why(error)),
            Err(_) if out.is_symlink() => return Err(refused("is a symbolic link that leads nowhere")),
            Err(_) => std::path::absolute(out)?,
        };
        // `new/..` has no name while there is no `new`.
        let (Some(above), Some(name)) = (whole.parent(), whole.file_name()) else {
            return Err(refused("is no folder that a site can take the place of: name another"));
        };
        if env::current_dir().and_then(|here| here.canonicalize()).is_ok_and(|here| here.starts_with(&whole)) {
            return Err(refused("is where this runs, or above it: name another folder"));
        }
        refuse_what_is_no_site(&whole, out)?;
        fs::create_dir_all(above).map_err(why)?;
        // In the same folder, and so on the same disk.
        let beside = tempfile::Builder::new().prefix(&format!(".{}.", name.to_string_lossy())).tempdir_in(above);
        Ok(Self { beside: beside.map_err(why)?, out: whole })
    }

    /// Where the new site is built.
    pub(crate) fn fresh(&self) -> PathBuf {
        // Not the temporary folder itself, which nobody else may read.
        self.beside.path().join("new")
    }

    /// Puts the new site into the place, and removes the one before.
    ///
    /// # Errors
    ///
    /// When it cannot be moved. What was there before is there again.
    pub(crate) fn take(self) -> io::Result<()> {
        let why = |error: io::Error| io::Error::other(format!("{}: {error}", self.out.display()));
        for number in 0..TRIES {
            // Meanwhile, it may have become somebody's.
            refuse_what_is_no_site(&self.out, &self.out)?;
            let old = self.beside.path().join(format!("old-{number}"));
            let moved = match fs::rename(&self.out, &old) {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(why(error)),
            };
            match fs::rename(self.fresh(), &self.out) {
                Ok(()) => return Ok(()),
                // Another build was faster, and its site is older than this one.
                Err(_) if self.out.exists() => {}
                Err(error) => {
                    if moved {
                        fs::rename(&old, &self.out).map_err(why)?;
                    }
                    return Err(why(error));
                }
            }
        }
        Err(io::Error::other(format!("{}: other builds put their sites there all the time", self.out.display())))
    }
}

/// A folder with anything else in it was named by mistake.
fn refuse_what_is_no_site(out: &Path, named: &Path) -> io::Result<()> {
    // Another build may take the folder away while it is looked at; somebody's own is no site each time.
    let mut looked = look_for_a_site(out, named);
    for _ in 1..TRIES {
        if looked.is_ok() {
            break;
        }
        looked = look_for_a_site(out, named);
    }
    looked
}

fn look_for_a_site(out: &Path, named: &Path) -> io::Result<()> {
    let refused = |why: &str| Err(io::Error::other(format!("{} {why}", named.display())));
    let is_empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(_) if out.is_file() => return refused("is a file: name a folder"),
        Err(error) => return refused(&format!("cannot be read: {error}")),
    };
    // Every site of mdBook's has both.
    if is_empty || (out.join("toc.html").is_file() && out.join("index.html").is_file()) {
        return Ok(());
    }
    refused("is no site: remove it, or name another folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(folder: &Path, text: &str) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join("toc.html"), text).expect("a page");
        fs::write(folder.join("index.html"), text).expect("a page");
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    #[test]
    fn of_builds_side_by_side_each_puts_a_whole_site_in_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("site");
        std::thread::scope(|scope| {
            for number in 0..3 {
                let out = &out;
                scope.spawn(move || {
                    for _ in 0..4 {
                        let place = Place::new(out).expect("a place");
                        site(&place.fresh(), &number.to_string());
                        place.take().expect("in place");
                    }
                });
            }
        });
        assert_eq!(read(&out.join("toc.html")), read(&out.join("index.html")));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left");
    }

    #[test]
    fn what_becomes_somebodys_while_it_is_built_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("site");
        let place = Place::new(&out).expect("a place");
        site(&place.fresh(), "new");
        fs::create_dir(&out).expect("a folder");
        fs::write(out.join("thesis.txt"), "the only copy").expect("a file");
        let why = place.take().expect_err("refused").to_string();
        assert!(why.ends_with("site is no site: remove it, or name another folder"), "{why}");
        assert_eq!(read(&out.join("thesis.txt")), "the only copy");
    }

    #[test]
    fn a_file_and_the_folder_that_this_runs_in_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("a file");
        let why = |out: &Path| Place::new(out).expect_err("refused").to_string();
        assert_eq!(why(&file), format!("{} is a file: name a folder", file.display()));
        assert_eq!(why(Path::new(".")), ". is where this runs, or above it: name another folder");
        assert_eq!(why(Path::new("..")), ".. is where this runs, or above it: name another folder");
        let below = why(&file.join("site"));
        assert!(below.starts_with(&format!("{} cannot be the folder", file.join("site").display())), "{below}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_followed_and_one_that_leads_nowhere_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, there) = (folder.path().join("link"), folder.path().join("deep/there"));
        std::os::unix::fs::symlink(&there, &link).expect("a link");
        let why = Place::new(&link).expect_err("refused").to_string();
        assert_eq!(why, format!("{} is a symbolic link that leads nowhere", link.display()));
        site(&there, "old");
        let place = Place::new(&link).expect("a place");
        site(&place.fresh(), "new");
        place.take().expect("in place");
        assert!(link.is_symlink() && !there.is_symlink());
        assert_eq!(read(&there.join("index.html")), "new");
    }
}
