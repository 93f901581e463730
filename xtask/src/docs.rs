//! `docs`: the API documentation of every package, in which no link may be broken.

use std::path::PathBuf;

use crate::{
    report::{Report, Stop},
    step::Step,
    workspace,
};

/// Builds it and prints where to start reading.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    let step = Step::cargo("docs", "doc --workspace --no-deps --all-features --locked");
    report.run(&step.env_append("RUSTDOCFLAGS", "-D warnings"))?;
    println!("{}", index().display());
    Ok(())
}

/// There is no page above the crates; each one's side bar leads to all the others.
fn index() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let index = workspace::root().join(target).join("doc/evenkeel_backoff/index.html");
    index.canonicalize().unwrap_or(index)
}
