//! The files that the rules are about: what is, or would be, committed.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use crate::workspace;

/// Paths from the root with `/` between the parts, and the texts of those files that are text.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Asks git for the files; without git or its folder, as in a source archive, walks the folders.
    pub(super) fn of_the_workspace() -> Result<Self, String> {
        let root = workspace::root();
        let paths = match listed_by_git(&root) {
            Some(paths) => paths,
            None => walked(&root).map_err(|error| format!("the files could not be listed: {error}"))?,
        };
        // What git knows but is not there any more is about to be removed.
        let files = paths.into_iter().filter(|path| root.join(path).is_file());
        let read = |path: String| {
            let text = fs::read(root.join(&path)).ok().and_then(text);
            (path, text)
        };
        Ok(Self { files: files.map(read).collect() })
    }

    /// Every file that is text, with its path.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether this is a file, or a folder with files in it. The root is the empty path.
    pub(super) fn contains(&self, path: &str) -> bool {
        let inside = |file: &String| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        path.is_empty() || self.files.contains_key(path) || self.files.keys().any(inside)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        let own = |(path, text): (&str, &str)| (path.to_owned(), Some(text.to_owned()));
        Self { files: files.into_iter().map(own).collect() }
    }
}

/// `None` for what is not text: another encoding, or a zero byte as git looks for it.
fn text(bytes: Vec<u8>) -> Option<String> {
    if bytes.contains(&0) { None } else { String::from_utf8(bytes).ok() }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root).output().ok()?;
    let paths = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let paths: Vec<String> = paths.split_terminator('\0').map(str::to_owned).collect();
    // Of an archive unpacked in a folder that some other repository ignores, git lists nothing.
    (!paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> std::io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = format!("{folder}{}", name.to_string_lossy());
            let generated = name == "target" || name == ".git";
            match entry.file_type()? {
                kind if kind.is_dir() && !generated => folders.push(path + "/"),
                kind if kind.is_file() => paths.push(path),
                _ => {}
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_sources_and_leaves_out_what_is_built() {
        let paths = walked(&workspace::root()).expect("the workspace can be read");
        assert!(paths.contains(&"xtask/src/tidy/tree.rs".to_owned()));
        assert!(!paths.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
    }

    #[test]
    fn a_folder_is_there_if_a_file_is_in_it() {
        let tree = Tree::from([("docs/a.md", "")]);
        assert!(tree.contains("docs") && tree.contains("docs/a.md") && tree.contains(""));
        assert!(!tree.contains("doc") && !tree.contains("docs/b.md"));
    }

    #[test]
    fn bytes_that_are_not_text_are_no_text() {
        assert_eq!(text(b"abc".to_vec()), Some("abc".to_owned()));
        assert_eq!(text(vec![b'a', 0]), None);
        assert_eq!(text(vec![0xff]), None);
    }
}
