//! `ci`: what must pass before a change is merged; the cheap checks come first.

use crate::{
    bench, docs, features, lab, loom,
    report::{Report, Stop},
    step::Step,
    test, tidy,
};

/// Stops at the first step that fails; the times are listed either way.
pub(crate) fn run(report: &mut Report, _: &[String]) -> Result<(), Stop> {
    let result = all(report);
    eprintln!("\n{report}");
    result
}

fn all(report: &mut Report) -> Result<(), Stop> {
    report.run(&Step::cargo("fmt", "fmt --all --check"))?;
    tidy::run(report, &[])?;
    let clippy = "clippy --workspace --all-targets --all-features --locked -- -D warnings";
    report.run(&Step::cargo("clippy", clippy))?;
    features::run(report, &[])?;
    report.run(&docs::warnings())?;
    // Before the tests, one of which looks at the site in a browser.
    docs::run(report, &[])?;
    // What this builds, the soak runs.
    bench::counts().iter().try_for_each(|step| report.run(step))?;
    test::with_site(report, &docs::folder())?;
    loom::run(report, &[])?;
    report.run(&lab::soak())
}
