//! Where reports are written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The absolute path of this folder, which is made if need be. Absolute, for the reader may be in another folder than this
/// program.
///
/// # Errors
///
/// What the operating system says, with the path, when it cannot be made.
pub fn folder(path: &Path) -> io::Result<PathBuf> {
    let folder = named(path, std::path::absolute(path))?;
    named(&folder, fs::create_dir_all(&folder))?;
    Ok(folder)
}

/// Writes `text` as the file `name` into `folder`, which is there; returns its path.
///
/// # Errors
///
/// What the operating system says, with the path, when the file cannot be written.
pub fn write(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let file = folder.join(name);
    named(&file, fs::write(&file, text))?;
    Ok(file)
}

fn named<T>(path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
