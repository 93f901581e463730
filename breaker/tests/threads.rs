//! Many threads at one breaker: every result is counted, once, and every transition follows the one before.
#![cfg(not(loom))]

mod support;

use std::thread;

use evenkeel_breaker::{Breaker, BreakerBuilder, Permit, State};
use support::{Clock, Log, by_hand, ms, secs, succeed};

const THREADS: u64 = 4;

/// Some numbers, always the same: `of` tells them apart.
fn random(of: u64) -> impl FnMut() -> u64 {
    let mut state = (of + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

fn end<H: evenkeel_breaker::Handle>(permit: Permit<H>, fails: bool) {
    if fails { permit.failure() } else { permit.success() }
}

// More than the 65,535 results and 4,095 failures that a stripe has room for.
#[test]
fn results_of_many_threads_in_one_tick_of_a_time_window_are_all_counted() {
    const EACH: u64 = 60_000;
    for one_in in [2, 1_000_000] {
        let (builder, clock) = by_hand();
        let builder = builder.time_window(secs(1_000)).minimum_calls(10).failure_rate(1.0);
        let breaker = builder.build().unwrap();
        // So that it never opens.
        assert!((0..10).all(|_| succeed(&breaker)));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for call in 0..EACH {
                        end(breaker.try_acquire().unwrap(), call % one_in == 0);
                    }
                });
            }
        });
        let shown = breaker.snapshot();
        let failures = THREADS * EACH.div_ceil(one_in);
        assert_eq!((u64::from(shown.calls), u64::from(shown.failures)), (THREADS * EACH + 10, failures));
        clock.advance(secs(1_000));
        assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (0, 0));
    }
}

#[test]
fn results_of_many_threads_are_all_counted_while_ticks_turn() {
    const EACH: u64 = 20_000;
    let (builder, clock) = by_hand();
    let breaker = builder.time_window(secs(1_000)).minimum_calls(10).failure_rate(1.0).build().unwrap();
    assert!((0..10).all(|_| succeed(&breaker)));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (breaker, clock) = (&breaker, &clock);
            scope.spawn(move || {
                for call in 0..EACH {
                    end(breaker.try_acquire().unwrap(), call % 3 == 0);
                    if (call + thread) % 1_000 == 0 {
                        // At most 4 × 20 of these: they stay in the window.
                        clock.advance(secs(10));
                        let _ = breaker.snapshot();
                    }
                }
            });
        }
    });
    let shown = breaker.snapshot();
    let failures = THREADS * EACH.div_ceil(3);
    assert_eq!((u64::from(shown.calls), u64::from(shown.failures)), (THREADS * EACH + 10, failures));
}

/// A run of 999 failures in which a stripe is full, and then the one with which it opens: nobody looks before that.
#[test]
fn a_full_stripe_counts_each_result_once_in_its_run() {
    for (good_ones, runs) in [(65_535 - 500, 1), (0, 5)] {
        for slow in [false, true] {
            let (builder, clock) = by_hand();
            let builder = builder.time_window(secs(1_000)).minimum_calls(10_000).failure_rate(1.0);
            let builder = builder.slow_calls(ms(1), 1.0).consecutive_failures(1_000);
            let (breaker, start) = (builder.build().unwrap(), clock.now());
            let fails = || {
                let permit = breaker.try_acquire_at(start).unwrap();
                permit.failure_at(if slow { start + ms(1) } else { start });
            };
            (0..good_ones).for_each(|_| assert!(succeed(&breaker)));
            for run in 0..runs {
                assert!(run == 0 || succeed(&breaker));
                (0..999).for_each(|_| fails());
            }
            assert_eq!(breaker.state(), State::Closed, "none is counted twice");
            let before = breaker.try_acquire().unwrap();
            fails();
            assert_eq!(breaker.state(), State::Open, "none is lost");
            assert!(!before.is_current());
        }
    }
}

#[test]
fn results_of_one_thread_over_several_full_stripes_are_all_counted() {
    for one_in in [2, 20, 1_000_000] {
        let (builder, _clock) = by_hand();
        let breaker = builder.time_window(secs(1_000)).minimum_calls(10).failure_rate(1.0).build().unwrap();
        for call in 1..=140_000_u32 {
            end(breaker.try_acquire().unwrap(), call % one_in == 0);
        }
        let shown = breaker.snapshot();
        assert_eq!((shown.calls, shown.failures), (140_000, 140_000 / one_in));
    }
}

