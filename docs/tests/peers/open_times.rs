//! How long a breaker is open, where it is said in parts of seconds.

use failsafe::{CircuitBreaker as _, Config, backoff, clock, failure_policy};

use crate::at_hand::{ms, secs};

#[test]
fn failsafe_1_3_open_times_lose_their_fraction() {
    assert_eq!(backoff::exponential(ms(1_900), secs(10)).next(), Some(secs(1)));
    assert!(
        std::panic::catch_unwind(|| backoff::exponential(ms(900), secs(10))).is_err(),
        "less than a second is refused"
    );
}

#[test]
fn failsafe_1_3_an_equal_jittered_second_is_no_time_at_all() {
    assert_eq!(backoff::equal_jittered(secs(1), secs(10)).next(), Some(secs(0)));
}

#[test]
fn failsafe_1_3_a_window_of_half_a_second_has_no_memory() {
    for (window, opens) in [(ms(500), true), (secs(1), false)] {
        clock::freeze(|time| {
            let policy = failure_policy::success_rate_over_time_window(0.5, 1, window, backoff::constant(secs(1)));
            let breaker = Config::new().failure_policy(policy).build();
            for _ in 0..1_000 {
                time.advance(ms(1));
                assert!(breaker.call(|| Ok::<_, ()>(())).is_ok());
            }
            time.advance(ms(1));
            assert!(breaker.call(|| Err::<(), _>("down")).is_err());
            assert_eq!(!breaker.is_call_permitted(), opens, "one failure after 1,000 successes, in {window:?}");
        });
    }
}

#[test]
fn ours_open_for_what_was_said() {
    let clock = crate::at_hand::Clock::default();
    let builder = evenkeel_breaker::Breaker::builder().consecutive_failures(1).open_for([ms(1_900)]);
    let breaker = builder.clock(clock.reader()).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    clock.advance(ms(1_899));
    assert!(breaker.try_acquire().is_err());
    clock.advance(ms(1));
    assert!(breaker.try_acquire().is_ok());
}
