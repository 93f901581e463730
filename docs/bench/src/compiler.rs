//! The compiler that cargo would take here.

use std::{io, process::Command};

/// Its version and the target that it compiles for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// As `1.85.0 (4d91de4e4 2025-02-17)`.
    pub version: String,
    /// As a triple.
    pub target: String,
}

impl Compiler {
    /// Asks it.
    ///
    /// # Errors
    ///
    /// When it does not start, or says nothing of the kind.
    pub fn of_the_workspace() -> io::Result<Self> {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        let output = Command::new(&rustc).arg("-vV").current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let output = output.map_err(|error| io::Error::other(format!("{rustc}: {error}")))?;
        let told = String::from_utf8_lossy(&output.stdout);
        Self::read(&told).ok_or_else(|| io::Error::other(format!("{rustc} -vV: {told}")))
    }

    /// Reads what `rustc -vV` says.
    fn read(told: &str) -> Option<Self> {
        let after = |head: &str| told.lines().find_map(|line| line.strip_prefix(head)).map(str::to_owned);
        Some(Self { version: after("rustc ")?, target: after("host: ")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_target_are_read() {
        let told =
            "rustc 1.85.0 (4d91de4e4 2025-02-17)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.85.0\n";
        let version = "1.85.0 (4d91de4e4 2025-02-17)".to_owned();
        let target = "x86_64-unknown-linux-gnu".to_owned();
        assert_eq!(Compiler::read(told), Some(Compiler { version, target }));
        assert_eq!(Compiler::read("rustc 1.85.0\n"), None);
    }
}
