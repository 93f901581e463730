//! What an observer hears of a breaker, and what it may do.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, clippy::arc_with_non_send_sync)] // A mutex in a test, and an `Arc` for its own sake.

mod prober_support;

use std::{
    cell::{Cell, OnceCell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use evenkeel_breaker::{
    Breaker, BreakerObserver, CallEnd, Cause, CheckEnd, Outcome, Rejected, State, Transition, Verdict,
};
use prober_support::{World, seconds};

type Watched<O> = Breaker<fn() -> Instant, O>;

/// Does with its breaker whatever can be done, the first time that it hears something of a kind.
#[derive(Default)]
struct Meddler {
    breaker: OnceCell<Watched<Rc<Meddler>>>,
    heard: RefCell<Vec<&'static str>>,
}

impl Meddler {
    fn meddle(&self, heard: &'static str) {
        if self.heard.borrow().contains(&heard) {
            return;
        }
        self.heard.borrow_mut().push(heard);
        let breaker = self.breaker.get().unwrap();
        let _ = (breaker.state(), breaker.ready_at(), breaker.snapshot(), breaker.clone());
        if let Ok(permit) = breaker.try_acquire() {
            let _ = (permit.is_current(), permit.is_probe());
            permit.success();
        }
        let mut transitions = breaker.transitions();
        breaker.force_open();
        drop(breaker.try_acquire_owned());
        breaker.force_closed();
        drop(breaker.try_acquire());
        breaker.reset();
        assert!(transitions.try_next().is_some());
    }
}

impl BreakerObserver for Meddler {
    fn on_transition(&self, _: &Transition) {
        self.meddle("transition");
    }

    fn on_call(&self, _: &CallEnd) {
        self.meddle("call");
    }

    fn on_reject(&self, _: &Rejected) {
        self.meddle("reject");
    }

    fn on_check(&self, _: &CheckEnd) {
        self.meddle("check");
    }
}

// Hazard 38.
#[test]
fn it_may_do_with_its_breaker_whatever_it_likes_in_every_callback() {
    let meddler = Rc::new(Meddler::default());
    let breaker = Breaker::builder().consecutive_failures(1).observe(Rc::clone(&meddler)).build().unwrap();
    assert!(meddler.breaker.set(breaker.clone()).is_ok());
    for first in ["transition", "call", "reject"] {
        meddler.heard.borrow_mut().clear();
        match first {
            "transition" => breaker.force_closed(),
            "call" => breaker.try_acquire().unwrap().failure(),
            _ => {
                meddler.heard.borrow_mut().push("transition");
                breaker.force_open();
                meddler.heard.borrow_mut().clear();
                assert!(breaker.try_acquire().is_err());
            }
        }
        assert!(meddler.heard.borrow().contains(&first));
        breaker.reset();
    }
    let sleep = |_: Duration| std::future::ready(());
    let mut prober = Box::pin(breaker.prober(sleep, || async { Ok::<_, ()>(()) }).while_closed(seconds(1)));
    assert!(prober.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(prober);
    assert!(meddler.heard.borrow().contains(&"check"));
    assert_eq!(breaker.state(), State::Closed);
}

/// Whoever opens it forces it closed, and whoever does that resets it.
#[derive(Default)]
struct Stubborn {
    breaker: OnceCell<Watched<Rc<Stubborn>>>,
    heard: RefCell<Vec<Transition>>,
}

impl BreakerObserver for Stubborn {
    fn on_transition(&self, transition: &Transition) {
        let breaker = self.breaker.get().unwrap();
        match transition.to {
            State::Open => breaker.force_closed(),
            State::ForcedClosed => breaker.reset(),
            State::Closed | State::HalfOpen | State::ForcedOpen => {}
        }
        self.heard.borrow_mut().push(*transition);
    }
}

#[test]
fn a_transition_that_a_callback_causes_is_told_after_the_one_it_was_told() {
    let stubborn = Rc::new(Stubborn::default());
    let breaker = Breaker::builder().consecutive_failures(1).observe(Rc::clone(&stubborn)).build().unwrap();
    assert!(stubborn.breaker.set(breaker.clone()).is_ok());
    for round in 0..3 {
        breaker.try_acquire().unwrap().failure();
        let heard = stubborn.heard.take();
        let told: Vec<_> = heard.iter().map(|transition| (transition.to, transition.period - 3 * round)).collect();
        assert_eq!(told, [(State::Open, 1), (State::ForcedClosed, 2), (State::Closed, 3)]);
    }
}

#[derive(Default)]
struct Ledger(Mutex<Vec<Transition>>);

impl BreakerObserver for Ledger {
    fn on_transition(&self, transition: &Transition) {
        self.0.lock().unwrap().push(*transition);
    }
}

#[test]
fn transitions_of_many_threads_are_told_once_each_and_in_their_order() {
    let ledger = Arc::new(Ledger::default());
    let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO]);
    let breaker = builder.observe(Arc::clone(&ledger)).build().unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let breaker = &breaker;
            scope.spawn(move || {
                for round in 0..60 {
                    match (thread + round) % 4 {
                        0 => breaker.force_open(),
                        1 => breaker.reset(),
                        _ => {
                            if let Ok(permit) = breaker.try_acquire() {
                                permit.record(if round % 2 == 0 { Verdict::failure() } else { Verdict::success() });
                            }
                        }
                    }
                }
            });
        }
    });
    let told = ledger.0.lock().unwrap();
    assert!(told.len() > 100);
    let mut state = State::Closed;
    for (period, transition) in (1..).zip(told.iter()) {
        assert_eq!((transition.period, transition.from), (period, state));
        state = transition.to;
    }
    assert_eq!((state, told.len() as u64), (breaker.state(), breaker.snapshot().period));
}

