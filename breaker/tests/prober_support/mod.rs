//! A breaker, the time, a service that is checked, and an executor, all moved by hand.
#![allow(dead_code)] // Not each test uses all of it.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use evenkeel_breaker::{
    Breaker, BreakerBuilder, BreakerObserver, CallEnd, Cause, CheckEnd, Prober, State, Transition, Verdict,
};

pub(crate) type Clock = Box<dyn Fn() -> Instant>;
pub(crate) type Subject = Breaker<Clock, Rc<Log>>;
pub(crate) type Check = Pin<Box<dyn Future<Output = Result<(), &'static str>>>>;
pub(crate) type Judge = fn(&Result<(), &'static str>) -> Verdict;

/// What it heard, with the time in ms.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) transitions: RefCell<Vec<(State, Cause)>>,
    pub(crate) checks: RefCell<Vec<CheckEnd>>,
    pub(crate) users_probes: Cell<u32>,
}

impl BreakerObserver for Log {
    fn on_transition(&self, transition: &Transition) {
        self.transitions.borrow_mut().push((transition.to, transition.cause));
    }

    fn on_call(&self, call: &CallEnd) {
        self.users_probes.set(self.users_probes.get() + u32::from(call.probe));
    }

    fn on_check(&self, check: &CheckEnd) {
        self.checks.borrow_mut().push(*check);
    }
}

/// Milliseconds since the start, and who sleeps until when.
#[derive(Clone, Default)]
pub(crate) struct Time(Rc<(Cell<u64>, Sleepers)>);

type Sleepers = RefCell<Vec<(u64, Waker)>>;

impl Time {
    pub(crate) fn now(&self) -> u64 {
        self.0.0.get()
    }

    fn set(&self, now: u64) {
        self.0.0.set(now.max(self.now()));
        let (over, later) = self.0.1.take().into_iter().partition(|(until, _)| *until <= now);
        self.0.1.replace(later);
        let over: Vec<(u64, Waker)> = over;
        over.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn next(&self) -> Option<u64> {
        self.0.1.borrow().iter().map(|(until, _)| *until).min()
    }

    pub(crate) fn sleep(&self, delay: Duration) -> Sleep {
        // No timer is early: to the next millisecond.
        let delay = delay.as_nanos().div_ceil(1_000_000);
        Sleep(self.clone(), self.now().saturating_add(u64::try_from(delay).unwrap_or(u64::MAX)))
    }
}

pub(crate) struct Sleep(Time, u64);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.now() >= self.1 {
            return Poll::Ready(());
        }
        self.0.0.1.borrow_mut().push((self.1, cx.waker().clone()));
        Poll::Pending
    }
}

/// What the next check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Well,
    Down,
    /// Well, after so many milliseconds.
    Takes(u64),
    Hangs,
    Panics,
    /// It cannot be told.
    Unsure,
    /// Down, and wants to be left alone for a minute.
    Throttles,
}

pub(crate) struct World {
    pub(crate) time: Time,
    pub(crate) log: Rc<Log>,
    pub(crate) service: Rc<Cell<Service>>,
    /// When checks began.
    pub(crate) begun: Rc<RefCell<Vec<u64>>>,
    /// Checks that were dropped before they had ended.
    pub(crate) dropped: Rc<Cell<u32>>,
    pub(crate) breaker: Subject,
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn judge(result: &Result<(), &'static str>) -> Verdict {
    match result {
        Ok(()) => Verdict::success(),
        Err("unsure") => Verdict::ignored(),
        Err("throttled") => Verdict::failure().not_before(seconds(60)),
        Err(_) => Verdict::failure(),
    }
}

impl World {
    /// Opens at the first failure, for ten seconds, unless `settings` say else.
    pub(crate) fn new(settings: impl FnOnce(BreakerBuilder) -> BreakerBuilder) -> Self {
        #[allow(clippy::disallowed_methods)] // A clock that is moved by hand has to begin somewhere.
        let start = Instant::now();
        let (time, log) = (Time::default(), Rc::new(Log::default()));
        let clock = time.clone();
        let clock: Clock = Box::new(move || start + Duration::from_millis(clock.now()));
        let builder = settings(Breaker::builder().consecutive_failures(1).open_for([seconds(10)]));
        let breaker = builder.clock(clock).observe(Rc::clone(&log)).build().unwrap();
        let service = Rc::new(Cell::new(Service::Down));
        Self { time, log, service, begun: Rc::default(), dropped: Rc::default(), breaker }
    }

