//! What an observer of a throttle hears, and that it may panic.
#![cfg(all(feature = "throttle", not(loom)))]

mod throttle_support;

use std::{
    cell::{Cell, OnceCell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Instant,
};

use evenkeel_budget::{
    AdaptiveThrottle,
    Outcome::{self, Success},
    Priority::{self, Critical, Normal, Sheddable},
    ThrottleObserver,
};
use throttle_support::send;

/// Writes down what it is told, and what the throttle has counted by then.
#[derive(Default)]
struct Watcher {
    throttle: OnceCell<Watched>,
    told: RefCell<Vec<(String, u64)>>,
}

type Watched = AdaptiveThrottle<fn() -> Instant, Rc<Watcher>>;

impl Watcher {
    fn tell(&self, what: String) {
        self.told.borrow_mut().push((what, self.throttle.get().unwrap().snapshot().requests));
    }
}

impl ThrottleObserver for Watcher {
    fn on_admit(&self, priority: Priority, _: f64) {
        self.tell(format!("admit {}", priority.as_str()));
    }

    fn on_reject(&self, priority: Priority, probability: f64) {
        self.tell(format!("reject {} {probability}", priority.as_str()));
    }

    fn on_outcome(&self, accepted: bool) {
        self.tell(format!("accepted {accepted}"));
    }
}

#[test]
fn an_observer_hears_everything_once_when_it_is_counted() {
    let watcher = Rc::new(Watcher::default());
    let throttle = AdaptiveThrottle::builder().observe(Rc::clone(&watcher)).build().unwrap();
    assert!(watcher.throttle.set(throttle.clone()).is_ok());
    send(&throttle, Critical, Success);
    drop(throttle.try_acquire(Normal));
    drop(throttle.try_acquire(Normal));
    assert!(throttle.try_acquire(Sheddable).is_err(), "one of these three and it is to be rejected");
    let told = watcher.told.take();
    let told: Vec<_> = told.iter().map(|(what, requests)| (what.as_str(), *requests)).collect();
    assert_eq!(
        told,
        [
            ("admit critical", 0),
            ("accepted true", 1),
            ("admit normal", 1),
            ("accepted false", 2),
            ("admit normal", 2),
            ("accepted false", 3),
            ("reject sheddable 1", 4),
        ]
    );
}

// Hazard 58.
#[test]
fn an_observer_that_panics_leaves_the_counts_right_and_ends_no_program() {
    struct Broken;
    impl ThrottleObserver for Broken {
        fn on_admit(&self, priority: Priority, _: f64) {
            assert!(priority != Priority::Critical, "in on_admit");
        }

        fn on_outcome(&self, _: bool) {
            panic!("in on_outcome");
        }
    }

    let throttle = AdaptiveThrottle::builder().observe(Broken).build().unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        throttle.try_acquire(Priority::Normal).unwrap().record(Outcome::Success);
    }));
    let admit = catch_unwind(AssertUnwindSafe(|| throttle.try_acquire(Priority::Critical).is_ok()));
    let unwinds = catch_unwind(AssertUnwindSafe(|| {
        let _admission = throttle.try_acquire(Priority::Normal);
        panic!("in the call");
    }));
    assert!(admit.is_err() && outcome.is_err() && unwinds.is_err());
    let snapshot = throttle.snapshot();
    assert_eq!((snapshot.requests, snapshot.accepts), (3, 1));
}

#[test]
fn both_of_two_observers_hear_everything() {
    #[derive(Default)]
    struct Heard(Cell<[u32; 3]>);
    impl Heard {
        fn note(&self, event: usize) {
            let mut heard = self.0.get();
            heard[event] += 1;
            self.0.set(heard);
        }
    }
    impl ThrottleObserver for Heard {
        fn on_admit(&self, _: Priority, _: f64) {
            self.note(0);
        }

        fn on_reject(&self, _: Priority, _: f64) {
            self.note(1);
        }

        fn on_outcome(&self, _: bool) {
            self.note(2);
        }
    }

    let pair = (Heard::default(), Heard::default());
    let throttle = AdaptiveThrottle::builder().seed(1).observe(&pair).build().unwrap();
    while throttle.try_acquire(Priority::Normal).map(drop).is_ok() {}
    let [admitted, rejected, ended] = pair.0.0.get();
    assert!(admitted > 0 && ended == admitted && rejected == 1);
    assert_eq!(pair.0.0.get(), pair.1.0.get());
}
