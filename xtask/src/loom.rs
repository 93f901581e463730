//! `loom`: the models of the libraries, run under every interleaving within a bound.

use crate::{
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
            report.run(&step(library))?;
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

/// In a target folder of its own, because `--cfg loom` reaches, and so rebuilds, every dependency.
fn step(library: &str) -> Step {
    let max = std::env::var("LOOM_MAX_PREEMPTIONS").unwrap_or_else(|_| MAX_PREEMPTIONS.to_owned());
    let line = format!(
        "test --profile loom --target-dir target/loom --locked -p evenkeel-{library} --test models --all-features"
    );
    Step::cargo("loom", &line).env_append("RUSTFLAGS", "--cfg loom").env("LOOM_MAX_PREEMPTIONS", max)
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
