//! `test`: all that passes on a fresh machine with nothing but Rust on it.

use crate::{
    report::{Report, Stop},
    step::Step,
};

/// Unit tests, integration tests and doctests of every package.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    steps().iter().try_for_each(|step| report.run(step))
}

/// Two, since cargo does not take `--doc` with any other kind. The kinds are named, so that no benchmark is built.
fn steps() -> [Step; 2] {
    [
        Step::cargo("test", "test --workspace --all-features --locked --lib --bins --tests --examples"),
        Step::cargo("doctest", "test --workspace --all-features --locked --doc"),
    ]
}
