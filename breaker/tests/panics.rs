//! Others' code that panics: the waker, the observer, the clock, the schedule, the classifier. The panic goes to who called, and
//! all else is as if that had been somebody's last word. Hazard 58.
#![cfg(not(loom))]

mod support;

use std::{
    cell::RefCell,
    future::{Future, pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerObserver, Cause, Outcome, State, Transition, Verdict};
use support::{Clock, Log, by_hand, fail, ms, secs, succeed};

fn panics<T>(f: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Panics once, so many steps after it was lit.
#[derive(Clone)]
struct Fuse(Arc<AtomicU32>);

const OUT: u32 = u32::MAX;

impl Fuse {
    fn new() -> Self {
        Self(Arc::new(AtomicU32::new(OUT)))
    }

    fn light(&self, steps: u32) {
        self.0.store(steps, Ordering::SeqCst);
    }

    fn is_lit(&self) -> bool {
        self.0.load(Ordering::SeqCst) != OUT
    }

    fn burn(&self) {
        let left = self.0.load(Ordering::SeqCst);
        if left != OUT {
            // From none left it goes out.
            self.0.store(left.wrapping_sub(1), Ordering::SeqCst);
        }
        assert_ne!(left, 0, "the fuse has burnt down");
    }
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_waker_that_panics_takes_no_wake_up_of_others() {
    for place in 0..3 {
        let (builder, _clock) = by_hand();
        let breaker = builder.consecutive_failures(1).build().unwrap();
        breaker.force_open();
        let woken = Arc::new(Woken::default());
        let waker = |of: usize| if of == place { Waker::from(Arc::new(Bomb)) } else { Waker::from(Arc::clone(&woken)) };
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(breaker.acquire(|_| pending::<()>()))).collect();
        for (of, acquire) in waiting.iter_mut().enumerate() {
            assert!(acquire.as_mut().poll(&mut Context::from_waker(&waker(of))).is_pending());
        }
        assert!(panics(|| breaker.reset()));
        assert_eq!(woken.0.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn the_observer_is_told_although_a_waker_panics() {
    let (clock, log) = (Clock::new(), Log::default());
    let breaker =
        Breaker::builder().consecutive_failures(1).clock(clock.reader()).observe(log.clone()).build().unwrap();
    breaker.force_open();
    let mut acquire = pin!(breaker.acquire(|_| pending::<()>()));
    assert!(acquire.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(Bomb)))).is_pending());
    assert!(panics(|| breaker.reset()));
    assert_eq!(log.way(), [(State::ForcedOpen, Cause::Forced), (State::Closed, Cause::Reset)]);
}

type Meddles = Box<dyn FnOnce()>;

/// Steps with its breaker when it hears that it is open, and then panics.
#[derive(Default)]
struct Meddler {
    meddles: RefCell<Option<Meddles>>,
    heard: RefCell<Vec<State>>,
}

impl BreakerObserver for Meddler {
    fn on_transition(&self, transition: &Transition) {
        self.heard.borrow_mut().push(transition.to);
        let meddles = self.meddles.take();
        if let Some(meddles) = meddles {
            meddles();
            panic!("the observer panics");
        }
    }
}

#[test]
fn what_stepped_while_an_observer_was_told_and_panicked_is_told() {
    let meddler = Rc::new(Meddler::default());
    let breaker = Breaker::builder().consecutive_failures(1).observe(Rc::clone(&meddler)).build().unwrap();
    let handle = breaker.clone();
    meddler.meddles.replace(Some(Box::new(move || {
        handle.reset();
        handle.force_closed();
    })));
    assert!(panics(|| fail(&breaker)));
    assert_eq!(*meddler.heard.borrow(), [State::Open, State::Closed, State::ForcedClosed]);
    assert_eq!(breaker.state(), State::ForcedClosed);
}

/// A breaker that is due for a probe, whose clock panics when the fuse has burnt down: one step is one look at it.
fn due(fuse: &Fuse) -> (Breaker<impl Fn() -> Instant + use<>>, Clock) {
    let (clock, burns) = (Clock::new(), fuse.clone());
    let reads = clock.reader();
    let reads = move || {
        burns.burn();
        reads()
    };
    let builder = Breaker::builder().consecutive_failures(1).open_for([secs(1)]).probe_timeout(Duration::MAX);
    let breaker = builder.clock(reads).build().unwrap();
    assert!(fail(&breaker));
    clock.advance(secs(1));
    (breaker, clock)
}

#[test]
fn a_clock_that_panics_when_a_probe_ends_loses_no_slot() {
    let fuse = Fuse::new();
    for said in [Some(Outcome::Success), Some(Outcome::Failure), Some(Outcome::Ignored), None] {
        let (breaker, _) = due(&fuse);
        let probe = breaker.try_acquire().unwrap();
        fuse.light(0);
        assert!(panics(|| match said {
            Some(outcome) => probe.record(outcome),
            None => drop(probe),
        }));
        let shown = breaker.snapshot();
        assert_eq!((shown.state, shown.probes_out), (State::HalfOpen, 0), "{said:?}");
        assert!(succeed(&breaker));
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn a_clock_that_panics_at_any_look_of_a_prober_loses_no_slot() {
    let fuse = Fuse::new();
    let mut panicked = 0;
    for look in 0.. {
        let (breaker, clock) = due(&fuse);
        fuse.light(look);
        let mut prober = Box::pin(breaker.prober(|_| pending::<()>(), || ready(Ok::<_, ()>(()))));
        let blew = panics(|| poll(prober.as_mut()));
        assert_eq!(blew, !fuse.is_lit());
        fuse.light(OUT);
        assert_eq!(breaker.snapshot().probes_out, 0, "at look {look}");
        // A check that panicked in its end has failed; one that was not begun is begun now.
        clock.advance(secs(2));
        assert!(!blew || poll(prober.as_mut()).is_pending());
        drop(prober);
        assert!(succeed(&breaker), "at look {look}");
        assert_eq!(breaker.state(), State::Closed);
        if !blew {
            break;
        }
        panicked += 1;
    }
    assert!(panicked > 2, "it looks when it asks, begins and ends");
}

#[derive(Clone)]
struct Burns(Fuse);

impl Iterator for Burns {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.burn();
        Some(secs(1))
    }
}

/// A rule of consecutive failures, a count window, a time window: each opens after two failures.
fn kinds<C: Fn() -> Instant>(builder: impl Fn() -> BreakerBuilder<C>) -> [BreakerBuilder<C>; 3] {
    let rate = || builder().minimum_calls(2).failure_rate(1.0);
    [builder().consecutive_failures(2), rate().count_window(4), rate().time_window(secs(10))]
}

#[test]
fn a_schedule_that_panics_at_any_draw_wedges_nothing() {
    for kind in 0..3 {
        for draw in 0..8 {
            let (clock, fuse) = (Clock::new(), Fuse::new());
            let builder =
                || Breaker::builder().open_for(Burns(fuse.clone())).half_open_permits(2).clock(clock.reader());
            let [by_run, by_count, by_time] = kinds(builder);
            let breaker = [by_run, by_count, by_time].into_iter().nth(kind).unwrap().build().unwrap();
            fuse.light(draw);
            let mut panicked = 0;
            for step in 0..60 {
                panicked += u32::from(panics(|| match step % 6 {
                    0..=2 => drop(fail(&breaker)),
                    3 => std::mem::forget(breaker.try_acquire()),
                    4 => clock.advance(ms(1_100)),
                    _ => drop(breaker.snapshot()),
                }));
                let shown = breaker.snapshot();
                assert!(shown.probes_out <= 2, "{shown:?}");
                assert!(shown.state != State::HalfOpen || shown.probe_failures == 0, "one failure too many: {shown:?}");
                assert!(shown.consecutive_failures <= 3 && shown.calls <= 4, "{shown:?}");
            }
            assert_eq!((panicked, fuse.is_lit()), (1, false), "kind {kind}, draw {draw}");
            clock.advance(secs(100));
            assert!(succeed(&breaker), "kind {kind}, draw {draw}");
            assert_eq!(breaker.state(), State::Closed);
        }
    }
}

/// The lock is held while the schedule is asked.
#[test]
fn a_thread_that_a_schedule_ends_closes_no_lock() {
    let (clock, fuse) = (Clock::new(), Fuse::new());
    let builder = Breaker::builder().consecutive_failures(1).open_for(Burns(fuse.clone()));
    let breaker = builder.clock(clock.reader()).build().unwrap();
    fuse.light(0);
    thread::scope(|scope| assert!(scope.spawn(|| fail(&breaker)).join().is_err()));
    breaker.reset();
    assert!(fail(&breaker));
    assert_eq!(breaker.state(), State::Open);
    clock.advance(secs(1));
    assert!(succeed(&breaker));
    assert_eq!(breaker.state(), State::Closed);
}

#[derive(Clone)]
struct Ends(u32);

impl Iterator for Ends {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 += 1;
        match self.0 {
            1 => Some(secs(1)),
            2 => None,
            _ => panic!("asked after its end"),
        }
    }
}

#[test]
fn a_schedule_is_not_asked_after_its_end() {
    let (builder, clock) = by_hand();
    let breaker = builder.consecutive_failures(1).open_for(Ends(0)).build().unwrap();
    assert!(fail(&breaker));
    for _ in 0..5 {
        clock.advance(secs(1));
        assert!(fail(&breaker), "its last one again");
        assert_eq!(breaker.state(), State::Open);
    }
}

#[test]
fn a_call_whose_ask_panicked_is_not_made_when_it_is_polled_again() {
    let fuse = Fuse::new();
    let (breaker, _) = due(&fuse);
    let made = AtomicBool::new(false);
    let mut call = pin!(breaker.call(async {
        made.store(true, Ordering::SeqCst);
        Ok::<(), ()>(())
    }));
    fuse.light(0);
    assert!(panics(|| poll(call.as_mut())));
    assert!(panics(|| poll(call.as_mut())), "it has answered");
    assert!(!made.load(Ordering::SeqCst), "without the breaker");
}

#[test]
fn a_classifier_that_panics_is_one_failure_in_each_kind_of_window() {
    for builder in kinds(Breaker::builder) {
        let breaker = builder.build().unwrap();
        for state in [State::Closed, State::Open] {
            let judge = |_: &Result<(), ()>| -> Verdict { panic!("the classifier panics") };
            let mut call = pin!(breaker.call_with(judge, ready(Ok(()))));
            assert!(panics(|| poll(call.as_mut())));
            assert!(panics(|| poll(call.as_mut())), "it has answered");
            assert_eq!(breaker.state(), state);
        }
    }
}
