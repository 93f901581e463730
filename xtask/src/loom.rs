//! `loom`: the models of the libraries, run under every interleaving within a bound, and the book's counts of them.

use std::fs;

use crate::{
    explored::{self, PAGE},
    report::{Report, Stop},
    step::Step,
    workspace::{self, LIBRARIES},
};

/// The bound where the user sets none. Bugs that need more than three preemptions are rare, and models that allow more are slow.
const MAX_PREEMPTIONS: &str = "3";

/// Runs the models of one library, or of each.
pub(crate) fn run(report: &mut Report, args: &[String]) -> Result<(), Stop> {
    for library in chosen(args)? {
        let models = format!("{library}/tests/models.rs");
        if workspace::root().join(&models).exists() {
            let (max, step) = (max_preemptions(), step(library));
            report.check(step.name, &step.to_string(), || explore(library, &step, max == MAX_PREEMPTIONS))?;
        } else {
            eprintln!("– {library}: no {models}, nothing to run");
        }
    }
    Ok(())
}

fn chosen(args: &[String]) -> Result<Vec<&'static str>, Stop> {
    match args {
        [] => Ok(LIBRARIES.to_vec()),
        [name] => {
            let folder = name.strip_prefix("evenkeel-").unwrap_or(name);
            let library = LIBRARIES.into_iter().find(|&library| library == folder);
            let complaint = || format!("`{name}` is none of: {}", LIBRARIES.join(", "));
            Ok(vec![library.ok_or_else(|| Stop::Usage(complaint()))?])
        }
        [_, extra, ..] => Err(Stop::Usage(format!("`loom` takes one crate, not `{extra}` as well"))),
    }
}

/// The book has the counts of the default bound, and of no other.
fn explore(library: &str, step: &Step, is_documented: bool) -> Result<(), String> {
    let (status, output) = step.output().map_err(|error| format!("cargo did not start: {error}"))?;
    if !status.success() {
        return Err(status.to_string());
    }
    if !is_documented {
        return Ok(());
    }
    let page = fs::read_to_string(workspace::root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    let findings = explored::compare(&explored::printed(&output), &explored::documented(&page, library));
    findings.iter().for_each(|finding| println!("{finding}"));
    if findings.is_empty() { Ok(()) } else { Err(format!("{} rows to put right", findings.len())) }
}

fn max_preemptions() -> String {
    std::env::var("LOOM_MAX_PREEMPTIONS").unwrap_or_else(|_| MAX_PREEMPTIONS.to_owned())
}

/// In a target folder of its own, because `--cfg loom` reaches, and so rebuilds, every dependency. What the models print is
/// shown, for a model that explored a single interleaving shows nothing.
fn step(library: &str) -> Step {
    let line = format!(
        "test --profile loom --target-dir target/loom --locked -p evenkeel-{library} --test models --all-features \
         -- --show-output"
    );
    Step::cargo("loom", &line).env_append("RUSTFLAGS", "--cfg loom").env("LOOM_MAX_PREEMPTIONS", max_preemptions())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(args: &[&str]) -> Result<Vec<&'static str>, Stop> {
        chosen(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn all_libraries_are_chosen_where_none_is_named() {
        assert_eq!(choose(&[]), Ok(LIBRARIES.to_vec()));
    }

    #[test]
    fn a_library_is_named_by_its_folder_or_its_package() {
        assert_eq!(choose(&["budget"]), Ok(vec!["budget"]));
        assert_eq!(choose(&["evenkeel-budget"]), Ok(vec!["budget"]));
    }

    #[test]
    fn an_unknown_library_or_a_second_one_is_refused() {
        assert!(matches!(choose(&["bulkhead"]), Err(Stop::Usage(_))));
        assert!(matches!(choose(&["budget", "breaker"]), Err(Stop::Usage(_))));
    }

    #[test]
    fn the_cfg_reaches_the_compiler() {
        let line = step("breaker").to_string();
        assert!(line.contains("--cfg loom' ") && line.contains("-p evenkeel-breaker --test models"), "{line}");
    }
}
