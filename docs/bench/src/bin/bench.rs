//! `cargo xtask bench`: what the four crates cost, beside their peers.

use std::{
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use evenkeel_bench::{
    cases, machine,
    measure::{Bench, How},
    row::Results,
    sheet,
};

/// Measures what schedules, retries, breakers, budgets, hedges and all of them together cost, beside other libraries and beside what
/// one would write by hand: candidates of a case in turn, in one run. Allocations and bytes are counted by a second program.
#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench", after_help = OTHERS)]
struct Args {
    /// Only this area
    #[arg(long, value_name = "AREA", value_parser = cases::AREAS)]
    only: Option<String>,

    /// Few rounds, for a look
    #[arg(long)]
    quick: bool,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,

    /// Write what is measured to docs/bench/results, which the book's tables are made of
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    record: bool,

    /// Fail when a promise is not kept
    #[arg(long)]
    check: bool,
}

const OTHERS: &str = "\
Other measurements, each with a --help of its own:
  cargo xtask bench growth   how costs grow with windows, traffic, keys, attempts, alternates; what each thing takes
  cargo xtask bench builds   what the crates cost to build
  cargo xtask bench counts   the instructions of the hot paths, beside those that are kept";

const ROUNDS: usize = 400;
const QUICK: usize = 40;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let rounds = if args.quick { QUICK } else { ROUNDS };
    let mut bench = Bench::new(How::Time { rounds }, args.only.clone());
    cases::run(&mut bench);
    let mut results = bench.into_results();
    results.machine = machine::described();
    results.add_counts(&counted(args)?);
    // First: whoever reads the rest may go.
    if args.record {
        let text = format!("{}\n", serde_json::to_string_pretty(&results.rounded())?);
        fs::write(RECORD, text).map_err(|error| format!("{RECORD}: {error}"))?;
    }
    let text = if args.json { serde_json::to_string(&results)? } else { sheet::of(&results)?.text };
    writeln!(io::stdout(), "{text}")
        .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })?;
    let missed: Vec<_> = results.targets.iter().filter(|target| !target.kept).collect();
    for target in &missed {
        let (limit, figure) = (target.limit, target.figure);
        eprintln!("missed: {} ({}): {figure:.2}, where the limit is {limit}", target.promise, target.case);
    }
    Ok(if args.check && !missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// In the repository that this was built from.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/bench.json");

/// What the program beside this one counts.
fn counted(args: &Args) -> Result<Results, Box<dyn Error>> {
    let program = std::env::current_exe()?.with_file_name(format!("heap{}", std::env::consts::EXE_SUFFIX));
    let output = std::process::Command::new(&program).args(&args.only).output();
    let output =
        output.map_err(|error| format!("{}: {error}; build it: `cargo xtask bench` does", program.display()))?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
