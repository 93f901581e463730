//! How much memory an estimate takes.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use allocation_counter::measure;
use evenkeel_hedging::{Delays, End, Quantile};

use support::{ms, origin};

#[test]
fn an_estimate_takes_at_most_16_kib_and_allocates_once() {
    let mut estimate = None;
    let built = measure(|| estimate = Some(Quantile::p95()));
    assert_eq!(built.count_total, 1);
    let bytes = built.bytes_max + size_of::<Quantile>() as u64;
    assert!((8 * 1024..=16 * 1024).contains(&bytes), "{bytes}");
}

#[test]
fn to_record_and_to_read_allocates_nothing() {
    let estimate = Quantile::builder(0.95).clock(origin).build().unwrap();
    let used = measure(|| {
        for n in 0..2_000_u64 {
            let now = origin() + ms(n * 20);
            estimate.record_at(ms(n % 100), now);
            estimate.record_longer_at(ms(n % 200), now);
            let delay = estimate.session().next();
            estimate.end(estimate.start(), End::Succeeded);
            assert!(delay.is_some_and(|delay| delay >= Duration::from_micros(1)));
        }
        assert!(estimate.threshold().is_some() && estimate.snapshot().p99.is_some());
        drop(estimate.clone());
    });
    assert_eq!(used.count_total, 0);
}
