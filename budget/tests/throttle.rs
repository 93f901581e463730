//! The stories of the adaptive throttle: what it lets through, and when.
#![cfg(all(feature = "throttle", not(loom)))]

mod throttle_support;

use std::{
    thread,
    time::{Duration, Instant},
};

use evenkeel_budget::{
    AdaptiveThrottle,
    Outcome::{self, Permanent, Success, Throttled, Transient},
    Priority::{self, Critical, Normal, Sheddable},
};
use throttle_support::{by_hand, ms, secs, send};

#[test]
fn a_healthy_service_is_never_throttled() {
    for k in [1.0, 2.0, 1000.0] {
        let (builder, clock) = by_hand();
        let throttle = builder.k(k).build().unwrap();
        for request in 0..10_000 {
            let priority = Priority::ALL[request % 3];
            assert!(send(&throttle, priority, if request % 2 == 0 { Success } else { Permanent }));
            clock.advance(ms(37));
        }
    }
}

#[test]
fn a_healthy_service_that_is_slow_is_not_throttled_either() {
    let (builder, clock) = by_hand();
    let throttle = builder.k(1.0).window(secs(1)).build().unwrap();
    // It answers after three windows, and until then nothing is known.
    let mut in_flight = Vec::new();
    for _ in 0..1_000 {
        in_flight.push(throttle.try_acquire(Normal).expect("it has not failed"));
        if in_flight.len() > 300 {
            in_flight.remove(0).record(Success);
        }
        clock.advance(ms(10));
    }
    assert_eq!(throttle.snapshot().rejection_probability, 0.0);
}

#[test]
fn a_burst_is_sent_before_anything_is_known() {
    let throttle = AdaptiveThrottle::default();
    let burst: Vec<_> = (0..1_000).map(|_| throttle.try_acquire(Normal).expect("nothing has failed")).collect();
    assert_eq!(throttle.snapshot().requests, 0, "in flight");
    drop(burst);
    assert_eq!(throttle.snapshot().requests, 1_000);
}

/// The service does ten requests a second, and is offered a hundred.
fn overload(k: f64, priority: impl Fn(u32) -> Priority) -> ([f64; 3], f64) {
    let (builder, clock) = by_hand();
    let throttle = builder.k(k).build().unwrap();
    let (mut sent, mut accepted, seconds) = ([0.0; 3], 0.0, 480);
    for second in 0..2 * 120 + seconds {
        let mut capacity = 10;
        for request in 0..100 {
            let outcome = if capacity > 0 { Success } else { Throttled };
            let priority = priority(request);
            if send(&throttle, priority, outcome) {
                capacity = (capacity - 1).max(0);
                if second >= 2 * 120 {
                    sent[priority as usize] += 1.0;
                    accepted += f64::from(u8::from(outcome == Success));
                }
            }
            clock.advance(ms(10));
        }
    }
    (sent.map(|sent| sent / f64::from(seconds) / 10.0), accepted / f64::from(seconds) / 10.0)
}

#[test]
fn at_ten_times_its_capacity_the_service_sees_k_times_of_it() {
    for (k, least, most) in [(1.5, 1.4, 1.6), (2.0, 1.9, 2.1), (3.0, 2.9, 3.1)] {
        let ([_, sent, _], accepted) = overload(k, |_| Normal);
        assert!((least..most).contains(&sent), "{sent} times its capacity at k = {k}");
        assert!(accepted > 0.97, "and it is not idle: {accepted}");
    }
}

#[test]
fn critical_requests_are_rejected_last_and_sheddable_ones_first() {
    // Offered, in parts of the capacity: 1 critical, 3 normal, 6 sheddable. Two are sent.
    let ([critical, normal, sheddable], _) = overload(2.0, |request| match request % 10 {
        0 => Critical,
        1..=3 => Normal,
        _ => Sheddable,
    });
    assert!((0.99..1.01).contains(&critical), "all that there are: {critical}");
    assert!((0.9..1.1).contains(&normal), "what is left: {normal}");
    assert_eq!(sheddable, 0.0);
}

/// How long it takes until next to nothing is rejected, after five minutes without an accept.
fn recovery(max_rejection: f64, seed: u64) -> Duration {
    let (builder, clock) = by_hand();
    let throttle = builder.max_rejection(max_rejection).seed(seed).build().unwrap();
    for _ in 0..5 * 60 * 100 {
        send(&throttle, Normal, Transient);
        clock.advance(ms(10));
    }
    assert!(throttle.snapshot().rejection_probability > max_rejection - 0.001);
    let end = clock.now();
    while throttle.snapshot().rejection_probability > 0.01 {
        send(&throttle, Normal, Success);
        clock.advance(ms(10));
        assert!(clock.now() < end + secs(3_600), "it does not recover");
    }
    clock.now() - end
}

