//! How long it stays open: schedules, how they grow, when they begin anew.
#![cfg(not(loom))]

mod support;

use std::time::{Duration, Instant};

use evenkeel_backoff::{Exponential, Jitter};
use evenkeel_breaker::{Breaker, OpenTimes, State};
use proptest::prelude::*;
use support::{Clock, by_hand, fail, ms, secs, succeed, wait};

/// Of one outage: how long it is open the first time, after a probe has failed, and so on.
fn outage<C: Fn() -> Instant>(breaker: &Breaker<C>, clock: &Clock, times: usize) -> Vec<Duration> {
    let times = (0..times).map(|_| {
        assert!(fail(breaker), "a call or a probe");
        assert_eq!(breaker.state(), State::Open);
        let open_for = wait(breaker, clock);
        clock.advance(open_for);
        open_for
    });
    times.collect()
}

#[test]
fn an_array_is_a_schedule_and_its_last_time_comes_again() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([1, 2, 5].map(secs)).build().unwrap();
    assert_eq!(outage(&breaker, &clock, 6), [1, 2, 5, 5, 5, 5].map(secs));
}

#[test]
fn an_iterator_that_can_be_cloned_is_a_schedule() {
    let (builder, clock) = by_hand();
    let schedule = (1..=3).map(|n| secs(n * n)).chain([secs(20)]);
    let breaker = builder.consecutive_failures(1).open_for(schedule).build().unwrap();
    assert_eq!(outage(&breaker, &clock, 5), [1, 4, 9, 20, 20].map(secs));
}

#[test]
fn a_schedule_of_the_backoff_crate_is_one() {
    let (builder, clock) = by_hand();
    let schedule = Exponential::new(secs(1)).cap(secs(10)).jitter(Jitter::None);
    let breaker = builder.consecutive_failures(1).open_for(schedule).build().unwrap();
    assert_eq!(outage(&breaker, &clock, 6), [1, 2, 4, 8, 10, 10].map(secs));

    let (builder, clock) = by_hand();
    let schedule = Exponential::new(secs(1)).cap(secs(10)).jitter(Jitter::Equal).seed(7);
    let breaker = builder.consecutive_failures(1).open_for(schedule).build().unwrap();
    let drawn: Vec<_> = schedule.into_iter().take(5).collect();
    assert_eq!(outage(&breaker, &clock, 5), drawn);
}

#[test]
fn left_out_they_are_the_default_open_times() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).build().unwrap();
    let longest = [5, 10, 20, 40, 80, 160, 300, 300].map(secs);
    for (open_for, longest) in outage(&breaker, &clock, 8).into_iter().zip(longest) {
        assert!((longest / 2..=longest).contains(&open_for), "{open_for:?} of {longest:?}");
    }
}

/// Closes it by a probe, lets it be closed for so long, and fails: how long it is open then.
fn open_again<C: Fn() -> Instant>(breaker: &Breaker<C>, clock: &Clock, closed_for: Duration) -> Duration {
    assert!(succeed(breaker));
    assert_eq!(breaker.state(), State::Closed);
    clock.advance(closed_for);
    outage(breaker, clock, 1)[0]
}

#[test]
fn a_close_that_lasts_as_long_as_it_was_open_begins_anew() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([2, 4, 8].map(secs)).build().unwrap();
    assert_eq!(outage(&breaker, &clock, 2), [2, 4].map(secs));
    assert_eq!(open_again(&breaker, &clock, secs(4)), secs(2), "it lasted");
    assert_eq!(open_again(&breaker, &clock, secs(86_400)), secs(2));
}

#[test]
fn one_that_flaps_goes_on_growing() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for([2, 4, 8].map(secs)).build().unwrap();
    assert_eq!(outage(&breaker, &clock, 1), [secs(2)]);
    let nearly = |open_for: u64| secs(open_for) - Duration::from_nanos(1);
    assert_eq!(open_again(&breaker, &clock, nearly(2)), secs(4));
    assert_eq!(open_again(&breaker, &clock, nearly(4)), secs(8));
    for _ in 0..10 {
        assert_eq!(open_again(&breaker, &clock, nearly(8)), secs(8));
    }
    assert_eq!(open_again(&breaker, &clock, secs(8)), secs(2), "to the nanosecond");
}

#[test]
fn each_outage_draws_its_own_times() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for(OpenTimes::new(secs(5), secs(300))).build().unwrap();
    let first = outage(&breaker, &clock, 5);
    assert!(succeed(&breaker));
    clock.advance(secs(1_000));
    assert_ne!(outage(&breaker, &clock, 5), first);
}

#[test]
fn open_times_of_nothing_and_of_all_time_do_not_panic() {
    for (first, cap) in [
        (Duration::ZERO, Duration::ZERO),
        (Duration::ZERO, Duration::MAX),
        (Duration::MAX, Duration::ZERO),
        (Duration::MAX, Duration::MAX),
        (Duration::from_nanos(1), Duration::MAX),
        (Duration::from_nanos(1), Duration::from_nanos(1)),
    ] {
        let times = OpenTimes::new(first, cap);
        for drawn in times.into_iter().take(200) {
            assert!(drawn <= cap, "{times:?} drew {drawn:?}");
        }
    }
    let longest = OpenTimes::new(Duration::from_nanos(1), Duration::MAX).into_iter().nth(100).unwrap();
    assert!(longest >= Duration::from_nanos(u64::MAX / 2), "doubling ends at 584 years");
    assert_eq!(OpenTimes::new(Duration::ZERO, secs(9)).into_iter().nth(9), Some(Duration::ZERO));
}

proptest! {
    #[test]
    fn each_open_time_is_between_half_of_its_longest_and_all_of_it(
        first in 0_u64..1 << 62, cap in 0_u64..1 << 62, seed in any::<Option<u64>>(),
    ) {
        let times = OpenTimes::new(Duration::from_nanos(first), Duration::from_nanos(cap));
        let times = seed.map_or(times, |seed| times.seed(seed));
        let mut longest = u128::from(first.min(cap));
        for drawn in times.into_iter().take(100) {
            let drawn = drawn.as_nanos();
            prop_assert!((longest / 2..=longest).contains(&drawn), "{drawn} of {longest}");
            longest = (longest * 2).min(u128::from(cap));
        }
    }

    #[test]
    fn a_seed_replays_and_another_does_not(seed in any::<u64>()) {
        let times = OpenTimes::new(secs(5), secs(300));
        let draw = |times: OpenTimes| times.into_iter().take(10).collect::<Vec<_>>();
        prop_assert_eq!(draw(times.seed(seed)), draw(times.seed(seed)));
        prop_assert_ne!(draw(times.seed(seed)), draw(times.seed(seed.wrapping_add(1))));
        prop_assert_ne!(draw(times), draw(times));
    }
}

#[test]
fn the_jitter_is_uniform_between_half_and_all() {
    let times = OpenTimes::new(ms(1_000), ms(1_000)).seed(1);
    let mut tenths = [0_u32; 10];
    for drawn in times.into_iter().take(100_000) {
        let tenth = (drawn.as_nanos() as u64 - 500_000_000) / 50_000_000;
        tenths[tenth.min(9) as usize] += 1;
    }
    // Six standard deviations of a binomial draw.
    assert!(tenths.iter().all(|count| (9_430..=10_570).contains(count)), "{tenths:?}");
}

#[test]
fn no_jitter_dies_at_the_cap() {
    let drawn: Vec<_> = OpenTimes::new(secs(1), secs(2)).into_iter().skip(10).take(20).collect();
    assert!(drawn.windows(2).any(|pair| pair[0] != pair[1]));
}
