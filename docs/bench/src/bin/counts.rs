//! `cargo xtask bench counts`: the instructions of the hot paths, beside those that are kept.

use std::{
    env,
    error::Error,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::Parser;
use evenkeel_bench::{
    compiler::Compiler,
    hot::{MEASURED, PLACE},
    instructions::{
        Counts,
        callgrind::Profile,
        compare::{Comparison, Finding},
        of_hot_paths,
    },
};

/// Counts the instructions of the hot paths with callgrind, and compares them with `docs/bench/instructions.json`. More than 5 %
/// up fails. Without valgrind nothing is counted, unless the environment variable `EVENKEEL_REQUIRE` names it: then that fails.
#[derive(Debug, Parser)]
#[command(name = "counts", bin_name = "cargo xtask bench counts")]
struct Args {
    /// Keep what is counted now, to be committed
    #[arg(long)]
    record: bool,

    /// Show where the most instructions of this function are, as `breaker::success`
    #[arg(long, value_name = "FUNCTION", conflicts_with = "record")]
    top: Option<String>,

    /// Print the counts as one JSON object, and compare nothing
    #[arg(long, conflicts_with_all = ["record", "top"])]
    json: bool,
}

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

const PLAIN: &str = "glibc.cpu.hwcaps=-AVX512VL,-AVX512F,-AVX2,-AVX2_Usable,-AVX_Fast_Unaligned_Load,-ERMS";

const RECORD: &str = "cargo xtask bench counts --record";

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("counts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let Some((profile, file)) = profile()? else { return Ok(ExitCode::SUCCESS) };
    let Compiler { version: rustc, target } = Compiler::of_the_workspace()?;
    let counted = Counts { rustc, target, instructions: of_hot_paths(&profile) };
    if let Some(function) = &args.top {
        return top(&profile, function, &file);
    }
    if args.json {
        println!("{}", serde_json::to_string(&counted)?);
        return Ok(ExitCode::SUCCESS);
    }
    let kept = Counts::read(Path::new(KEPT));
    print(&counted, kept.as_ref().ok());
    if args.record {
        counted.write(Path::new(KEPT))?;
        println!("\nkept in {KEPT}: commit it");
        return Ok(ExitCode::SUCCESS);
    }
    let kept = kept.map_err(|error| format!("{KEPT}: {error}; `{RECORD}` makes it"))?;
    Ok(judged(&Comparison::new(&kept, &counted)))
}

/// Runs the program beside this one in callgrind, and reads the file that is left. `None` without valgrind.
fn profile() -> Result<Option<(Profile, PathBuf)>, Box<dyn Error>> {
    let program = env::current_exe()?.with_file_name(format!("hot{}", env::consts::EXE_SUFFIX));
    if !program.is_file() {
        return Err(format!("{} is not there: `cargo xtask bench counts` builds it", program.display()).into());
    }
    let file = program.with_file_name(format!("hot.{}.callgrind", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no", "--demangle=yes"]);
    valgrind.arg(format!("--toggle-collect={MEASURED}")).arg(format!("--callgrind-out-file={}", file.display()));
    // The C library copies memory in the way that is best for the processor, and processors differ.
    valgrind.env("GLIBC_TUNABLES", PLAIN);
    match valgrind.arg(&program).output() {
        Ok(output) if output.status.success() => Ok(Some((Profile::parse(&std::fs::read_to_string(&file)?), file))),
        Ok(output) => Err(format!("valgrind: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_required() => {
            println!("skipped: `valgrind` is not installed (with EVENKEEL_REQUIRE=valgrind this fails)");
            Ok(None)
        }
        Err(error) => Err(format!("valgrind: {error}").into()),
    }
}

fn is_required() -> bool {
    env::var("EVENKEEL_REQUIRE").is_ok_and(|list| list.split(',').any(|name| name.trim() == "valgrind"))
}

fn print(counted: &Counts, kept: Option<&Counts>) {
    let kept = |function: &String| kept.and_then(|kept| kept.instructions.get(function));
    println!("{:<36}{:>8}{:>8}", "instructions a call", "kept", "now");
    for (function, count) in &counted.instructions {
        println!("{function:<36}{:>8}{count:>8}", kept(function).map_or(String::new(), u64::to_string));
    }
}

fn judged(comparison: &Comparison) -> ExitCode {
    let findings = match comparison {
        Comparison::Compared(findings) => findings,
        Comparison::Incomparable { kept, counted } => {
            println!("\nnot compared: what is kept is of {kept}, this is {counted}.");
            // Where it guards, a new compiler must not switch it off unseen.
            if is_required() {
                println!("Look at the table, and if all is well: `{RECORD}`, and commit the file.");
                return ExitCode::FAILURE;
            }
            return ExitCode::SUCCESS;
        }
    };
    let (worse, better): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.fails());
    for finding in &better {
        println!("\n✓ {finding}: keep it, with `{RECORD}`");
    }
    for finding in &worse {
        println!("\n✗ {finding}. Where they are: `cargo xtask bench counts --top {}`", finding.function);
    }
    if worse.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nIf that is as it should be, say why in the commit: `{RECORD}`");
    ExitCode::FAILURE
}

fn top(profile: &Profile, function: &str, file: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let counted = profile.get(&format!("{PLACE}{function}")).ok_or_else(|| format!("no hot path is `{function}`"))?;
    println!("Instructions a call of {function}, {} in all:\n", counted.inclusive_per_call().unwrap_or_default());
    for (place, instructions) in counted.top(10) {
        println!("{instructions:8.1}  {place}");
    }
    println!("\nAll of them: callgrind_annotate --inclusive=yes {}", file.display());
    Ok(ExitCode::SUCCESS)
}