/// Panics as often as it is told to.
#[derive(Default)]
struct Fuse {
    left: Cell<u32>,
    heard: RefCell<Vec<State>>,
}

impl Fuse {
    fn blow(&self) {
        if let Some(left) = self.left.get().checked_sub(1) {
            self.left.set(left);
            panic!("the observer panics");
        }
    }
}

impl BreakerObserver for Fuse {
    fn on_transition(&self, transition: &Transition) {
        self.blow();
        self.heard.borrow_mut().push(transition.to);
    }

    fn on_call(&self, _: &CallEnd) {
        self.blow();
    }

    fn on_reject(&self, _: &Rejected) {
        self.blow();
    }
}

fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

fn fused() -> (Rc<Fuse>, Watched<Rc<Fuse>>) {
    let fuse = Rc::new(Fuse::default());
    let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO, seconds(100)]);
    let breaker = builder.observe(Rc::clone(&fuse)).build().unwrap();
    (fuse, breaker)
}

// Hazard 58.
#[test]
fn a_panic_of_it_leaves_the_breaker_as_it_is() {
    let (fuse, breaker) = fused();
    let permit = breaker.try_acquire().unwrap();
    fuse.left.set(1);
    assert!(panics(|| permit.failure()));
    assert_eq!((breaker.state(), fuse.left.get()), (State::Open, 0), "the result counts");
    breaker.force_open();
    fuse.left.set(1);
    assert!(panics(|| drop(breaker.try_acquire())), "of a rejection");
    assert_eq!(breaker.try_acquire().unwrap_err().state(), State::ForcedOpen);
    breaker.reset();
    let permit = breaker.try_acquire().unwrap();
    fuse.left.set(1);
    assert!(panics(|| permit.success()), "of a call's end");
    assert_eq!(*fuse.heard.borrow(), [State::ForcedOpen, State::Closed], "all the others are told");
}

