//! For all samples and all times: the estimate is what a naive one over the list of them says.
#![cfg(not(loom))]

mod support;

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use evenkeel_hedging::Quantile;
use proptest::{collection::vec, prelude::*};

use support::origin;

#[derive(Clone, Copy, Debug)]
enum Sample {
    Took(u64),
    Longer(u64),
}

use Sample::{Longer, Took};

/// From 1 µs to 1 h, each power of ten as often as any other.
fn nanos() -> impl Strategy<Value = u64> {
    (3.0..12.556_f64).prop_map(|power| 10_f64.powf(power) as u64)
}

fn sample() -> impl Strategy<Value = Sample> {
    // Few values as well as many: steps, and ties of both kinds.
    let nanos = || prop_oneof![nanos(), (1_u64..20).prop_map(|n| n * 5_000_000)];
    prop_oneof![3 => nanos().prop_map(Took), 1 => nanos().prop_map(Longer)]
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![0.001..0.999, Just(0.5), Just(0.9), Just(0.95), Just(0.99)]
}

/// Whose threshold is worked out with the last of so many.
fn estimate(share: f64, samples: usize) -> Quantile<impl Fn() -> Instant> {
    let warm_up = NonZeroU32::new(samples as u32).unwrap();
    Quantile::builder(share).warm_up(warm_up).clock(origin).build().unwrap()
}

fn record<C>(estimate: &Quantile<C>, sample: Sample, at: Instant) {
    match sample {
        Took(nanos) => estimate.record_at(Duration::from_nanos(nanos), at),
        Longer(nanos) => estimate.record_longer_at(Duration::from_nanos(nanos), at),
    }
}

/// The exact quantile: the shortest latency that at least this share of all do not pass; no other is meant by a
/// quantile here. Between two of them nothing was recorded, and nothing is said.
fn exact(latencies: &mut [u64], share: f64) -> u64 {
    latencies.sort_unstable();
    let rank = (share * latencies.len() as f64 - 1e-9).ceil() as usize;
    latencies[rank.max(1) - 1]
}

/// Kaplan and Meier, over the list: the shortest latency after which at most the rest of the share lasts, or else the
/// longest. Bounds are made longer by `stretch`.
fn kaplan_meier(samples: &[Sample], share: f64, stretch: f64) -> Option<f64> {
    let mut ends: Vec<u64> = samples.iter().filter_map(|s| if let Took(n) = s { Some(*n) } else { None }).collect();
    ends.sort_unstable();
    let reaches = |sample: &&Sample, time: u64| match **sample {
        Took(nanos) => nanos >= time,
        Longer(nanos) => nanos as f64 * stretch >= time as f64,
    };
    let mut lasting = 1.0;
    for group in ends.chunk_by(|a, b| a == b) {
        let watched = samples.iter().filter(|sample| reaches(sample, group[0])).count();
        lasting *= 1.0 - group.len() as f64 / watched as f64;
        if lasting <= 1.0 - share {
            return Some(group[0] as f64);
        }
    }
    ends.last().map(|&longest| longest as f64)
}

