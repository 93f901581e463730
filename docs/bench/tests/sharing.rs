//! What threads share is measured with one of them and with two.
#![cfg(feature = "measure")]
#![allow(clippy::disallowed_methods)] // To be late is to look at the clock.
#![allow(clippy::disallowed_types)] // The threads of a test keep what they saw behind a lock.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_bench::{
    measure::{Allocated, Bench, How, Shared},
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
    assert!(rows.iter().all(|row| row.allocs.is_none() && row.bytes.is_none()), "another program counts them");
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
fn allocations_are_counted_in_every_thread_and_bytes_once_for_all() {
    fn count(run: &mut dyn FnMut()) -> Allocated {
        let counted = allocation_counter::measure(run);
        Allocated { count_total: counted.count_total, bytes_current: counted.bytes_current }
    }
    let (made, alone) = (AtomicU64::new(0), AtomicU64::new(0));
    // What is allocated to get ready is not the operation's, nor what its first call has.
    let warms_up = || {
        let (_ready, mut is_first) = (Box::new(0_u64), true);
        move |n: u64| std::mem::take(&mut is_first).then(|| Box::new(n))
    };
    let every_second = || |n: u64| (n % 2 == 0).then(|| Box::new(n));
    // One thread was alone before these two.
    let second = || {
        let is_second = made.fetch_add(1, Ordering::Relaxed) == 2;
        move |n| is_second.then(|| Box::new(n))
    };
    let mut bench = Bench::new(How::Heap(count), None);
    let candidates = [
        Shared::new("none", || |n| alone.fetch_add(n, Ordering::Relaxed)).keeps(|| Box::new([0_u64; 8])),
        Shared::new("every second", every_second),
        Shared::new("one of two", second),
        Shared::new("while it warms up", warms_up),
    ];
    bench.share("area", "case", &candidates);
    let rows = bench.into_results().rows;
    let of = |name: &str| {
        let rows = rows.iter().filter(|row| row.candidate == name);
        rows.map(|row| (row.threads, row.allocs.expect("counted"), row.bytes)).collect::<Vec<_>>()
    };
    assert_eq!(of("none"), [(1, 0.0, Some(72)), (2, 0.0, Some(72))]);
    assert_eq!(of("every second"), [(1, 0.5, None), (2, 0.5, None)]);
    assert_eq!(of("one of two"), [(1, 0.0, None), (2, 0.5, None)]);
    assert_eq!(of("while it warms up"), [(1, 0.0, None), (2, 0.0, None)]);
    assert!(rows.iter().all(|row| row.ns.is_none()), "{rows:?}");
}

#[test]
fn on_a_machine_that_is_always_busy_a_case_is_measured_no_more_than_six_times_as_often() {
    let made = AtomicU64::new(0);
    // Of each thread the first chunk is longer than a slice may be: as if something else had run.
    let disturbed = || {
        made.fetch_add(1, Ordering::Relaxed);
        let mut start = None;
        move |_| {
            while start.get_or_insert_with(Instant::now).elapsed() < Duration::from_millis(3) {
                std::hint::spin_loop();
            }
        }
    };
    rows(12, &[Shared::new("disturbed", disturbed)]);
    // Four rounds of one thread and of two.
    let threads = 4 * (1 + 2);
    assert_eq!(made.load(Ordering::Relaxed), 6 * threads);
}

#[test]
fn of_slices_that_were_all_disturbed_the_one_that_was_least_is_taken() {
    const LONG: Duration = Duration::from_millis(200);
    let made = AtomicU64::new(0);
    // As above; of the first slice it is much longer.
    let disturbed = || {
        let for_so_long = if made.fetch_add(1, Ordering::Relaxed) == 0 { LONG } else { Duration::from_millis(3) };
        let mut start = None;
        move |_| {
            while start.get_or_insert_with(Instant::now).elapsed() < for_so_long {
                std::hint::spin_loop();
            }
        }
    };
    let rows = rows(1, &[Shared::new("disturbed", disturbed)]);
    // The first slice ends with its first chunk: that is what it came to, at the least.
    let first = LONG.as_nanos() as f64 / 256.0;
    assert!(rows[0].ns.is_some_and(|ns| ns < first), "{rows:?}");
}

#[test]
fn another_area_is_not_measured() {
    let calls = AtomicU64::new(0);
    let shared = [Shared::new("a", || |n| calls.fetch_add(n, Ordering::Relaxed))];
    let never = How::Heap(|_| unreachable!("nothing is counted"));
    for how in [How::Time { rounds: 1 }, never] {
        let mut others = Bench::new(how, Some("other".to_owned()));
        others.share("area", "case", &shared);
        assert_eq!(others.into_results().rows, []);
    }
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
