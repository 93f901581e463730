//! What the counting observer of a breaker counts.
#![cfg(all(feature = "metrics", not(loom)))]

mod prober_support;

use std::{collections::BTreeMap, rc::Rc, thread, time::Duration};

use evenkeel_breaker::{Abandoned, Breaker, BreakerMetrics, BreakerObserver, Cause, Permit, State, Verdict};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use prober_support::{Task, World, seconds};

type Values = BTreeMap<String, f64>;

/// Runs `f` with what reads the series that are there at that moment.
fn counted(f: impl FnOnce(&Snapshotter)) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || f(&snapshotter));
}

/// All series, with the label values but the name; of a histogram, the number of samples. What was read counts from zero.
fn read(snapshotter: &Snapshotter) -> Values {
    let read = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, description, value)| {
        assert!(description.is_some(), "{key:?} is described");
        let mut labels = key.key().labels();
        assert_eq!(labels.next().map(|label| (label.key(), label.value())), Some(("name", "api")));
        let labels: String = labels.map(|label| format!(" {}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(gauge) => gauge.0,
            DebugValue::Histogram(samples) => samples.len() as f64,
        };
        let name = key.key().name().strip_prefix("evenkeel_breaker_").expect("ours").to_owned();
        (name + &labels, value)
    });
    read.collect()
}

fn not_zero(values: &Values) -> Vec<(&str, f64)> {
    values.iter().map(|(name, value)| (name.as_str(), *value)).filter(|(_, value)| *value != 0.0).collect()
}

#[test]
fn calls_rejections_probes_and_transitions_are_counted() {
    counted(|snapshotter| {
        let builder = Breaker::builder().consecutive_failures(3).open_for([Duration::ZERO, seconds(100)]);
        let builder = builder.abandoned(Abandoned::Failure);
        let breaker = builder.observe(BreakerMetrics::new("api")).build().unwrap();
        let late = breaker.try_acquire().unwrap();
        breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().record(Verdict::ignored());
        breaker.try_acquire().unwrap().failure();
        breaker.try_acquire().unwrap().failure();
        drop(breaker.try_acquire().unwrap());
        late.success();
        let probe = breaker.try_acquire().unwrap();
        assert!(breaker.try_acquire().is_err());
        probe.failure();
        assert!(breaker.try_acquire().is_err());
        assert!(breaker.try_acquire().is_err());
        let expected = [
            ("abandoned_calls_total", 1.0),
            ("calls_total outcome=failure", 4.0),
            ("calls_total outcome=ignored", 1.0),
            ("calls_total outcome=success", 2.0),
            ("late_calls_total", 1.0),
            ("probes_total outcome=failure", 1.0),
            ("rejections_total state=half_open", 1.0),
            ("rejections_total state=open", 2.0),
            ("state", 2.0),
            ("transitions_total to=half_open cause=open_time_over", 1.0),
            ("transitions_total to=open cause=consecutive_failures", 1.0),
            ("transitions_total to=open cause=probes_failed", 1.0),
        ];
        assert_eq!(not_zero(&read(snapshotter)), expected);
        BreakerMetrics::new("api").on_held_closed(Cause::FailureRate);
        assert_eq!(read(snapshotter)["held_closed_total"], 1.0);
    });
}

#[test]
fn slow_calls_and_durations_are_counted_where_they_were_asked_for() {
    counted(|snapshotter| {
        let builder = Breaker::builder().slow_calls(Duration::from_nanos(1), 1.0);
        let metrics = BreakerMetrics::new("api");
        assert!(!metrics.wants_durations());
        let breaker = builder.clone().observe(metrics).build().unwrap();
        breaker.try_acquire().unwrap().success();
        let values = read(snapshotter);
        assert!(!values.contains_key("call_seconds"));
        let metrics = BreakerMetrics::new("api").with_durations();
        assert!(metrics.wants_durations());
        let breaker = builder.observe(metrics).build().unwrap();
        breaker.try_acquire_at(breaker.snapshot().since).unwrap().success();
        let values = read(snapshotter);
        assert_eq!((values["call_seconds"], values["slow_calls_total"]), (1.0, 1.0));
    });
}