#[test]
fn an_outage_is_left_again_and_sooner_where_some_are_always_sent() {
    let means = [1.0, 0.99, 0.9].map(|max| (0..8).map(|seed| recovery(max, seed)).sum::<Duration>() / 8);
    // The figures of the documentation.
    for (mean, minutes) in means.into_iter().zip([12, 6, 4]) {
        assert!(mean > secs(60 * minutes - 120) && mean < secs(60 * minutes + 120), "{mean:?}, not {minutes} min");
    }
}

#[test]
fn rejected_requests_count_as_requests() {
    let (builder, _) = by_hand();
    let throttle = builder.build().unwrap();
    let sent = (0..1_000).filter(|_| send(&throttle, Normal, Transient)).count();
    assert!((3..20).contains(&sent), "about the logarithm of them: {sent}");
    let snapshot = throttle.snapshot();
    assert_eq!((snapshot.requests, snapshot.accepts), (1_000, 0));
    assert_eq!(snapshot.rejection_probability, 1_000.0 / 1_001.0);
}

#[test]
fn the_window_forgets_to_the_tick() {
    let (builder, clock) = by_hand();
    let throttle = builder.window(secs(20)).build().unwrap();
    let held = |at: Instant| throttle.snapshot_at(at).requests;
    clock.advance(ms(2_500));
    send(&throttle, Normal, Success);
    clock.advance(secs(1));
    send(&throttle, Normal, Success);
    let now = clock.now();
    assert_eq!(held(now + ms(18_499)), 2, "in the third tick of the window that ends with the 22nd");
    assert_eq!(held(now + ms(18_500)), 1);
    assert_eq!(held(now + ms(19_499)), 1);
    assert_eq!(held(now + ms(19_500)), 0);
    assert_eq!(held(now), 2, "to look changes nothing");
}

#[test]
fn a_request_is_forgotten_with_its_rejections() {
    let (builder, clock) = by_hand();
    let throttle = builder.build().unwrap();
    (0..100).for_each(|_| _ = send(&throttle, Normal, Transient));
    assert!(throttle.snapshot().rejection_probability > 0.9);
    clock.advance(secs(121));
    assert_eq!(throttle.snapshot().rejection_probability, 0.0);
    assert!(throttle.try_acquire(Normal).is_ok());
}

#[test]
fn a_clock_that_stands_still_jumps_or_goes_back_breaks_nothing() {
    let (builder, clock) = by_hand();
    let throttle = builder.build().unwrap();
    // Still.
    (0..50).for_each(|_| assert!(send(&throttle, Normal, Success)));
    // Back, and before its beginning: what it counted stays, and what comes is counted with it.
    clock.go_back(secs(3_600));
    (0..50).for_each(|_| assert!(send(&throttle, Normal, Success)));
    assert_eq!(throttle.snapshot().requests, 100);
    clock.advance(secs(3_600 + 119));
    assert_eq!(throttle.snapshot().requests, 100, "as if all had come before it went back");
    clock.advance(secs(1));
    assert_eq!(throttle.snapshot().requests, 0);
    // Hours, and years.
    for jump in [secs(7_200), secs(86_400 * 365 * 100)] {
        clock.advance(jump);
        assert!(send(&throttle, Normal, Transient));
        assert_eq!(throttle.snapshot().requests, 1);
    }
}

#[test]
fn what_ends_after_a_pause_counts_at_the_moment_of_the_last_request() {
    let (builder, clock) = by_hand();
    let throttle = builder.build().unwrap();
    let admission = throttle.try_acquire(Normal).unwrap();
    let reads = clock.reads();
    clock.advance(secs(60));
    admission.record(Transient);
    assert_eq!(clock.reads(), reads, "to record reads no clock");
    assert_eq!(throttle.snapshot().requests, 1);
    clock.advance(secs(61));
    assert_eq!(throttle.snapshot().requests, 0);
}

#[test]
fn an_admission_that_is_dropped_counts_as_not_accepted() {
    let throttle = AdaptiveThrottle::default();
    drop(throttle.try_acquire(Normal).unwrap());
    let snapshot = throttle.snapshot();
    assert_eq!((snapshot.requests, snapshot.accepts), (1, 0));
    assert_eq!(snapshot.rejection_probability, 0.5);
}

#[test]
fn an_admission_that_owns_its_handle_outlives_the_one_that_was_asked() {
    let throttle = AdaptiveThrottle::default();
    let asked = throttle.clone();
    let admission = asked.try_acquire_owned(Normal).unwrap();
    drop(asked);
    admission.record(Transient);
    assert_eq!(throttle.snapshot().requests, 1);
}

