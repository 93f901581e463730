//! Every case runs, the hot paths of ours allocate nothing, and what each keeps is counted.
#![cfg(all(feature = "measure", not(loom)))]

use std::{collections::BTreeSet, sync::OnceLock};

use evenkeel_bench::{
    cases,
    measure::{Allocated, Bench, How},
    row::{Results, Row},
    sheet, target,
};

/// Where ours allocate: by area and case, how often, and why.
const ALLOCATE: &[(&str, &str, f64, &str)] = &[
    (
        "retry",
        "layer, a request of 64 bytes on the heap, success at once",
        2.0,
        "the request, and the copy that is kept",
    ),
    (
        "breaker",
        "it opens, its probe succeeds, it closes",
        2.0,
        "a transition is queued, and the schedule of the open times drawn",
    ),
    ("hedging", "future, fired", 2.0, "what is in flight beside the first attempt: a box in a list"),
    ("hedging", "layer, fired", 2.0, "as there"),
    ("hedging", "layer, two at once", 2.0, "as there"),
    ("hedging", "layer, fired, in tokio", 2.0, "as there"),
];

/// What is made there lives on the heap.
const MADE: [(&str, &str); 2] = [("breaker", "built and dropped"), ("budget", "made and dropped")];

#[test]
fn every_candidate_does_it_under_a_name_of_its_own_and_every_promise_finds_its_candidates() {
    let results = timed();
    let mut names = BTreeSet::new();
    for row in &results.rows {
        assert!(names.insert((&row.area, &row.case, &row.candidate, row.threads)), "twice: {row:?}");
        assert!(row.ns.is_some(), "not timed: {row:?}");
    }
    let judged: Vec<_> = results.targets.iter().map(|measured| &*measured.promise).collect();
    for target in target::ALL {
        assert_eq!(judged.iter().filter(|promise| **promise == target.promise).count(), 1, "{target:?}");
    }
}

#[test]
fn ours_allocate_nothing_but_where_it_is_said() {
    let results = counted();
    let ours = results.rows.iter().filter(|row| sheet::is_ours(&row.candidate));
    let mut wrong = Vec::new();
    for row in ours.filter(|row| !MADE.contains(&(&*row.area, &*row.case))) {
        let allowed = ALLOCATE.iter().find(|(area, case, ..)| (&*row.area, &*row.case) == (*area, *case));
        let most = allowed.map_or(0.0, |(_, _, most, _)| *most);
        if row.allocs.is_none_or(|allocs| allocs > most) {
            wrong.push(format!("{}: {}: {}: {:?} instead of {most}", row.area, row.case, row.candidate, row.allocs));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (area, case, most, _) in ALLOCATE {
        let of = |row: &&Row| (&*row.area, &*row.case, row.allocs) == (area, case, Some(*most));
        assert!(results.rows.iter().any(|row| of(&row)), "{area}: {case} allocates less than {most}: say so");
    }
}

#[test]
fn ours_all_say_what_they_keep() {
    let is_silent = |row: &&Row| sheet::is_ours(&row.candidate) && row.bytes.is_none();
    let silent: Vec<&Row> = counted().rows.iter().filter(is_silent).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn of_each_row_that_is_timed_there_is_one_that_is_counted() {
    for row in &timed().rows {
        let of = counted().rows.iter().find(|other| other.is_of(row));
        assert!(of.is_some_and(|row| row.allocs.is_some()), "not counted: {row:?}");
    }
}

/// All cases, once for all tests.
fn timed() -> &'static Results {
    static TIMED: OnceLock<Results> = OnceLock::new();
    TIMED.get_or_init(|| run(How::Time { rounds: 1 }))
}

/// The same, counted.
fn counted() -> &'static Results {
    static COUNTED: OnceLock<Results> = OnceLock::new();
    COUNTED.get_or_init(|| run(How::Heap(count)))
}

fn run(how: How) -> Results {
    let mut bench = Bench::new(how, None);
    cases::run(&mut bench);
    bench.into_results()
}

fn count(run: &mut dyn FnMut()) -> Allocated {
    let counted = allocation_counter::measure(run);
    Allocated { count_total: counted.count_total, bytes_current: counted.bytes_current }
}
