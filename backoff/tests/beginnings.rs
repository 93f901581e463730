//! When a schedule is begun, and from where one that measures time itself does so: in a layer and in a future.
#![cfg(all(feature = "tower", not(loom)))]

mod support;

use std::{cell::Cell, iter, rc::Rc, time::Duration};

use evenkeel_backoff::{Repeat, Retry, RetryLayer, Stop, Unlimited};
use support::{World, ms, probe::Probe, spies::Stops};
use tower::{Layer, ServiceExt};

/// What its iterators say of their length.
#[derive(Clone, Copy, Debug)]
enum Says {
    Three,
    AtMostThree,
    Nothing,
}

const ALL: [Says; 3] = [Says::Three, Says::AtMostThree, Says::Nothing];

/// Three delays of a millisecond, and how often it was begun.
#[derive(Clone)]
struct Counted {
    says: Says,
    begun: Rc<Cell<u32>>,
}

struct Three {
    says: Says,
    left: usize,
}

impl IntoIterator for Counted {
    type Item = Duration;
    type IntoIter = Three;

    fn into_iter(self) -> Three {
        self.begun.set(self.begun.get() + 1);
        Three { says: self.says, left: 3 }
    }
}

impl Iterator for Three {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        Some(ms(1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self.says {
            Says::Three => (self.left, Some(self.left)),
            Says::AtMostThree => (0, Some(self.left)),
            Says::Nothing => (0, None),
        }
    }
}

/// Delays of 10 ms until its stopwatch, begun with it, shows 35.
#[derive(Clone)]
struct Stopwatch(World);

impl IntoIterator for Stopwatch {
    type Item = Duration;
    type IntoIter = Box<dyn Iterator<Item = Duration>>;

    fn into_iter(self) -> Self::IntoIter {
        let begun = self.0.elapsed();
        Box::new(iter::from_fn(move || (self.0.elapsed() - begun < ms(35)).then_some(ms(10))).take(1_000))
    }
}

/// A schedule that has a delay each second time that it is begun, and says so.
#[derive(Clone)]
struct Moody(Rc<Cell<bool>>);

impl IntoIterator for Moody {
    type Item = Duration;
    type IntoIter = iter::RepeatN<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        iter::repeat_n(ms(1), usize::from(self.0.replace(!self.0.get())))
    }
}

fn fails() -> Result<u32, &'static str> {
    Err("busy")
}

#[test]
fn a_schedule_is_begun_once_a_request_and_in_a_future_by_a_failure_alone() {
    for says in ALL {
        let (world, begun) = (World::new(), Rc::new(Cell::new(0)));
        let retry = Retry::new(Counted { says, begun: begun.clone() }, world.sleeper());
        assert_eq!(world.run(retry.run(async |_| Ok::<_, ()>(1))), Ok(1));
        assert_eq!(begun.take(), 0, "{says:?}: nothing has failed");
        assert_eq!(world.run(retry.run(async |attempt| if attempt < 2 { Err(()) } else { Ok(1) })), Ok(1));
        assert_eq!(begun.take(), 1, "{says:?}: two delays of one beginning");
    }
}

#[test]
fn in_a_layer_it_is_begun_once_a_request_too() {
    for says in ALL {
        let (world, begun) = (World::new(), Rc::new(Cell::new(0)));
        let layer = Retry::new(Counted { says, begun: begun.clone() }, world.sleeper()).budget(Unlimited).layer();
        for (failures, calls) in [(0, 1), (1, 2), (2, 3)] {
            let (probe, log) = Probe::new(iter::repeat_n(fails(), failures).chain([Ok(1)]));
            assert_eq!(world.run(layer.layer(probe).oneshot(())), Ok(1));
            assert_eq!((begun.take(), log.calls.get()), (1, calls), "{says:?}: to know whether a copy is worth it");
        }
        let never = layer.replay(|_: &()| Repeat::Never);
        for (result, count) in [(Ok(1), 0), (fails(), 1)] {
            let (probe, _) = Probe::new([result]);
            assert_eq!(world.run(never.layer(probe).oneshot(())), result);
            assert_eq!(begun.take(), count, "{says:?}: no copy is kept, so that is not asked");
        }
    }
}

#[test]
fn a_schedule_with_a_stopwatch_measures_from_the_first_failure_and_in_a_layer_from_the_request() {
    let world = World::new();
    let attempt = |number: u32| {
        world.advance(if number == 0 { ms(40) } else { ms(5) });
        async { fails() }
    };
    let retry = Retry::new(Stopwatch(world.clone()), world.sleeper()).budget(Unlimited);
    assert_eq!(world.run(retry.run(attempt)), fails());
    assert_eq!(
        world.slept().len(),
        3,
        "asked at 0, 15, 30, and 45 of its stopwatch: the first attempt took no time of it"
    );
    let number = Cell::new(0);
    let service = RetryLayer::of(&retry).layer(tower::service_fn(|()| attempt(number.replace(number.get() + 1))));
    assert_eq!(world.run(service.oneshot(())), fails());
    assert_eq!(world.slept().len(), 3 + 1, "asked at 0, before the first attempt, and at 50, before the second");
}

#[test]
fn a_schedule_that_is_each_time_another_ends_as_the_one_that_was_begun_says() {
    for first in [false, true] {
        let (world, stops) = (World::new(), Stops::default());
        let policy = Retry::new(Moody(Rc::new(Cell::new(first))), world.sleeper()).budget(Unlimited).observe(&stops);
        let (probe, log) = Probe::new([fails(), fails()]);
        assert_eq!(world.run(RetryLayer::of(&policy).layer(probe).oneshot(())), fails());
        let attempts = 1 + u32::from(first);
        assert_eq!((log.calls.get(), stops.0.take()), (attempts, vec![(attempts, Stop::Exhausted)]));
    }
}
