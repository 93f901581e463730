//! The stories of schedules.
#![cfg(not(loom))]

use std::{collections::HashSet, thread, time::Duration};

use evenkeel_backoff::{AnySchedule, Constant, Decorrelated, Exponential, Fibonacci, Jitter, Linear, Ratio};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn jitter_is_alive_at_the_cap() {
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Around(Ratio::TENTH)] {
        let schedule = Exponential::new(ms(100)).cap(ms(1_000)).jitter(jitter);
        let at_the_cap: HashSet<_> = schedule.take(60).into_iter().skip(10).collect();
        assert!(at_the_cap.len() > 45, "{jitter:?} draws {} different delays of 50", at_the_cap.len());
        assert!(at_the_cap.iter().filter(|&&delay| delay == ms(1_000)).count() <= 1);
    }
    let decorrelated: HashSet<_> = Decorrelated::new(ms(100)).cap(ms(1_000)).take(200).into_iter().collect();
    assert!(decorrelated.len() > 190, "draws {} different delays of 200", decorrelated.len());
}

#[test]
fn two_sessions_of_one_schedule_draw_different_delays() {
    let schedule = Exponential::new(ms(100));
    let fresh = schedule.into_iter();
    let sessions = [
        schedule.into_iter(),
        schedule.into_iter(),
        fresh.clone(),
        fresh.clone(),
        thread::spawn(move || schedule.into_iter()).join().unwrap(),
    ];
    let drawn: HashSet<Vec<_>> = sessions.map(|session| session.take(3).collect()).into();
    assert_eq!(drawn.len(), 5);
}

#[test]
fn ten_thousand_sessions_draw_as_many_first_delays() {
    let drawn: HashSet<_> =
        (0..10_000).map(|_| Constant::new(Duration::from_secs(1_000_000_000)).into_iter().next()).collect();
    assert_eq!(drawn.len(), 10_000);
}

#[test]
fn sessions_of_threads_at_the_same_time_draw_different_first_delays() {
    // So long that two of them are the same by chance once in a thousand million runs.
    let first = |_| Constant::new(Duration::from_secs(1_000_000_000)).into_iter().next();
    let draw = move || (0..10_000).map(first).collect::<Vec<_>>();
    let threads = [(); 4].map(|()| thread::spawn(draw));
    let drawn: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(drawn.len(), 40_000);
}

#[test]
fn a_clone_of_a_session_that_has_begun_goes_on_with_its_draws() {
    let mut session = Exponential::new(ms(100)).into_iter();
    session.next();
    assert!(session.clone().take(5).eq(session.take(5)));
}

/// A replay, or a figure that was published with its seed, is worth something only as long as this holds.
#[test]
fn a_seed_draws_the_same_delays_in_every_version() {
    let drawn = |schedule: AnySchedule| {
        let mut delays = schedule.into_iter().map(|delay| delay.as_nanos() as u64);
        [(); 4].map(|()| delays.next().unwrap())
    };
    let factor = Exponential::builder(ms(3)).factor(1.7).jitter(Jitter::Equal).seed(7).build().unwrap();
    let around = Linear::new(ms(100), ms(50)).jitter(Jitter::Around(Ratio::TENTH)).seed(7);
    assert_eq!(
        drawn(Exponential::new(ms(100)).cap(ms(1_000)).seed(7).into()),
        [64_970_434, 120_846_961, 72_914_095, 721_500_951]
    );
    assert_eq!(drawn(factor.into()), [2_474_557, 4_090_798, 5_125_205, 14_015_876]);
    assert_eq!(
        drawn(Constant::new(ms(100)).jitter(Jitter::Equal).seed(7).into()),
        [82_485_217, 80_211_740, 59_114_262, 95_093_810]
    );
    assert_eq!(drawn(around.into()), [102_994_087, 153_127_044, 187_291_409, 270_093_810]);
    assert_eq!(drawn(Fibonacci::new(ms(100)).seed(7).into()), [64_970_434, 60_423_481, 36_457_047, 270_562_857]);
    assert_eq!(
        drawn(Decorrelated::new(ms(100)).cap(ms(5_000)).seed(7).into()),
        [229_940_867, 456_391_345, 331_351_692, 906_326_984]
    );
}

#[test]
fn full_jitter_is_uniform_from_zero_to_the_delay() {
    let schedule = Constant::new(ms(1_000)).seed(7);
    let mut quarters = [0_u32; 4];
    for delay in schedule.take(40_000) {
        quarters[(delay.as_nanos() / 250_000_001) as usize] += 1;
    }
    assert!(quarters.iter().all(|count| (9_700..10_300).contains(count)), "{quarters:?}");
}

