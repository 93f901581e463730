//! A clock that costs a fifth of the usual one, where a few milliseconds are nothing.
//!
//! The kernel keeps the time of its last tick, which is read without asking the hardware. All parts of evenkeel take their clock as an
//! argument, so they take this one: a breaker's open times and windows, budgets by ratio, throttles, deadlines of seconds
//! are as good with it. Not so what measures calls: a `Quantile`, or a rule about slow calls, is off by a tick for each of them.
//!
//! `cargo run -p evenkeel-docs --example coarse_clock`
#![allow(clippy::disallowed_methods)] // It is about clocks.

#[cfg(target_os = "linux")]
#[path = "coarse_clock/clock.rs"]
mod clock;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use evenkeel_breaker::Breaker;
    use std::time::{Duration, Instant};

    let clock = clock::Clock::new();
    println!("The clock is off by at most {:?}.", clock::Clock::tick());

    let breaker =
        Breaker::builder().failure_rate(0.5).time_window(Duration::from_secs(10)).clock(move || clock.now()).build()?;
    breaker.try_acquire()?.success();
    println!("{:?} after a call, by a clock that says {:?} after the exact one", breaker.state(), {
        let exact = Instant::now();
        clock.now().saturating_duration_since(exact)
    });
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("Linux has such a clock. Elsewhere `Instant::now` is what there is.");
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::clock::Clock;
    use std::time::{Duration, Instant};

    #[test]
    fn it_is_within_a_tick_of_the_exact_clock() {
        let clock = Clock::new();
        let mut last = clock.now();
        for _ in 0..100_000 {
            let before = Instant::now();
            let now = clock.now();
            let after = Instant::now();
            assert!(now >= last, "it went back");
            last = now;
            // Its tick, and that of its beginning.
            assert!(now + Clock::tick() >= before && now <= after + Clock::tick(), "{:?}", before.elapsed());
        }
    }

    #[test]
    fn its_tick_is_some_milliseconds() {
        assert!(Clock::tick() > Duration::ZERO && Clock::tick() <= Duration::from_millis(10));
    }
}