#[test]
fn every_series_is_there_from_the_beginning_and_their_number_is_fixed() {
    counted(|snapshotter| {
        let breaker = Breaker::builder().consecutive_failures(1).observe(BreakerMetrics::new("api")).build().unwrap();
        let first = read(snapshotter);
        assert_eq!(not_zero(&first), []);
        // A gauge each, four counters, by outcome twice, checks, rejections, transitions that there can be.
        assert_eq!(first.len(), 2 + 4 + 2 * 3 + 2 + 4 + 11);
        for _ in 0..100 {
            breaker.try_acquire().unwrap().failure();
            assert!(breaker.try_acquire().is_err());
            breaker.force_open();
            breaker.force_closed();
            breaker.reset();
        }
        assert_eq!(read(snapshotter).keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
    });
}

/// Looks at the gauge at each transition, after the metrics have heard of it.
struct Looks(Snapshotter);

impl BreakerObserver for Looks {
    fn on_transition(&self, transition: &evenkeel_breaker::Transition) {
        let series: Vec<_> = read(&self.0).into_iter().filter(|(name, _)| name.starts_with("state")).collect();
        assert_eq!(series, [("state".to_owned(), f64::from(transition.to.code()))]);
    }
}

// Hazard 40.
#[test]
fn one_gauge_shows_one_state_after_every_transition() {
    counted(|snapshotter| {
        let world = World::new(|builder| builder);
        let clock = world.time.clone();
        #[allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.
        let start = std::time::Instant::now();
        let builder = Breaker::builder().consecutive_failures(1).open_for([seconds(1)]);
        let builder = builder.clock(move || start + Duration::from_millis(clock.now()));
        let breaker = builder.observe((BreakerMetrics::new("api"), Looks(snapshotter.clone()))).build().unwrap();
        let mut seen = Vec::new();
        let mut transitions = breaker.transitions();
        let mut now = 0;
        let mut wait = |by| {
            now += by;
            world.pass(now);
        };
        let trip = || breaker.try_acquire().unwrap().failure();
        trip();
        wait(1_000);
        breaker.try_acquire().unwrap().failure();
        wait(1_000);
        breaker.try_acquire().unwrap().success();
        for force in [Breaker::force_open, Breaker::force_closed, Breaker::reset] {
            // From closed, open, half-open, and from either forced state.
            for from in 0..5 {
                breaker.reset();
                match from {
                    0 => {}
                    1 => trip(),
                    2 => {
                        trip();
                        wait(1_000);
                        breaker.try_acquire().unwrap().release();
                    }
                    3 => breaker.force_open(),
                    _ => breaker.force_closed(),
                }
                force(&breaker);
            }
        }
        // A probe that times out, which whoever comes next notices.
        breaker.reset();
        trip();
        wait(1_000);
        std::mem::forget(breaker.try_acquire().unwrap());
        wait(1_500);
        assert_eq!(breaker.state(), State::Open);
        while let Some(transition) = transitions.try_next() {
            seen.push((transition.from, transition.to));
        }
        for (from, to) in State::ALL.into_iter().flat_map(|from| State::ALL.map(|to| (from, to))) {
            let legal = match to {
                State::Open => [State::Closed, State::HalfOpen].contains(&from),
                State::HalfOpen => from == State::Open,
                State::Closed | State::ForcedOpen | State::ForcedClosed => true,
            };
            assert_eq!(seen.contains(&(from, to)), legal, "{from} → {to}");
        }
    });
}

// Hazard 40.
#[test]
fn the_gauge_is_the_state_after_transitions_of_many_threads() {
    for _ in 0..20 {
        counted(|snapshotter| {
            let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO]);
            let breaker = builder.observe(BreakerMetrics::new("api")).build().unwrap();
            thread::scope(|scope| {
                for thread in 0..4 {
                    let breaker = &breaker;
                    scope.spawn(move || {
                        for round in 0..50 {
                            match (thread + round) % 5 {
                                0 => breaker.force_open(),
                                1 => breaker.force_closed(),
                                2 => breaker.reset(),
                                _ => breaker.try_acquire().into_iter().for_each(Permit::failure),
                            }
                        }
                    });
                }
            });
            assert_eq!(read(snapshotter)["state"], f64::from(breaker.state().code()));
        });
    }
}

#[test]
fn checks_and_their_failures_in_a_row_are_counted() {
    counted(|snapshotter| {
        let metrics = BreakerMetrics::new("api");
        let world = World::new(|builder| builder);
        let mut prober = Task::new(world.prober().while_closed(seconds(60)));
        world.run(&mut [&mut prober], 180_000);
        let log = Rc::clone(&world.log);
        log.checks.borrow().iter().for_each(|check| metrics.on_check(check));
        let values = read(snapshotter);
        assert_eq!((values["checks_total outcome=failure"], values["check_failures_in_a_row"]), (3.0, 3.0));
        world.service.set(prober_support::Service::Well);
        world.run(&mut [&mut prober], 240_000);
        metrics.clone().on_check(log.checks.borrow().last().unwrap());
        let values = read(snapshotter);
        assert_eq!((values["checks_total outcome=success"], values["check_failures_in_a_row"]), (1.0, 0.0));
    });
}

#[test]
fn the_row_of_failed_checks_ends_when_the_breaker_is_closed_or_forced() {
    counted(|snapshotter| {
        let (world, metrics) = (World::new(|builder| builder), BreakerMetrics::new("api"));
        let breaker = Breaker::builder().observe(metrics.clone()).build().unwrap();
        let mut prober = Task::new(world.prober().while_closed(seconds(60)));
        world.run(&mut [&mut prober], 180_000);
        let failed = *world.log.checks.borrow().last().unwrap();
        for settle in [Breaker::force_open, Breaker::reset, Breaker::force_closed] {
            metrics.on_check(&failed);
            assert_eq!(read(snapshotter)["check_failures_in_a_row"], 3.0);
            // To read it sets it to zero.
            metrics.on_check(&failed);
            settle(&breaker);
            assert_eq!(read(snapshotter)["check_failures_in_a_row"], 0.0);
        }
    });
}