/// What is in the window is what its sums say: it falls out one by one, as good ones come.
#[test]
fn what_many_threads_put_into_a_count_window_falls_out_of_it() {
    for size in [1, 2, 3, 7, 16, 100] {
        for round in 0..12 {
            let builder = Breaker::builder().count_window(size).minimum_calls(size).failure_rate(1.0);
            let breaker = builder.build().unwrap();
            thread::scope(|scope| {
                for thread in 0..THREADS {
                    let breaker = &breaker;
                    scope.spawn(move || {
                        let mut random = random(round * THREADS + thread);
                        for _ in 0..300 {
                            let number = random();
                            match breaker.try_acquire() {
                                Ok(permit) => end(permit, number % 5 < 2),
                                Err(_) => breaker.reset(),
                            }
                            if number % 97 == 0 {
                                let shown = breaker.snapshot();
                                assert!(shown.failures <= shown.calls && shown.calls <= size, "{shown:?}");
                            }
                            if round % 3 == 0 && number % 101 == 0 {
                                breaker.reset();
                            }
                        }
                    });
                }
            });
            if breaker.state() != State::Closed {
                breaker.reset();
            }
            let mut before = breaker.snapshot();
            let (sum, held) = (before.failures, before.calls);
            let mut left = 0;
            for good in 1..=size {
                assert!(succeed(&breaker));
                let after = breaker.snapshot();
                assert_eq!(after.calls, size.min(held + good));
                // None or one of them.
                let leaving = before.failures.checked_sub(after.failures).expect("good ones came");
                assert!(leaving <= u32::from(after.calls == size), "{before:?}, then {after:?}");
                (left, before) = (left + leaving, after);
            }
            assert_eq!((left, before.calls, before.failures), (sum, size, 0), "size {size}");
        }
    }
}

type Kind = fn(BreakerBuilder) -> BreakerBuilder;

const KINDS: [Kind; 3] = [
    |builder| builder.consecutive_failures(3),
    |builder| builder.count_window(7).minimum_calls(3).failure_rate(0.6),
    |builder| builder.time_window(ms(10)).minimum_calls(3).failure_rate(0.6).consecutive_failures(5),
];

#[test]
fn threads_through_all_states_leave_an_unbroken_chain_and_no_probe() {
    for kind in KINDS {
        let (clock, log) = (Clock::new(), Log::default());
        let builder = Breaker::builder().open_for([ms(1), ms(2)]).ramp(ms(20)).probe_timeout(ms(3));
        let builder = kind(builder.half_open_permits(2).half_open_successes(2).half_open_calls(3));
        let breaker = builder.clock(clock.reader()).observe(log.clone()).build().unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (breaker, clock) = (&breaker, &clock);
                scope.spawn(move || {
                    let mut random = random(thread);
                    let mut held = Vec::new();
                    for _ in 0..4_000 {
                        let number = random();
                        match number % 64 {
                            0 => clock.advance(ms(number / 64 % 3)),
                            1 if number / 64 % 20 == 0 => breaker.reset(),
                            2 if number / 64 % 20 == 0 => breaker.force_open(),
                            3 if number / 64 % 20 == 0 => breaker.force_closed(),
                            4..=9 if matches!(breaker.state(), State::ForcedOpen | State::ForcedClosed) => {
                                breaker.reset();
                            }
                            10 => drop(breaker.snapshot()),
                            11..=40 => held.extend(breaker.try_acquire()),
                            41..=50 => held.pop().into_iter().for_each(Permit::failure),
                            51..=60 => held.pop().into_iter().for_each(Permit::success),
                            _ => held.truncate(3),
                        }
                    }
                });
            }
        });
        let mut at = (State::Closed, 0);
        let mut reached = [0; State::ALL.len()];
        for transition in log.heard().transitions {
            assert_eq!((transition.from, transition.period), (at.0, at.1 + 1));
            at = (transition.to, transition.period);
            reached[State::ALL.iter().position(|&state| state == at.0).unwrap()] += 1;
        }
        let shown = breaker.snapshot();
        assert_eq!((shown.state, shown.period, shown.probes_out), (at.0, at.1, 0));
        assert!(reached.into_iter().all(|times| times > 0), "{reached:?}");
        breaker.reset();
        assert!(succeed(&breaker));
    }
}
