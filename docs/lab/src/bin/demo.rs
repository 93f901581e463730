//! `cargo xtask demo`: strategies of retrying live through the same incident, and are compared.

// A program that measures real time reads the clock.
#![allow(clippy::disallowed_methods)]

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use evenkeel_lab::demo::{
    args::Args,
    report,
    run::Plan,
    scrape::{self, Scrape},
    summary::Run,
    table::table,
};
use indicatif::{ProgressBar, ProgressStyle};

#[tokio::main]
async fn main() -> ExitCode {
    match watched(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The demo, and for as long as it runs what it counts, where that was asked for.
async fn watched(args: &Args) -> Result<(), Box<dyn Error>> {
    let Some(address) = args.metrics else { return demo(args).await };
    let recorder = scrape::recorder();
    let scrape = Scrape::bind(address, recorder.handle()).await?;
    metrics::set_global_recorder(recorder)?;
    eprintln!("metrics: http://{}/metrics", scrape.address()?);
    tokio::select! {
        done = lingering(args) => done,
        never = scrape.run() => match never? {},
    }
}

/// The demo, and the time after it in which its metrics can be looked at.
async fn lingering(args: &Args) -> Result<(), Box<dyn Error>> {
    demo(args).await?;
    if args.linger > 0.0 {
        eprintln!("metrics: for another {} s", args.linger);
        tokio::time::sleep(args.lingering()).await;
    }
    Ok(())
}

async fn demo(args: &Args) -> Result<(), Box<dyn Error>> {
    let plan = Plan::of(args);
    if let Some(note) = args.caution() {
        eprintln!("{note}");
    }
    let runs = run_all(args, &plan).await?;
    let summary = plan.summary(&runs);
    let page = report::write(&args.report, &plan, &runs)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&summary)?)?;
        eprintln!("report: {}", page.display());
    } else {
        writeln!(out, "{}\nreport: {}", table(&summary), page.display())?;
    }
    Ok(())
}

async fn run_all(args: &Args, plan: &Plan) -> io::Result<Vec<Run>> {
    let strategies = args.strategies();
    let length = millis(plan.incident.length());
    // It is drawn on standard error, and only if that is a terminal; the template is a constant that is legal.
    let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(strategies.len() as u64 * length).with_style(style);
    let mut runs = Vec::with_capacity(strategies.len());
    for (done, strategy) in (0..).zip(strategies) {
        if bar.is_hidden() {
            eprintln!("{}: {}", strategy.name, strategy.about);
        }
        let run = tokio::select! {
            run = plan.over_http(strategy) => run?,
            never = follow(&bar, plan, strategy.name, done * length) => match never {},
        };
        runs.push(run);
    }
    bar.finish_and_clear();
    Ok(runs)
}

const BAR: &str = "{bar:40} {percent:>3} %  {msg}";

/// Moves the bar on through one incident, from `base`.
async fn follow(bar: &ProgressBar, plan: &Plan, strategy: &str, base: u64) -> Infallible {
    let start = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        let elapsed = start.elapsed();
        bar.set_message(format!("{strategy}: {}", plan.incident.phase(elapsed).name()));
        bar.set_position(base + millis(elapsed.min(plan.incident.length())));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