proptest! {
    #[test]
    fn a_threshold_is_within_2_percent_of_the_exact_quantile(
        mut latencies in vec(nanos(), 1..300),
        share in share(),
    ) {
        let estimate = estimate(share, latencies.len());
        latencies.iter().for_each(|&nanos| record(&estimate, Took(nanos), origin()));
        let threshold = estimate.threshold().unwrap().as_nanos() as f64;
        let exact = exact(&mut latencies, share) as f64;
        // A nanosecond of rounding.
        prop_assert!((threshold - exact).abs() <= 0.02 * exact + 1.0, "{} for {}", threshold, exact);
    }

    #[test]
    fn where_all_take_as_long_every_quantile_is_within_2_percent_of_it(nanos in nanos(), share in share()) {
        let estimate = estimate(share, 100);
        (0..100).for_each(|_| record(&estimate, Took(nanos), origin()));
        let threshold = estimate.threshold().unwrap().as_nanos() as f64;
        prop_assert!((threshold - nanos as f64).abs() <= 0.02 * nanos as f64 + 1.0);
    }

    #[test]
    fn with_samples_that_were_given_up_it_is_kaplan_and_meiers(samples in vec(sample(), 1..200), share in share()) {
        let estimate = estimate(share, samples.len());
        samples.iter().for_each(|&sample| record(&estimate, sample, origin()));
        let found = estimate.threshold().map(|threshold| threshold.as_nanos() as f64);
        // A bound is known to an eighth of a power of two, and then taken to be longer; a share, to the rounding of
        // products.
        let low = kaplan_meier(&samples, share - 1e-9, 1.0);
        let high = kaplan_meier(&samples, share + 1e-9, 1.081);
        prop_assert_eq!(found.is_some(), low.is_some());
        if let (Some(found), Some(low), Some(high)) = (found, low, high) {
            prop_assert!(found >= 0.98 * low - 1.0 && found <= 1.02 * high + 1.0, "{} in {} to {}", found, low, high);
        }
    }

    #[test]
    fn of_three_quantiles_the_higher_share_has_the_longer(samples in vec(sample(), 1..200)) {
        let estimate = estimate(0.5, 1);
        samples.iter().for_each(|&sample| record(&estimate, sample, origin()));
        let snapshot = estimate.snapshot();
        prop_assert!(snapshot.p50 <= snapshot.p95 && snapshot.p95 <= snapshot.p99);
        prop_assert_eq!(snapshot.count + snapshot.longer, samples.len() as u64);
    }

    #[test]
    fn all_of_the_last_half_window_counts_and_nothing_older_than_a_window(
        steps in vec((0_u64..700, 0_u64..100, sample()), 1..60),
        pauses in vec(0..60_usize, 0..4),
    ) {
        const WINDOW: u64 = 1_000;
        let builder = Quantile::builder(0.5).window(Duration::from_millis(WINDOW)).clock(origin);
        let estimate = builder.build().unwrap();
        let (mut now, mut seen) = (0, Vec::new());
        for (step, &(moves, late, sample)) in steps.iter().enumerate() {
            // Mostly small steps, and pauses of any length.
            now += if pauses.contains(&step) { moves * 5 } else { moves / 10 };
            // It may be told an earlier time than before; that does not move time back.
            let told = if step % 3 == 0 { now.saturating_sub(late) } else { now };
            record(&estimate, sample, origin() + Duration::from_millis(told));
            let latest = seen.last().map_or(told, |&(at, _)| told.max(at));
            seen.push((latest, sample));
            let since = |time: u64| {
                let recent = || seen.iter().filter(move |(at, _)| latest - at < time);
                let ended = recent().filter(|(_, sample)| matches!(sample, Took(_))).count() as u64;
                (ended, recent().count() as u64 - ended)
            };
            let snapshot = estimate.snapshot();
            let (half, all) = (since(WINDOW / 2), since(WINDOW));
            prop_assert!((half.0..=all.0).contains(&snapshot.count), "{:?}, {:?}, {:?}", snapshot, half, all);
            prop_assert!((half.1..=all.1).contains(&snapshot.longer), "{:?}, {:?}, {:?}", snapshot, half, all);
        }
    }

    #[test]
    fn at_any_time_and_with_any_durations_it_says_something_within_its_limits_or_nothing(
        share in share(),
        window in 2_u64..3_600_000,
        warm_up in 1_u32..40,
        limits in any::<(Duration, Duration)>(),
        calls in vec((any::<Duration>(), any::<bool>(), any::<bool>(), any::<u64>()), 1..60),
    ) {
        let (at_least, at_most) = (limits.0.min(limits.1), limits.0.max(limits.1));
        let builder = Quantile::builder(share)
            .window(Duration::from_millis(window))
            .warm_up(NonZeroU32::new(warm_up).unwrap())
            .at_least(at_least)
            .at_most(at_most);
        let estimate = builder.clock(origin).build().unwrap();
        for (latency, longer, back, nanos) in calls {
            // Up to 584 years, forward and back.
            let by = Duration::from_nanos(nanos);
            let at = if back { origin().checked_sub(by) } else { origin().checked_add(by) }.unwrap_or(origin());
            if longer { estimate.record_longer_at(latency, at) } else { estimate.record_at(latency, at) }
            let longest = Duration::from_nanos(u64::MAX / 4);
            if let Some(threshold) = estimate.threshold() {
                let (shortest, longest) = (at_least.min(longest), at_most.min(longest));
                prop_assert!((shortest..=longest).contains(&threshold), "{:?}", threshold);
            }
            let snapshot = estimate.snapshot();
            prop_assert!(snapshot.count + snapshot.longer >= 1);
        }
    }
}
