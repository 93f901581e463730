//! From every state that can be reached, time alone leads to a call that is admitted.

use std::time::Duration;

use evenkeel_breaker::State;
use proptest::prelude::*;

use crate::world::{Event, World, end, history, settings};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn time_alone_leads_to_an_admitted_call(settings in settings(), history in history()) {
        let world = World::new(&settings);
        let mut permits = Vec::new();
        for event in &history {
            match event {
                Event::Acquire => permits.extend(world.breaker.try_acquire_owned()),
                Event::End(index, said) if !permits.is_empty() => {
                    end(permits.swap_remove(index.index(permits.len())), *said);
                }
                Event::Advance(by) => world.set(world.now() + by),
                Event::ForceClosed => world.breaker.force_closed(),
                // Forced open is the one state that is meant to last.
                Event::Reset | Event::ForceOpen => world.breaker.reset(),
                Event::End(..) | Event::AdvanceToReady | Event::Look => {}
            }
        }
        // Nobody ends a probe that is out, and nobody asks meanwhile.
        let told = world.breaker.ready_at().expect("it is not forced open");
        world.set(world.since_start(told).max(world.now()) + 1);
        let first = world.breaker.try_acquire_owned();
        // What was told in a half-open state with all probes out is when they are timed out: that may open it again.
        world.set(world.now() + 20_000);
        let later = world.breaker.try_acquire_owned();
        prop_assert!(later.is_ok(), "{later:?} after {first:?}");
        if !matches!(world.breaker.state(), State::Closed | State::ForcedClosed) {
            prop_assert!(later.unwrap().is_probe() || settings.dry_run);
        }
    }

    #[test]
    fn no_time_that_it_is_told_makes_it_panic_or_stay(
        settings in settings(),
        times in prop::collection::vec((any::<u64>(), 0..4_u8), 1..60),
    ) {
        let world = World::new(&settings);
        let mut permits = Vec::new();
        for (time, what) in times {
            // Any time, before the breaker was built as well.
            let now = match what {
                0 => world.start + Duration::from_nanos(time >> 1),
                1 => world.start.checked_sub(Duration::from_nanos(time >> 8)).unwrap_or(world.start),
                _ => world.start + Duration::from_millis(time >> 50),
            };
            match (time % 5, permits.pop()) {
                (0, Some(permit)) => evenkeel_breaker::Permit::success_at(permit, now),
                (1, Some(permit)) => permit.failure_at(now),
                (2, Some(permit)) => permit.abandon_at(now),
                (_, permit) => {
                    permits.extend(permit);
                    permits.extend(world.breaker.try_acquire_owned_at(now));
                    let _ = (world.breaker.snapshot_at(now), world.breaker.state_at(now));
                }
            }
        }
        let far = world.start + Duration::from_nanos(u64::MAX >> 1) + Duration::from_secs(3_600);
        prop_assert!(world.breaker.try_acquire_at(far).is_ok());
    }
}
