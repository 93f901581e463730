//! For all histories: the throttle decides what a list of all events and a pencil decide.
#![cfg(all(feature = "throttle", not(loom)))]

mod throttle_support;

use std::time::{Duration, Instant};

use evenkeel_budget::{AdaptiveThrottle, Admission, Outcome, Priority};
use proptest::{collection::vec, prelude::*, sample::Index};
use throttle_support::{Clock, secs};

/// One thing that a caller can do. An index counts round among those in flight.
#[derive(Clone, Debug)]
enum Step {
    /// Some ticks and a part of one.
    Advance(u32, u32),
    GoBack(u32),
    Ask(Priority),
    Record(Index, Outcome),
    Drop(Index),
}

#[derive(Clone, Debug)]
struct Setup {
    k: f64,
    max_rejection: f64,
    window: Duration,
    seed: u64,
}

/// All that ever happened.
struct Model {
    setup: Setup,
    epoch: Instant,
    /// The tick of the latest request that was asked for.
    head: u64,
    /// In which tick a request ended, and whether it was accepted.
    ended: Vec<(u64, Priority, bool)>,
    draws: u64,
}

impl Model {
    fn tick(&self, now: Instant) -> u64 {
        let tick = self.setup.window.as_nanos().div_ceil(20);
        (now.saturating_duration_since(self.epoch).as_nanos() / tick) as u64
    }

    fn in_window(&self, now: Instant) -> impl Iterator<Item = &(u64, Priority, bool)> {
        let last = self.head.max(self.tick(now));
        self.ended.iter().filter(move |(tick, ..)| tick + 20 > last)
    }

    fn counts(&self, now: Instant) -> (u64, u64) {
        let accepts = self.in_window(now).filter(|(.., accepted)| *accepted).count();
        (self.in_window(now).count() as u64, accepts as u64)
    }

    fn to_reject(&self, now: Instant) -> f64 {
        let (requests, accepts) = self.counts(now);
        let most = self.setup.max_rejection * (requests + 1) as f64;
        (requests as f64 - self.setup.k * accepts as f64).clamp(0.0, most)
    }

    fn aggregate(&self, now: Instant) -> f64 {
        self.to_reject(now) / (self.counts(now).0 + 1) as f64
    }

    /// Those that are rejected before it leave so many to reject of its own, which it is one of.
    fn probability(&self, now: Instant, asked: Priority) -> f64 {
        let before = |priority: Priority| match asked {
            Priority::Critical => priority != Priority::Critical,
            Priority::Normal => priority == Priority::Sheddable,
            Priority::Sheddable => false,
        };
        let rejected_before = self.in_window(now).filter(|(_, priority, _)| before(*priority)).count();
        let own = self.in_window(now).filter(|(_, priority, _)| *priority == asked).count() + 1;
        ((self.to_reject(now) - rejected_before as f64) / own as f64).clamp(0.0, 1.0)
    }

    /// `SplitMix64`, as its authors wrote it; it moves only for what is not certain.
    fn hits(&mut self, probability: f64) -> bool {
        if probability <= 0.0 || probability >= 1.0 {
            return probability >= 1.0;
        }
        self.draws += 1;
        let mut z = self.setup.seed.wrapping_add(self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 11) as f64) * 2.0_f64.powi(-53) < probability
    }
}

