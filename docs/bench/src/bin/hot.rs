//! Calls every hot path; `counts` runs it in callgrind.

fn main() {
    evenkeel_bench::hot::run();
}