#[test]
fn whole_second_bases_keep_their_fraction() {
    let schedule = Exponential::new(ms(1_500)).jitter(Jitter::None);
    assert!(schedule.take(3).into_iter().eq([ms(1_500), ms(3_000), ms(6_000)]));
}

#[test]
fn a_small_delay_grows_by_a_fractional_factor() {
    let builder = Exponential::builder(Duration::from_nanos(1)).factor(1.5).jitter(Jitter::None);
    let nanos = builder.build().unwrap().take(8).into_iter().map(|delay| delay.as_nanos());
    assert!(nanos.eq([1, 1, 2, 3, 5, 7, 11, 17]), "the fraction of a nanosecond is kept");
}

#[test]
fn fibonacci_begins_with_its_first_delay_twice() {
    let schedule = Fibonacci::new(ms(10)).jitter(Jitter::None);
    assert!(schedule.take(6).into_iter().map(|delay| delay.as_millis()).eq([10, 10, 20, 30, 50, 80]));
}

#[test]
fn a_total_ends_it_before_the_delay_that_would_pass_it() {
    let schedule = Linear::new(ms(10), ms(10)).jitter(Jitter::None);
    assert!(schedule.within(ms(60)).into_iter().eq([ms(10), ms(20), ms(30)]));
    assert!(schedule.within(ms(59)).into_iter().eq([ms(10), ms(20)]));
    assert_eq!(schedule.within(Duration::ZERO).into_iter().next(), None);
}

#[test]
fn a_schedule_says_whether_it_ends() {
    let endless = (usize::MAX, None);
    assert_eq!(Constant::new(ms(1)).into_iter().size_hint(), endless);
    assert_eq!(Constant::new(ms(1)).take(3).into_iter().size_hint(), (3, Some(3)));
    assert_eq!(Constant::new(ms(1)).within(ms(5)).into_iter().size_hint(), (0, Some(usize::MAX)));
    assert_eq!(Constant::new(Duration::ZERO).within(ms(5)).into_iter().size_hint(), endless, "zeros use nothing up");
    assert_eq!(Exponential::new(ms(1)).cap(Duration::ZERO).within(ms(5)).into_iter().size_hint(), endless);
}

#[test]
fn the_smaller_of_two_limits_counts_and_the_largest_is_none() {
    let schedule = Constant::new(ms(1));
    assert_eq!(schedule.take(2).take(5).into_iter().count(), 2);
    assert_eq!(schedule.take(5).take(2).into_iter().count(), 2);
    assert_eq!(schedule.take(0).take(usize::MAX).into_iter().next(), None);
    assert_eq!(schedule.take(usize::MAX).into_iter().size_hint(), (usize::MAX, None));
}

#[test]
fn the_standard_adaptors_make_schedules_of_schedules() {
    let exact = |delay| Constant::new(delay).jitter(Jitter::None);
    let schedule = exact(Duration::ZERO).take(1).into_iter().chain(exact(ms(50)).take(2));
    assert!(schedule.clone().eq([ms(0), ms(50), ms(50)]));
    assert!(schedule.eq([ms(0), ms(50), ms(50)]));
}

#[test]
fn a_factor_is_refused_outside_of_its_range_and_may_be_corrected() {
    let build = |factor| Exponential::builder(ms(1)).factor(factor).build();
    assert!([1.0, 255.0].map(build).iter().all(Result::is_ok));
    assert!([0.999, 255.001, -2.0, f64::NAN, f64::INFINITY].map(build).iter().all(Result::is_err));
    let corrected = Exponential::builder(ms(1)).factor(0.5).factor(3.0).jitter(Jitter::None).build().unwrap();
    assert!(corrected.take(3).into_iter().eq([ms(1), ms(3), ms(9)]));
}

#[test]
fn a_cap_that_comes_after_a_floor_brings_it_down() {
    let schedule = Constant::builder(ms(100)).floor(ms(80)).build().unwrap();
    assert!(schedule.cap(ms(30)).take(100).into_iter().all(|delay| delay == ms(30)));
}

#[test]
fn a_schedule_prints_what_it_is() {
    let schedule = Exponential::builder(ms(100)).floor(ms(5)).cap(ms(900)).seed(1).build().unwrap();
    let printed = format!("{schedule:?}");
    for part in
        ["next: 100ms", "floor: 5ms", "cap: Some(900ms)", "within: None", "left: None", "jitter: Full", "seeded: true"]
    {
        assert!(printed.contains(part), "{part} in {printed}");
    }
}