// Hazards 30 and 58.
#[test]
fn a_panic_of_it_loses_no_slot() {
    let (fuse, breaker) = fused();
    breaker.try_acquire().unwrap().failure();
    fuse.left.set(1);
    assert!(panics(|| drop(breaker.try_acquire())), "it hears that it is half-open now");
    assert_eq!((breaker.state(), breaker.snapshot().probes_out), (State::HalfOpen, 0));
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 58.
#[test]
fn a_panic_of_it_loses_no_slot_of_a_check() {
    let (fuse, breaker) = fused();
    breaker.try_acquire().unwrap().failure();
    let sleep = |_: Duration| std::future::pending::<()>();
    let mut prober = Box::pin(breaker.prober(sleep, || async { Ok::<_, ()>(()) }));
    let mut cx = Context::from_waker(Waker::noop());
    let mut poll = || panics(|| assert!(prober.as_mut().poll(&mut cx).is_pending()));
    fuse.left.set(1);
    assert!(poll());
    assert_eq!((breaker.state(), breaker.snapshot().probes_out), (State::HalfOpen, 0));
    assert!(!poll());
    assert_eq!(breaker.state(), State::Closed);
}

// Hazard 58.
#[test]
fn a_panic_of_it_in_a_drop_while_another_one_unwinds_ends_there() {
    let (fuse, breaker) = fused();
    let panicked = panics(|| {
        let _permit = breaker.try_acquire().unwrap();
        fuse.left.set(2);
        panic!("the call panics");
    });
    assert!(panicked);
    assert_eq!(breaker.state(), State::Open, "a call that panics has failed");
}

/// Counts what it hears, and wants durations or not.
#[derive(Default)]
struct Counts {
    heard: Cell<[u32; 4]>,
    wants: bool,
    duration: Cell<Option<Duration>>,
}

impl Counts {
    fn count(&self, what: usize) {
        let mut heard = self.heard.get();
        heard[what] += 1;
        self.heard.set(heard);
    }
}

impl BreakerObserver for Counts {
    fn on_transition(&self, _: &Transition) {
        self.count(0);
    }

    fn on_call(&self, call: &CallEnd) {
        self.duration.set(call.duration);
        self.count(1);
    }

    fn on_reject(&self, _: &Rejected) {
        self.count(2);
    }

    fn on_held_closed(&self, _: Cause) {
        self.count(3);
    }

    fn wants_durations(&self) -> bool {
        self.wants
    }
}

#[test]
fn pairs_references_boxes_and_counted_ones_all_hear() {
    let (first, second, third) = (Counts::default(), Rc::new(Counts::default()), Arc::new(Counts::default()));
    let boxed: Box<dyn BreakerObserver + '_> = Box::new(&first);
    let observer = ((boxed, Rc::clone(&second)), (Arc::clone(&third), ()));
    observer.on_held_closed(Cause::FailureRate);
    let breaker = Breaker::builder().consecutive_failures(1).observe(observer).build().unwrap();
    breaker.try_acquire().unwrap().failure();
    assert!(breaker.try_acquire().is_err());
    for counts in [&first, &*second, &*third] {
        assert_eq!(counts.heard.get(), [1, 1, 1, 1]);
        assert_eq!(counts.duration.get(), None, "nobody wants it");
    }
}

#[test]
fn durations_are_there_if_one_of_two_wants_them() {
    for (left, right) in [(true, false), (false, true)] {
        let observers = [left, right].map(|wants| Rc::new(Counts { wants, ..Counts::default() }));
        let observer = (Rc::clone(&observers[0]), Rc::clone(&observers[1]));
        let breaker = Breaker::builder().observe(observer).build().unwrap();
        breaker.try_acquire().unwrap().success();
        assert!(observers.iter().all(|observer| observer.duration.get().is_some()));
    }
}

#[test]
fn it_hears_how_each_call_ended() {
    #[derive(Default)]
    struct Calls(RefCell<Vec<(Outcome, bool, bool, bool)>>);
    impl BreakerObserver for Calls {
        fn on_call(&self, call: &CallEnd) {
            self.0.borrow_mut().push((call.outcome, call.abandoned, call.probe, call.late));
        }
    }
    let calls = Rc::new(Calls::default());
    let builder = Breaker::builder().consecutive_failures(1).open_for([Duration::ZERO]);
    let breaker = builder.observe(Rc::clone(&calls)).build().unwrap();
    let late = breaker.try_acquire().unwrap();
    drop(breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().release();
    breaker.try_acquire().unwrap().failure();
    late.success();
    breaker.try_acquire().unwrap().success();
    let expected = [
        (Outcome::Ignored, true, false, false),
        (Outcome::Failure, false, false, false),
        (Outcome::Success, false, false, true),
        (Outcome::Success, false, true, false),
    ];
    assert_eq!(*calls.0.borrow(), expected, "what was released was no call");
}

#[test]
fn checks_of_a_prober_are_no_calls() {
    let world = World::new(|builder| builder);
    let mut prober = prober_support::Task::new(world.prober());
    world.run(&mut [&mut prober], 0);
    world.trip();
    world.run(&mut [&mut prober], 10_000);
    assert_eq!((world.log.checks.borrow().len(), world.log.users_probes.get()), (1, 0));
}
