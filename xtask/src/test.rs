//! `test`: all that passes on a fresh machine with nothing but Rust on it.

use std::path::Path;

use crate::{
    report::{Report, Stop},
    step::Step,
};

/// Unit tests, integration tests and doctests of every package.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    steps().iter().try_for_each(|step| report.run(step))
}

/// The same, where the site has been built: the test in a browser takes it instead of building one itself.
pub(crate) fn with_site(report: &mut Report, site: &Path) -> Result<(), Stop> {
    let site = site.display().to_string();
    steps().iter().try_for_each(|step| report.run(&step.clone().env("EVENKEEL_SITE", &site)))
}

/// Two, since cargo does not take `--doc` with any other kind. The kinds are named, so that no benchmark is built.
fn steps() -> [Step; 2] {
    [
        Step::cargo("test", "test --workspace --all-features --locked --lib --bins --tests --examples"),
        Step::cargo("doctest", "test --workspace --all-features --locked --doc"),
    ]
}