fn run(setup: &Setup, steps: &[Step]) -> Result<(), TestCaseError> {
    let clock = Clock::new();
    let builder = AdaptiveThrottle::builder().clock(clock.reader()).seed(setup.seed);
    let Setup { k, max_rejection, window, .. } = *setup;
    let real = builder.k(k).max_rejection(max_rejection).window(window).build().unwrap();
    let mut model = Model { setup: setup.clone(), epoch: clock.now(), head: 0, ended: vec![], draws: 0 };
    let mut in_flight: Vec<Admission<_>> = vec![];
    let tick = Duration::from_nanos(window.as_nanos().div_ceil(20) as u64);
    for step in steps {
        match step {
            Step::Advance(ticks, thousandths) => clock.advance(tick * *ticks + tick * *thousandths / 1_000),
            Step::GoBack(ticks) => clock.go_back(tick * *ticks),
            Step::Ask(priority) => {
                let now = clock.now();
                model.head = model.head.max(model.tick(now));
                let probability = model.probability(now, *priority);
                let rejected = model.hits(probability);
                match real.try_acquire(*priority) {
                    Ok(admission) => {
                        prop_assert!(!rejected, "admitted at {probability}");
                        in_flight.push(admission);
                    }
                    Err(refused) => {
                        prop_assert!(rejected, "rejected at {probability}");
                        prop_assert_eq!(refused.probability(), probability);
                        model.ended.push((model.head, *priority, false));
                    }
                }
            }
            Step::Record(index, outcome) if !in_flight.is_empty() => {
                let admission = in_flight.swap_remove(index.index(in_flight.len()));
                let accepted = matches!(outcome, Outcome::Success | Outcome::Permanent);
                model.ended.push((model.head, admission.priority(), accepted));
                admission.record(*outcome);
            }
            Step::Drop(index) if !in_flight.is_empty() => {
                let admission = in_flight.swap_remove(index.index(in_flight.len()));
                model.ended.push((model.head, admission.priority(), false));
            }
            Step::Record(..) | Step::Drop(_) => {}
        }
        // Now, before, and later.
        for now in [clock.now(), clock.now() - window, clock.now() + tick * 7, clock.now() + window * 2] {
            let snapshot = real.snapshot_at(now);
            prop_assert_eq!((snapshot.requests, snapshot.accepts), model.counts(now));
            prop_assert!((snapshot.rejection_probability - model.aggregate(now)).abs() < 1e-12);
            prop_assert!((0.0..=max_rejection).contains(&snapshot.rejection_probability));
            for priority in Priority::ALL {
                prop_assert_eq!(snapshot.rejection_probability_of(priority), model.probability(now, priority));
            }
        }
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![Just(Priority::Critical), Just(Priority::Normal), Just(Priority::Sheddable)];
    let outcome = prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Transient),
        Just(Outcome::Throttled),
        Just(Outcome::Permanent)
    ];
    prop_oneof![
        2 => (0..3_u32, 0..1_000_u32).prop_map(|(ticks, thousandths)| Step::Advance(ticks, thousandths)),
        1 => (0..80_u32, 0..1_000_u32).prop_map(|(ticks, thousandths)| Step::Advance(ticks, thousandths)),
        1 => (0..30_u32).prop_map(Step::GoBack),
        12 => priority.prop_map(Step::Ask),
        8 => (any::<Index>(), outcome).prop_map(|(index, outcome)| Step::Record(index, outcome)),
        2 => any::<Index>().prop_map(Step::Drop),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    let k = prop_oneof![Just(1.0), Just(2.0), 1.0..4.0];
    let max_rejection = prop_oneof![Just(1.0), Just(0.5), 0.0..=1.0];
    // A window that its ticks do not divide is a little longer.
    let window =
        prop_oneof![Just(secs(1)), Just(secs(120)), Just(Duration::from_nanos(1_000_000_007)), Just(secs(600))];
    (k, max_rejection, window, any::<u64>()).prop_map(|(k, max_rejection, window, seed)| Setup {
        k,
        max_rejection,
        window,
        seed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn it_decides_what_a_list_of_all_events_decides(setup in setup(), steps in vec(step(), 1..120)) {
        run(&setup, &steps)?;
    }

    #[test]
    fn what_is_only_accepted_is_never_rejected(
        k in 1.0..=1000.0,
        steps in vec((any::<bool>(), 0..90_u64, 0..3_usize), 1..200),
    ) {
        let clock = Clock::new();
        let throttle = AdaptiveThrottle::builder().k(k).window(secs(1)).clock(clock.reader()).build().unwrap();
        let mut in_flight = vec![];
        for (asks, advance, priority) in steps {
            if asks {
                let admission = throttle.try_acquire(Priority::ALL[priority]);
                prop_assert!(admission.is_ok());
                in_flight.extend(admission);
            } else if let Some(admission) = in_flight.pop() {
                admission.record(Outcome::Success);
            }
            clock.advance(Duration::from_millis(advance));
        }
        in_flight.drain(..).for_each(|admission| admission.record(Outcome::Success));
    }
}
