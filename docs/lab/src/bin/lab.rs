//! `cargo xtask lab`: the experiments behind the book's figures.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use evenkeel_lab::{breaker, budgets, files, sheet::Sheet, throttle};

/// Runs one of the experiments behind the book's figures: with the real types, in virtual time, so that it gives the same
/// figures on every machine.
#[derive(Debug, Parser)]
#[command(name = "lab", bin_name = "cargo xtask lab", arg_required_else_help = true)]
struct Args {
    /// Which experiment
    experiment: Experiment,

    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where the chart is written
    #[arg(long, value_name = "DIR", default_value = "target/lab")]
    report: PathBuf,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Experiment {
    /// What a breaker costs and saves in a total outage, and with a service that flaps
    Breaker,
    /// The load that retries add under each budget, by the share of attempts that fail
    Budgets,
    /// What a service sees of an overload when its client throttles itself
    Throttle,
}

impl Experiment {
    const fn chart(self) -> &'static str {
        match self {
            Self::Breaker => "breaker.svg",
            Self::Budgets => "budgets.svg",
            Self::Throttle => "throttle.svg",
        }
    }

    fn sheet(self, seed: u64) -> io::Result<Sheet> {
        match self {
            Self::Breaker => breaker::Plan::new(seed).sheet(),
            Self::Budgets => budgets::Plan::new(seed).sheet(),
            Self::Throttle => throttle::Plan::new(seed).sheet(),
        }
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    // Before the work, for a folder that cannot be made.
    let folder = files::folder(&args.report)?;
    let sheet = args.experiment.sheet(args.seed)?;
    let chart = files::write(&folder, args.experiment.chart(), &sheet.svg)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", sheet.json)?;
        eprintln!("chart: {}", chart.display());
    } else {
        writeln!(out, "{}\nchart: {}", sheet.text, chart.display())?;
    }
    Ok(())
}
