//! `bench`: what the four crates cost, beside their peers; and the counts that are a check.

use crate::{
    lab,
    report::{Report, Stop},
    step::Step,
};

/// The programs beside the one that has the package's name, by the word that asks for them.
const WORDS: [&str; 3] = ["growth", "builds", "counts"];

/// Builds the programs and runs one of them.
pub(crate) fn run(_: &mut Report, args: &[String]) -> Result<(), Stop> {
    let (program, args) = asked(args);
    lab::hand_on(args, |quiet, args| steps(program, quiet, args))
}

/// What a change must not make dearer: the instructions of the paths that every call takes.
pub(crate) fn counts() -> [Step; 2] {
    steps("counts", false, &[])
}

fn asked(args: &[String]) -> (&'static str, &[String]) {
    let word = args.first().and_then(|first| WORDS.into_iter().find(|word| word == first));
    word.map_or(("bench", args), |word| (word, &args[1..]))
}

/// All are built, for one runs another.
fn steps(program: &'static str, quiet: bool, args: &[String]) -> [Step; 2] {
    // The peers are not built for those that do without, and what is counted has a profile of its own.
    let built = match program {
        "counts" => "--profile counts -p evenkeel-bench --no-default-features",
        "builds" => "--release -p evenkeel-bench --no-default-features --features shown",
        _ => "--release -p evenkeel-bench",
    };
    let quiet = if quiet { "--quiet" } else { "" };
    let line = format!("--locked {quiet} {built}");
    let run = format!("run {line} --bin {program} --");
    [Step::cargo(program, &format!("build {line} --bins")), Step::cargo(program, &run).args(args)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(args: &[&str], quiet: bool) -> [String; 2] {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let (program, args) = asked(&args);
        steps(program, quiet, args).map(|step| step.to_string())
    }

    #[test]
    fn without_a_word_all_arguments_are_the_benchs() {
        let [build, run] = lines(&["--only", "breaker"], false);
        assert_eq!(build, "cargo build --locked --release -p evenkeel-bench --bins");
        assert_eq!(run, "cargo run --locked --release -p evenkeel-bench --bin bench -- --only breaker");
    }

    #[test]
    fn a_word_names_the_program_and_the_rest_is_for_it() {
        let [_, run] = lines(&["growth", "--quick"], false);
        assert_eq!(run, "cargo run --locked --release -p evenkeel-bench --bin growth -- --quick");
        let [_, run] = lines(&["--only", "growth"], false);
        assert!(run.ends_with("--bin bench -- --only growth"), "{run}");
    }

    #[test]
    fn those_without_peers_do_not_wait_for_them() {
        for (program, built) in [
            ("builds", "--release -p evenkeel-bench --no-default-features --features shown"),
            ("counts", "--profile counts -p evenkeel-bench --no-default-features"),
        ] {
            let [build, run] = lines(&[program, "--json"], true);
            assert_eq!(build, format!("cargo build --locked --quiet {built} --bins"));
            assert_eq!(run, format!("cargo run --locked --quiet {built} --bin {program} -- --json"));
        }
    }

    #[test]
    fn the_counts_of_the_checks_can_be_run_again_by_their_line() {
        let line = "cargo run --locked --profile counts -p evenkeel-bench --no-default-features --bin counts --";
        assert_eq!(counts().map(|step| step.name), ["counts"; 2]);
        assert_eq!(counts()[1].to_string(), line);
    }
}
