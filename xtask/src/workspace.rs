//! Where the workspace is, and what its libraries are called.

use std::path::PathBuf;

/// The folders of the four libraries; each holds the package `evenkeel-<folder>`.
pub(crate) const LIBRARIES: [&str; 4] = ["backoff", "breaker", "budget", "hedging"];

/// The folder of the root manifest.
pub(crate) fn root() -> PathBuf {
    // Asked of the running cargo first: a tree that has been moved may still hold an older binary.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(xtask).join("..")
}

/// Where cargo puts what it builds, seen from the root.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()).into()
}

/// The text of a file, given from the root; the error names the file.
pub(crate) fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}