#[test]
fn one_that_was_not_accepted_is_seen_by_every_priority_until_it_leaves_the_window() {
    for failed in Priority::ALL {
        let (builder, clock) = by_hand();
        let throttle = builder.k(1.0).build().unwrap();
        for _ in 0..10 {
            assert!(send(&throttle, Normal, Success));
        }
        clock.advance(secs(60));
        assert!(send(&throttle, failed, Transient));
        let sheddable = || throttle.snapshot().rejection_probability_of(Sheddable);
        assert!(sheddable() > 0.0);
        clock.advance(secs(119));
        assert!(sheddable() > 0.0, "it counts for two minutes, to a twentieth");
        let asked = (0..100).filter(|_| throttle.try_acquire(Sheddable).is_err()).count();
        assert!(asked > 0, "and is not overlooked");
    }
}

#[test]
fn a_service_that_has_done_its_part_has_accepted() {
    for (outcome, accepts) in [(Success, 1), (Permanent, 1), (Transient, 0), (Throttled, 0)] {
        let throttle = AdaptiveThrottle::default();
        send(&throttle, Normal, outcome);
        assert_eq!((throttle.snapshot().requests, throttle.snapshot().accepts), (1, accepts), "{outcome:?}");
    }
}

#[test]
fn with_a_maximal_probability_some_are_always_sent() {
    for (max, least, most) in [(0.0, 10_000, 10_000), (0.5, 4_800, 5_200), (0.99, 70, 130)] {
        let (builder, _) = by_hand();
        let throttle = builder.max_rejection(max).build().unwrap();
        (0..1_000).for_each(|_| _ = send(&throttle, Normal, Transient));
        let sent = (0..10_000).filter(|_| send(&throttle, Normal, Transient)).count();
        assert!((least..=most).contains(&sent), "{sent} at {max}");
        assert!(throttle.snapshot().rejection_probability <= max);
    }
}

#[test]
fn a_seed_replays_and_its_absence_does_not() {
    let history = |seed: Option<u64>| {
        let builder = AdaptiveThrottle::builder();
        let throttle = seed.map_or(builder, |seed| builder.seed(seed)).build().unwrap();
        let outcome = |request| if request % 4 == 0 { Success } else { Transient };
        (0..1_000).map(|request| send(&throttle, Normal, outcome(request))).collect::<Vec<_>>()
    };
    assert_eq!(history(Some(7)), history(Some(7)));
    assert_ne!(history(Some(7)), history(Some(8)));
    assert_ne!(history(None), history(None));
}

#[test]
fn a_bad_configuration_is_refused_by_field_value_and_range() {
    let refused = |builder: evenkeel_budget::ThrottleBuilder| builder.build().unwrap_err();
    let of = AdaptiveThrottle::builder;
    for k in [f64::NAN, 0.0, -2.0, 0.999, 1000.1, f64::INFINITY, f64::NEG_INFINITY] {
        let invalid = refused(of().k(k));
        assert_eq!(
            (invalid.field(), invalid.to_string()),
            ("k", format!("k is {k}: it must be a number from 1 to 1000"))
        );
    }
    for max in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let invalid = refused(of().max_rejection(max));
        let message = format!("max_rejection is {max}: it must be a number from 0 to 1");
        assert_eq!((invalid.field(), invalid.to_string()), ("max_rejection", message));
    }
    for window in [Duration::ZERO, ms(999), secs(601), Duration::MAX] {
        let invalid = refused(of().window(window));
        let message = format!("window is {window:?}: it must be from 1 s to 10 min");
        assert_eq!((invalid.field(), invalid.to_string()), ("window", message));
    }
}

#[test]
fn the_ends_of_the_ranges_are_in_them() {
    for (k, window, max) in [(1.0, secs(1), 0.0), (1000.0, secs(600), 1.0)] {
        let (builder, clock) = by_hand();
        let throttle = builder.k(k).window(window).max_rejection(max).build().unwrap();
        for request in 0..5_000 {
            send(&throttle, Priority::ALL[request % 3], if request % 1_999 == 0 { Success } else { Transient });
            clock.advance(ms(100));
            assert!((0.0..=max).contains(&throttle.snapshot().rejection_probability));
        }
        assert_eq!((throttle.k(), throttle.window(), throttle.max_rejection()), (k, window, max));
    }
}

#[test]
fn deciding_and_recording_allocates_nothing() {
    let (builder, clock) = by_hand();
    let throttle = builder.window(secs(1)).build().unwrap();
    let allocated = allocation_counter::measure(|| {
        for request in 0..1_000 {
            send(&throttle, Priority::ALL[request % 3], if request % 9 == 0 { Success } else { Transient });
            clock.advance(ms(7));
        }
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn requests_of_many_threads_all_count() {
    let throttle = AdaptiveThrottle::builder().window(AdaptiveThrottle::LONGEST_WINDOW).build().unwrap();
    let request = |thread: usize| {
        let outcomes: [Outcome; 2] = [Success, Transient];
        (0..10_000).filter(|request| send(&throttle, Priority::ALL[thread % 3], outcomes[request % 2])).count()
    };
    thread::scope(|scope| (0..4).for_each(|thread| _ = scope.spawn(move || request(thread))));
    assert_eq!(throttle.snapshot().requests, 40_000);
}
