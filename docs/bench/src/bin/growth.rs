//! How what a call costs grows, and what each thing takes.

use std::{error::Error, path::Path, process::ExitCode};

use clap::Parser;
use evenkeel_bench::{
    growth::{Plan, measured, sheet},
    machine,
    measure::Allocated,
};

/// Measures how what a call costs grows with window sizes, traffic, keys, attempts and alternates, and how many bytes each thing
/// takes. Allocations are counted all the while, which makes each of them some nanoseconds dearer for all.
#[derive(Debug, Parser)]
#[command(name = "growth", bin_name = "cargo xtask bench growth")]
struct Args {
    /// Few rounds, and no more than 10,000 of anything, for a look
    #[arg(long)]
    quick: bool,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,

    /// Keep it as what the book shows: in `results/growth.json` of this package
    #[arg(long, conflicts_with = "quick")]
    record: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("growth: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let (rounds, most) = if args.quick { (20, 10_000) } else { (200, 1_000_000) };
    let growth = measured(Plan { rounds, most, count }, machine::described());
    if args.record {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/growth.json");
        let text = serde_json::to_string_pretty(&growth)? + "\n";
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&growth)?);
    } else {
        println!("{}", sheet(&growth)?.text);
    }
    Ok(())
}

fn count(run: &mut dyn FnMut()) -> Allocated {
    let counted = allocation_counter::measure(run);
    Allocated { count_total: counted.count_total, bytes_current: counted.bytes_current }
}