    /// A user's call fails.
    pub(crate) fn trip(&self) {
        self.breaker.try_acquire().unwrap().failure();
    }

    pub(crate) fn check(&self) -> impl FnMut() -> Check + use<> {
        let (time, service, begun) = (self.time.clone(), Rc::clone(&self.service), Rc::clone(&self.begun));
        let dropped = Rc::clone(&self.dropped);
        move || {
            begun.borrow_mut().push(time.now());
            let (time, service) = (time.clone(), service.get());
            let unended = Unended(Rc::clone(&dropped));
            Box::pin(async move {
                let result = match service {
                    Service::Well => Ok(()),
                    Service::Takes(millis) => {
                        time.sleep(Duration::from_millis(millis)).await;
                        Ok(())
                    }
                    Service::Down => Err("down"),
                    Service::Unsure => Err("unsure"),
                    Service::Throttles => Err("throttled"),
                    Service::Hangs => pending().await,
                    Service::Panics => panic!("the check panics"),
                };
                std::mem::forget(unended);
                result
            })
        }
    }

    #[allow(clippy::type_complexity)]
    pub(crate) fn prober(
        &self,
    ) -> Prober<
        impl Fn(Duration) -> Sleep + use<>,
        Sleep,
        impl FnMut() -> Check + use<>,
        Check,
        Judge,
        [Duration; 0],
        Clock,
        Rc<Log>,
    > {
        let time = self.time.clone();
        self.breaker.prober(move |delay| time.sleep(delay), self.check()).when(judge as Judge)
    }

    /// Goes on to `to`, in ms, stopping wherever somebody sleeps until, and polls the tasks whenever they are woken.
    pub(crate) fn run(&self, tasks: &mut [&mut Task], to: u64) {
        let turn = |tasks: &mut [&mut Task]| {
            for task in tasks {
                task.turn();
            }
        };
        turn(tasks);
        while let Some(next) = self.time.next().filter(|next| *next <= to) {
            self.time.set(next);
            // One may wake the other.
            turn(tasks);
            turn(tasks);
        }
        self.pass(to);
    }

    /// Time passes and nobody is polled.
    pub(crate) fn pass(&self, to: u64) {
        self.time.set(to);
    }

    pub(crate) fn begun(&self) -> Vec<u64> {
        self.begun.borrow().clone()
    }

    pub(crate) fn transitions(&self) -> Vec<(State, Cause)> {
        self.log.transitions.borrow().clone()
    }

    pub(crate) fn is_probe_admitted(&self) -> bool {
        self.breaker.try_acquire().is_ok_and(|permit| {
            let is_probe = permit.is_probe();
            permit.release();
            is_probe
        })
    }
}

struct Unended(Rc<Cell<u32>>);

impl Drop for Unended {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A future that was spawned.
pub(crate) struct Task {
    future: Pin<Box<dyn Future<Output = Infallible>>>,
    woken: Arc<Woken>,
    pub(crate) polls: usize,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new(future: impl Future<Output = Infallible> + 'static) -> Self {
        let woken = Arc::new(Woken::default());
        woken.0.store(1, Ordering::SeqCst);
        Self { future: Box::pin(future), woken, polls: 0 }
    }

    /// Polls it as long as it is woken; whether it panicked.
    pub(crate) fn turn(&mut self) -> bool {
        while self.woken.0.swap(0, Ordering::SeqCst) > 0 {
            self.polls += 1;
            let waker = Waker::from(Arc::clone(&self.woken));
            let mut cx = Context::from_waker(&waker);
            let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(&mut cx)));
            match polled {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(never)) => match never {},
                Err(_) => return true,
            }
        }
        false
    }

    /// Polls it although nobody woke it.
    pub(crate) fn nudge(&mut self) -> bool {
        self.woken.0.fetch_add(1, Ordering::SeqCst);
        self.turn()
    }
}
