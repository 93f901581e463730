//! `cargo xtask lab`: the experiments behind the book's figures.

use std::{
    alloc::System,
    error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use evenkeel_lab::{breaker, budgets, files, hedging, sheet::Sheet, soak, throttle};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// For the soak, which watches the heap.
#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs one of the experiments behind the book's figures: with the real types, in virtual time, so that it gives the same
/// figures on every machine. Or soaks the whole stack in faults, in real time.
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    bin_name = "cargo xtask lab",
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Args {
    #[command(subcommand)]
    soak: Option<Soaks>,

    /// Which experiment
    #[arg(required = true)]
    experiment: Option<Experiment>,

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

#[derive(Debug, Subcommand)]
enum Soaks {
    /// The whole stack under random faults, cancellations, panics and clock jumps, and an audit of what it leaves behind
    Soak(Soak),
}

/// Drives the whole stack from many tasks and threads, in real time, under random faults, latencies, cancellations, panics in
/// callbacks and clock jumps. It prints what it injected and survived, and fails with a reason for each rule that does not
/// hold.
#[derive(Debug, clap::Args)]
struct Soak {
    /// How long the load is, from 0.5 to 86400
    #[arg(long, value_name = "N", default_value = "30", value_parser = seconds)]
    seconds: Duration,

    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Threads of the runtime, from 1 to 64
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    threads: u8,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.5..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("it must be a number from 0.5 to 86400")
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
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn error::Error>> {
    match (&args.soak, args.experiment) {
        (Some(Soaks::Soak(soak)), _) => soak.run(),
        (None, Some(experiment)) => experiment.run(args),
        // One of them is required.
        (None, None) => Ok(ExitCode::FAILURE),
    }
}

impl Experiment {
    fn run(self, args: &Args) -> Result<ExitCode, Box<dyn error::Error>> {
        // Before the work, for a folder that cannot be made.
        let folder = files::folder(&args.report)?;
        let sheet = self.sheet(args.seed, args.quick)?;
        let chart = files::write(&folder, self.chart(), &sheet.svg)?;
        let mut out = io::stdout().lock();
        if args.json {
            writeln!(out, "{}", sheet.json)?;
            eprintln!("chart: {}", chart.display());
        } else {
            writeln!(out, "{}\nchart: {}", sheet.text, chart.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Soak {
    fn run(&self) -> Result<ExitCode, Box<dyn error::Error>> {
        let plan =
            soak::Plan { length: self.seconds, threads: usize::from(self.threads), ..soak::Plan::new(self.seed) };
        let report = plan.run()?;
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, &report)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{report}")?;
        }
        for violation in &report.violations {
            eprintln!("lab: {violation}");
        }
        Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
