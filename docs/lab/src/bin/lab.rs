//! `cargo xtask lab`: the experiments behind the book's figures.

use std::{
    alloc::System,
    error,
    io::{self, Write},
    num::NonZeroU32,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, value_parser};
use evenkeel_lab::{
    experiment::Experiment,
    files,
    plan::{Load, Policy, Refused, Report},
    soak,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// For the soak, which watches the heap.
#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Runs one of the experiments behind the book's figures: with the real types, in virtual time, so that it gives the same
/// figures on every machine. Or soaks the whole stack in faults, in real time. Or runs a configuration of your own through an outage.
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
    other: Option<Other>,

    /// Which experiment
    #[arg(required = true)]
    experiment: Option<Experiment>,

    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Few repetitions, for a look: the figures are less exact
    #[arg(long)]
    quick: bool,

    /// Where the chart and the rows (CSV) are written
    #[arg(long, value_name = "DIR", default_value = "target/lab")]
    report: PathBuf,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,

    /// Print the rows as comma-separated values instead of the tables
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// The whole stack under random faults, cancellations, panics and clock jumps, and an audit of what it leaves behind
    Soak(Soak),
    /// What a configuration of your own does in an outage of the service: worst cases, figures of a fleet, and warnings
    Plan(Plan),
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

/// Runs the configuration in FILE through an outage, with the real types and in virtual time. The book's chapter on it says what
/// is in the file, and what the figures mean.
#[derive(Debug, clap::Args)]
struct Plan {
    /// The configuration (TOML), with tables named retry, budget, breaker and hedge, each optional; - is standard input
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Requests a second, of all clients together: above 0
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rps: f64,

    /// How long the outage is, as in "30s" or "1m 30s": from 100ms to 1h
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    outage: Duration,

    /// How many clients share the load, each with a budget and a breaker of its own
    #[arg(long, value_name = "N", default_value_t = Load::DEFAULT_CLIENTS)]
    clients: NonZeroU32,

    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Where a chart of load and answers over time, and its rows (CSV), are written: nowhere, if it is not said
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.5..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or("it must be a number from 0.5 to 86400")
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
    match (&args.other, args.experiment) {
        (Some(Other::Soak(soak)), _) => soak.run(),
        (Some(Other::Plan(plan)), _) => plan.run(),
        (None, Some(experiment)) => show(experiment, args),
        // One of them is required.
        (None, None) => Ok(ExitCode::FAILURE),
    }
}

fn show(experiment: Experiment, args: &Args) -> Result<ExitCode, Box<dyn error::Error>> {
    // Before the work, for a folder that cannot be made.
    let folder = files::folder(&args.report)?;
    let sheet = experiment.sheet(args.seed, args.quick)?;
    let written =
        |extension: &str, text: &str| files::write(&folder, &format!("{}.{extension}", experiment.name()), text);
    let (rows, chart) = (written("csv", &sheet.csv)?, written("svg", &sheet.svg)?);
    let places = format!("rows: {}\nchart: {}", rows.display(), chart.display());
    let mut out = io::stdout().lock();
    match (args.json, args.csv) {
        (true, _) => writeln!(out, "{}", sheet.json)?,
        (_, true) => write!(out, "{}", sheet.csv)?,
        (false, false) => {
            writeln!(out, "{}\n{places}", sheet.text)?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    eprintln!("{places}");
    Ok(ExitCode::SUCCESS)
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

impl Plan {
    /// What is wrong with what it was given ends it with 2, as a flag that is wrong does.
    fn run(&self) -> Result<ExitCode, Box<dyn error::Error>> {
        // Before the work, for a folder that cannot be made.
        let folder = self.report.as_deref().map(files::folder).transpose()?;
        let report = match self.ask() {
            Ok(report) => report,
            Err(refused) => {
                eprintln!("lab: {refused}");
                return Ok(ExitCode::from(2));
            }
        };
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, &report)?;
            writeln!(out)?;
        } else {
            write!(out, "{report}")?;
        }
        if let Some(folder) = folder {
            let sheet = report.sheet()?;
            let (rows, chart) =
                (files::write(&folder, "plan.csv", &sheet.csv)?, files::write(&folder, "plan.svg", &sheet.svg)?);
            eprintln!("rows: {}\nchart: {}", rows.display(), chart.display());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn ask(&self) -> Result<Report, Refused> {
        let load = Load::new(self.rps, self.clients, self.outage)?;
        Report::of(&Policy::read(&self.config)?, &load, self.seed)
    }
}
