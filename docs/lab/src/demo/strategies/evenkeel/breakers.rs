//! A breaker for each of the two providers, of one map.

use std::{num::NonZeroUsize, time::Duration};

use evenkeel_breaker::{Abandoned, Breaker, BreakerMap, BreakerMapMetrics, BreakerMetrics, KeyMetrics, OpenTimes};

use super::{ATTEMPT, IN_RANGE, LATEST, clock};
use crate::{
    demo::{incident::compressed, provider::Provider},
    rng::Rng,
};

/// One of them, which counts for itself and for both.
pub(super) type Watched = Breaker<fn() -> std::time::Instant, (BreakerMetrics, KeyMetrics)>;

/// How long a breaker stays open, in real life: up to 1 s, then 2 s, and 5 s at the most. The primary is the faster one, so it is
/// of some use to notice soon that it is back.
const FIRST_OPEN: Duration = Duration::from_secs(1);
const LONGEST_OPEN: Duration = Duration::from_secs(5);

/// In the order of [`Provider::ALL`]. Each opens after ten failures in a row, or when half of the last hundred results are
/// failures; and both may be open at the same time, for there are no others to tell whether the fault is our own.
pub(super) fn breakers(seed: u64) -> [Watched; 2] {
    let open_times = OpenTimes::new(compressed(FIRST_OPEN), compressed(LONGEST_OPEN));
    let each = Breaker::builder()
        // One seed for all keys, so that a run replays; a service leaves them unseeded.
        .open_for(open_times.seed(Rng::keyed(&[seed, OPENING, 0]).next_u64()))
        .probe_timeout(compressed(ATTEMPT))
        .abandoned(Abandoned::FailureAfter(compressed(LATEST)))
        .clock(clock as fn() -> std::time::Instant);
    let both = BreakerMapMetrics::new("providers");
    let map = BreakerMap::builder(PROVIDERS, each)
        .max_open(1.0)
        .observe_each(move |provider: &Provider| (BreakerMetrics::new(provider.name()).with_durations(), both.of_key()))
        .build()
        .expect(IN_RANGE);
    Provider::ALL.map(|provider| map.breaker(&provider))
}

const PROVIDERS: NonZeroUsize = NonZeroUsize::new(Provider::ALL.len()).unwrap();

/// Sets these draws apart from all others.
const OPENING: u64 = u64::from_be_bytes(*b"open for");
