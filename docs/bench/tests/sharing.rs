//! What threads share is measured with one of them and with two.
#![cfg(feature = "measure")]
#![allow(clippy::disallowed_types)] // The threads of a test keep what they saw behind a lock.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use evenkeel_bench::{
    measure::{Bench, How, Shared},
    row::Row,
};

fn rows(rounds: usize, candidates: &[Shared<'_>]) -> Vec<Row> {
    let mut bench = Bench::new(How::Time { rounds }, None);
    bench.share("area", "case", candidates);
    bench.into_results().rows
}

#[test]
fn each_candidate_has_a_row_for_one_thread_and_one_for_two() {
    let word = AtomicU64::new(0);
    let add = || |n| word.fetch_add(n, Ordering::Relaxed);
    let rows = rows(1, &[Shared::new("a", add), Shared::new("b", add)]);
    let keys: Vec<(&str, u32)> = rows.iter().map(|row| (&*row.candidate, row.threads)).collect();
    assert_eq!(keys, [("a", 1), ("a", 2), ("b", 1), ("b", 2)]);
    assert!(rows.iter().all(|row| row.ns.is_some_and(|ns| ns > 0.0) && row.quartiles.is_some()), "{rows:?}");
    assert!(rows.iter().all(|row| row.allocs.is_none() && row.bytes.is_none()), "they are not counted");
}

#[test]
fn every_operation_of_every_thread_is_counted_and_each_thread_has_a_handle_of_its_own() {
    let (made, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let numbers = Mutex::new(Vec::new());
    let make = || {
        made.fetch_add(1, Ordering::Relaxed);
        let mut own = Vec::new();
        let (done, numbers) = (&done, &numbers);
        move |n| {
            done.fetch_add(1, Ordering::Relaxed);
            own.push(n);
            if own.len() == 256 {
                numbers.lock().unwrap().push(std::mem::take(&mut own));
            }
        }
    };
    rows(1, &[Shared::new("counted", make)]);
    // One alone, then two; again for each time that the machine was busy.
    assert!(made.load(Ordering::Relaxed) >= 3);
    let chunks = numbers.into_inner().unwrap();
    assert_eq!(chunks.len() as u64 * 256, done.load(Ordering::Relaxed), "whole chunks");
    assert!(chunks.iter().all(|chunk| chunk.iter().copied().eq(0..256)), "each begins with 0");
}

#[test]
fn what_is_measured_is_the_time_that_each_thread_needs_for_an_operation() {
    // Of what takes a thread a hundred times as long.
    let spin = |times: u64| move |_| (0..times).map(std::hint::black_box).sum::<u64>();
    let rows = rows(1, &[Shared::new("short", || spin(10)), Shared::new("long", || spin(1_000))]);
    let ns = |name: &str, threads| {
        let row = rows.iter().find(|row| row.candidate == name && row.threads == threads);
        row.and_then(|row| row.ns).expect("it was measured")
    };
    assert!(ns("long", 1) > 5.0 * ns("short", 1), "{rows:?}");
    assert!(ns("long", 2) > 5.0 * ns("short", 2), "{rows:?}");
}

#[test]
fn another_area_is_not_measured_and_heaps_are_not_of_threads() {
    let calls = AtomicU64::new(0);
    let shared = [Shared::new("a", || |n| calls.fetch_add(n, Ordering::Relaxed))];
    let mut others = Bench::new(How::Time { rounds: 1 }, Some("other".to_owned()));
    others.share("area", "case", &shared);
    let mut heap = Bench::new(How::Heap(|_| unreachable!("nothing is counted")), None);
    heap.share("area", "case", &shared);
    assert_eq!((others.into_results().rows, heap.into_results().rows), (vec![], vec![]));
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_promise_of_two_threads_is_about_their_throughput_in_that_of_one() {
    let word = AtomicU64::new(0);
    let ours = "`Breaker`, the rules of both kinds";
    let mut bench = Bench::new(How::Time { rounds: 1 }, None);
    bench.share(
        "breaker",
        "two threads, all succeed",
        &[Shared::new(ours, || |n| word.fetch_add(n, Ordering::Relaxed))],
    );
    let results = bench.into_results();
    let [one, two] = [0, 1].map(|row| results.rows[row].ns.expect("it was measured"));
    let [target] = &results.targets[..] else { panic!("{results:?}") };
    assert_eq!((&*target.candidate, target.figure), (ours, 2.0 * one / two));
}
