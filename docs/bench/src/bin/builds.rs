//! `cargo xtask bench builds`: what it costs to build the crates, beside their peers.

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use evenkeel_bench::{
    builds::{ALL, Build, Builds, Built, Candidate, Profile, Scratch, sheet},
    machine,
};

/// Builds each of the four crates, with several sets of features, and each of the peers, in the versions of our lock file, from
/// nothing: three times, in turn, with two jobs. It takes some minutes; two cores should have nothing else to do.
#[derive(Debug, Parser)]
#[command(name = "builds", bin_name = "cargo xtask bench builds")]
struct Args {
    /// Only crates whose name has this in it
    #[arg(long, value_name = "NAME")]
    only: Option<String>,

    /// Once, for a look
    #[arg(long)]
    quick: bool,

    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,

    /// Keep the results for the book
    #[arg(long, conflicts_with = "only")]
    record: bool,
}

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/builds.json");

const ROUNDS: usize = 3;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("builds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let is_wanted = |candidate: &&Candidate| args.only.as_deref().is_none_or(|only| candidate.package.contains(only));
    let candidates: Vec<&Candidate> = ALL.iter().filter(is_wanted).collect();
    if candidates.is_empty() {
        return Err("no crate has that in its name".into());
    }
    let folder = Folder::new()?;
    let scratch =
        |(number, candidate): (usize, &&Candidate)| Scratch::new(folder.0.join(number.to_string()), candidate);
    let scratches = candidates.iter().enumerate().map(scratch).collect::<Result<Vec<_>, _>>()?;
    let rounds = if args.quick { 1 } else { ROUNDS };
    let built = in_turn(&scratches, rounds)?;
    let rows = candidates.iter().zip(&scratches).zip(built);
    let rows = rows.map(|((candidate, scratch), built)| row(candidate, scratch, built)).collect::<Result<_, _>>()?;
    let builds = Builds { machine: machine::described(), rounds, rows };
    if args.record {
        fs::create_dir_all(Path::new(KEPT).parent().expect("it is in a folder"))?;
        fs::write(KEPT, format!("{}\n", serde_json::to_string_pretty(&builds)?))?;
        eprintln!("kept in {KEPT}: commit it");
    }
    if args.json {
        println!("{}", serde_json::to_string(&builds)?);
    } else {
        println!("{}", sheet(&builds)?.text);
    }
    Ok(())
}

/// Where the crates are, beside this program, as long as it runs.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        let folder = Self(env::current_exe()?.with_file_name("builds.scratch"));
        folder.clear()?;
        Ok(folder)
    }

    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed, the next run removes or complains of.
        let _ = self.clear();
    }
}

/// Each in the dev profile and in release, one after the other, and again.
fn in_turn(scratches: &[Scratch], rounds: usize) -> Result<Vec<[Vec<Built>; 2]>, Box<dyn Error>> {
    let mut built = vec![[Vec::new(), Vec::new()]; scratches.len()];
    for round in 0..rounds {
        for (number, scratch) in scratches.iter().enumerate() {
            eprint!("\rround {} of {rounds}, {} of {} ", round + 1, number + 1, scratches.len());
            for (profile, built) in [Profile::Dev, Profile::Release].into_iter().zip(&mut built[number]) {
                built.push(scratch.build(profile)?);
            }
            // None is in the way of the others, on the disk.
            scratch.clear()?;
        }
    }
    eprintln!();
    Ok(built)
}

fn row(candidate: &Candidate, scratch: &Scratch, built: [Vec<Built>; 2]) -> Result<Build, Box<dyn Error>> {
    let (version, dependencies) = scratch.dependencies()?;
    let [dev, release] = built.map(median);
    Ok(Build {
        package: candidate.package.to_owned(),
        version,
        features: candidate.features.to_owned(),
        is_ours: candidate.folder.is_some(),
        is_promised: candidate.is_promised,
        dev_s: dev.took.as_secs_f64(),
        release_s: release.took.as_secs_f64(),
        crates: dev.crates,
        macros: dev.macros,
        build_scripts: dev.build_scripts,
        dependencies,
    })
}

/// The one whose time is in the middle.
fn median(mut built: Vec<Built>) -> Built {
    built.sort_by_key(|built| built.took);
    let middle = built.len() / 2;
    built.swap_remove(middle)
}
