//! Counts the allocations and the bytes of all cases, as JSON: `bench` runs it for its tables.

use std::process::ExitCode;

use evenkeel_bench::{
    cases,
    measure::{Allocated, Bench, How},
};

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    let mut bench = Bench::new(How::Heap(count), only);
    cases::run(&mut bench);
    match serde_json::to_string(&bench.into_results()) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("heap: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count(run: &mut dyn FnMut()) -> Allocated {
    let counted = allocation_counter::measure(run);
    Allocated { count_total: counted.count_total, bytes_current: counted.bytes_current }
}
