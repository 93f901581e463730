//! The counts, as a table.

use std::{collections::BTreeMap, io};

use evenkeel_lab::sheet::{Parts, Sheet};
use serde::Serialize;

use super::Counts;

#[derive(Serialize)]
struct Row<'a> {
    function: &'a String,
    instructions: u64,
}

/// The counts that are kept, as a table; it has no chart.
///
/// # Errors
///
/// When a row is nothing that JSON or CSV can say.
pub fn sheet(counts: &Counts) -> io::Result<Sheet> {
    let rows: Vec<_> = counts
        .instructions
        .iter()
        .map(|(function, instructions)| Row { function, instructions: *instructions })
        .collect();
    let head = ["hot path", "instructions a call"].map(str::to_owned).to_vec();
    let line = |row: &Row<'_>| vec![format!("`{}`", row.function), row.instructions.to_string()];
    Parts {
        rows: &rows,
        more: BTreeMap::from([("rustc", counts.rustc.clone().into()), ("target", counts.target.clone().into())]),
        about: format!("Counted by callgrind; made by rustc {} for {}.", counts.rustc, counts.target),
        tables: vec![("Instructions of a call", std::iter::once(head).chain(rows.iter().map(line)).collect())],
        notes: "Each is a function of the package evenkeel-bench, in its module `hot`, which does little but make the call.",
        panels: Vec::new(),
    }
    .sheet()
}
