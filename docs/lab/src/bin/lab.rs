//! `cargo xtask lab`: the experiments behind the book's figures.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use evenkeel_lab::{breaker, budgets, files, hedging, sheet::Sheet, throttle};

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

    /// Few repetitions, for a look: the figures are less exact
    #[arg(long)]
    quick: bool,

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
    /// What hedging cuts off the tail and what it costs, and the same by `tower::hedge`
    Hedging,
    /// What a service sees of an overload when its client throttles itself
    Throttle,
}

impl Experiment {
    const fn chart(self) -> &'static str {
        match self {
            Self::Breaker => "breaker.svg",
            Self::Budgets => "budgets.svg",
            Self::Hedging => "hedging.svg",
            Self::Throttle => "throttle.svg",
        }
    }

    fn sheet(self, seed: u64, quick: bool) -> io::Result<Sheet> {
        match self {
            Self::Breaker if quick => breaker::Plan { runs: 1, ..breaker::Plan::new(seed) }.sheet(),
            Self::Breaker => breaker::Plan::new(seed).sheet(),
            Self::Budgets if quick => budgets::Plan { runs: 1, ..budgets::Plan::new(seed) }.sheet(),
            Self::Budgets => budgets::Plan::new(seed).sheet(),
            Self::Hedging if quick => {
                hedging::Plan { requests: 5_000, per_second: 25.0, ..hedging::Plan::new(seed) }.sheet()
            }
            Self::Hedging => hedging::Plan::new(seed).sheet(),
            Self::Throttle if quick => throttle::Plan { windows: 1, ..throttle::Plan::new(seed) }.sheet(),
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
    let sheet = args.experiment.sheet(args.seed, args.quick)?;
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
