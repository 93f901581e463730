//! Settings and histories drawn at random, and a breaker whose clock is moved by hand.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_breaker::{Abandoned, Breaker, Outcome, Permit, Verdict};
use proptest::{collection::vec, option, prelude::*, sample::Index};

use crate::naive::{self, Ms, Said, Settings, Window};

pub(crate) type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
pub(crate) type Tested = Breaker<Clock>;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Acquire,
    End(Index, Said),
    Advance(Ms),
    /// To the very moment at which a call may pass.
    AdvanceToReady,
    ForceOpen,
    ForceClosed,
    Reset,
    Look,
}

/// A breaker, and the time that it sees.
pub(crate) struct World {
    pub(crate) breaker: Tested,
    pub(crate) start: Instant,
    now: Arc<AtomicU64>,
}

pub(crate) fn ms(ms: Ms) -> Duration {
    Duration::from_millis(ms)
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        // For an `Instant` to count from; nothing reads it later.
        #[allow(clippy::disallowed_methods)]
        let start = Instant::now();
        let now = Arc::new(AtomicU64::new(0));
        let clock: Clock = {
            let now = Arc::clone(&now);
            Box::new(move || start + ms(now.load(Ordering::Relaxed)))
        };
        let mut builder = Breaker::builder()
            .minimum_calls(settings.minimum)
            .open_for(settings.open_for.iter().copied().map(ms).collect::<Vec<_>>())
            .max_hint(ms(settings.max_hint))
            .half_open_permits(settings.permits)
            .half_open_successes(settings.successes)
            .half_open_calls(settings.calls)
            .ramp(ms(settings.ramp))
            .dry_run(settings.dry_run)
            .abandoned(match settings.abandoned {
                naive::Abandoned::Ignored => Abandoned::Ignored,
                naive::Abandoned::Failure => Abandoned::Failure,
                naive::Abandoned::FailureAfter(least) => Abandoned::FailureAfter(ms(least)),
            });
        builder = match settings.window {
            Window::Count(results) => builder.count_window(results),
            Window::Time(tick) => builder.time_window(ms(tick * 10)),
        };
        if let Some(consecutive) = settings.consecutive {
            builder = builder.consecutive_failures(consecutive);
        }
        if let Some(rate) = settings.failure_rate {
            builder = builder.failure_rate(rate);
        }
        if let Some((threshold, rate)) = settings.slow {
            builder = builder.slow_calls(ms(threshold), rate);
        }
        if let Some(timeout) = settings.probe_timeout {
            builder = builder.probe_timeout(ms(timeout));
        }
        let breaker = builder.clock(clock).build().unwrap();
        Self { breaker, start, now }
    }

    pub(crate) fn now(&self) -> Ms {
        self.now.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, now: Ms) {
        self.now.store(now, Ordering::Relaxed);
    }

    pub(crate) fn since_start(&self, at: Instant) -> Ms {
        (at - self.start).as_millis() as Ms
    }
}

/// Ends a call in the way that is said.
pub(crate) fn end(permit: Permit<Tested>, said: Said) {
    match said {
        Said::Success => permit.success(),
        Said::Failure(None) => permit.failure(),
        Said::Failure(Some(hint)) => permit.record(Verdict::failure().not_before(ms(hint))),
        Said::Ignored => permit.record(Outcome::Ignored),
        Said::Dropped => drop(permit),
        Said::Released => permit.release(),
        Said::Panicked => {
            let _ = catch_unwind(AssertUnwindSafe(move || {
                let _permit = permit;
                // Not a panic of a test: without the message of one.
                std::panic::resume_unwind(Box::new(()));
            }));
        }
    }
}

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    let rate = || prop_oneof![Just(0.5), Just(1.0), Just(0.3), Just(2.0 / 3.0), 0.01..1.0];
    let window = prop_oneof![(1..20_u32).prop_map(Window::Count), (1..400_u64).prop_map(Window::Time)];
    let rules = (option::of(1..6_u32), option::of(rate()), option::of((1..500_u64, rate())), window, any::<Index>());
    let open_for = vec(prop_oneof![4 => 1..3_000_u64, 1 => Just(0)], 1..4);
    let half_open = (1..4_u32, 1..4_u32, 0..3_u32, option::of(1..2_000_u64));
    let abandoned = prop_oneof![
        Just(naive::Abandoned::Ignored),
        Just(naive::Abandoned::Failure),
        (0..500_u64).prop_map(naive::Abandoned::FailureAfter)
    ];
    let rest = (prop_oneof![2 => Just(0), 1 => 1..2_000_u64], abandoned, prop::bool::weighted(0.2), 0..5_000_u64);
    (rules, open_for, half_open, rest).prop_map(|(rules, open_for, half_open, rest)| {
        let (mut consecutive, failure_rate, slow, window, minimum) = rules;
        if failure_rate.is_none() && slow.is_none() {
            // Without any rule it would have the default ones.
            consecutive = consecutive.or(Some(2));
        }
        let room = if let Window::Count(results) = window { results } else { 20 };
        let minimum = 1 + minimum.index(room as usize) as u32;
        let (permits, successes, spare, probe_timeout) = half_open;
        let (ramp, abandoned, dry_run, max_hint) = rest;
        let calls = successes + spare;
        Settings {
            consecutive,
            failure_rate,
            slow,
            window,
            minimum,
            open_for,
            max_hint,
            permits,
            successes,
            calls,
            probe_timeout,
            // A twentieth of it in whole milliseconds.
            ramp: ramp / 20 * 20,
            abandoned,
            dry_run,
        }
    })
}

pub(crate) fn history() -> impl Strategy<Value = Vec<Event>> {
    let said = prop_oneof![
        6 => Just(Said::Success),
        6 => Just(Said::Failure(None)),
        1 => (0..8_000_u64).prop_map(|hint| Said::Failure(Some(hint))),
        1 => Just(Said::Ignored),
        2 => Just(Said::Dropped),
        1 => Just(Said::Panicked),
        1 => Just(Said::Released),
    ];
    let event = prop_oneof![
        30 => Just(Event::Acquire),
        30 => (any::<Index>(), said).prop_map(|(permit, said)| Event::End(permit, said)),
        10 => prop_oneof![5 => 0..300_u64, 2 => 0..5_000_u64, 1 => 0..1_000_000_u64].prop_map(Event::Advance),
        4 => Just(Event::AdvanceToReady),
        1 => Just(Event::ForceOpen),
        1 => Just(Event::ForceClosed),
        2 => Just(Event::Reset),
        4 => Just(Event::Look),
    ];
    vec(event, 1..120)
}
