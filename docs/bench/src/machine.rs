//! What it was measured on, for those who read the figures elsewhere.

use std::{fs, thread};

use crate::compiler::Compiler;

/// Processor, cores, and compiler with its target, in a line.
#[must_use]
pub fn described() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Whoever measures without the compiler at hand has the figures all the same.
    let compiler = Compiler::of_the_workspace()
        .map_or_else(|_| "an unknown compiler".to_owned(), |of| format!("rustc {} for {}", of.version, of.target));
    format!("{}, {cores} cores; {compiler}.", processor())
}

/// What Linux says it is.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |line: &str| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned());
    info.lines().find_map(named).unwrap_or_else(|| "A processor without a name".to_owned())
}
