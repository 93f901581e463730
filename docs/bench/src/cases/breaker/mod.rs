//! What a breaker costs, beside the peers and beside the atomics that it is made of.
//!
//! Every call asserts that it was made, or that it was not.

mod closed;
mod futures;
mod layers;
mod made;
mod open;
mod peers;
mod raw;
mod services;
mod threads;
mod windows;

use std::{hint::black_box, time::Duration};

use peers::{Answer, Peer};

use crate::measure::{Bench, Candidate};

pub(super) fn run(bench: &mut Bench) {
    // To get ready takes time of its own.
    if !bench.is_wanted(AREA) {
        return;
    }
    // First: what the peers put off freeing is not in its way.
    made::run(bench);
    raw::run(bench);
    closed::run(bench);
    open::run(bench);
    futures::run(bench);
    layers::run(bench);
    windows::run(bench);
    threads::run(bench);
}

/// The area of all of them.
const AREA: &str = "breaker";
/// Of the windows by time.
const SPAN: Duration = Duration::from_secs(10);
/// Calls that fill every window.
const CALLS: u64 = 2_000;

/// Calls that come to what `answer` says, one after the other; it keeps what `make` makes once its window is full.
fn admitted<'a, P: Peer + 'a>(
    name: &'static str,
    make: impl Fn() -> P + 'a,
    answer: impl Fn(u64) -> Answer + Copy + 'a,
) -> Candidate<'a> {
    let filled = move || {
        let mut peer = make();
        (0..CALLS).for_each(|n| assert!(peer.admits(answer(n)), "{name}"));
        peer
    };
    let mut peer = filled();
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(peer.admits(black_box(answer(n))), "{name}");
    })
    .keeps(filled)
}
