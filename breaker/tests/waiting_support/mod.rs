//! A world whose time is moved by hand: its clock, its sleeper, and tasks that count how often they are woken.
#![allow(dead_code)] // each test file uses its own part

#[cfg(feature = "tower")]
pub(crate) mod probe;

use std::{
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use evenkeel_breaker::{Breaker, BreakerBuilder, BreakerObserver};

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Clones are the same world.
#[derive(Clone, Default)]
pub(crate) struct World(Rc<State>);

#[derive(Default)]
struct State {
    now: Cell<Duration>,
    slept: RefCell<Vec<Duration>>,
    sleepers: RefCell<Vec<(Duration, Waker)>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The time since the world began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.now.get()
    }

    pub(crate) fn clock(&self) -> impl Fn() -> Instant + Clone + use<> {
        let world = self.clone();
        move || origin() + world.elapsed()
    }

    /// A breaker that opens at the first failure, for ten seconds.
    pub(crate) fn breaker(&self) -> Breaker<impl Fn() -> Instant + use<>> {
        self.builder().build().unwrap()
    }

    /// Its builder.
    pub(crate) fn builder(&self) -> BreakerBuilder<impl Fn() -> Instant + use<>> {
        Breaker::builder().consecutive_failures(1).open_for([secs(10)]).clock(self.clock())
    }

    pub(crate) fn sleeper(&self) -> impl Fn(Duration) -> Sleep + Clone + use<> {
        let world = self.clone();
        move |delay| {
            world.0.slept.borrow_mut().push(delay);
            Sleep { until: world.elapsed().saturating_add(delay), world: world.clone() }
        }
    }

    /// Every delay that was slept for, or begun to be.
    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.0.slept.borrow().clone()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.now.set(self.elapsed() + by);
        self.0.sleepers.borrow_mut().retain(|(until, waker)| {
            let due = *until <= self.elapsed();
            if due {
                waker.wake_by_ref();
            }
            !due
        });
    }

    /// Runs `future` to its end, moving time on whenever it waits for nothing else. Panics where it is polled without
    /// being woken for anything, or waits for nothing at all.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let task = Task::new();
        for _ in 0..1_000 {
            if let Poll::Ready(output) = task.poll(future.as_mut()) {
                return output;
            }
            while task.woken() == 0 {
                let next = self.0.sleepers.borrow().iter().map(|(until, _)| *until).min();
                let next = next.expect("it waits for a sleeper");
                self.advance(next.saturating_sub(self.elapsed()));
            }
        }
        panic!("polled 1,000 times: it wakes itself, or never ends");
    }
}

/// The system's clock is read once, for an `Instant` to count from.
fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    *ORIGIN.get_or_init(Instant::now)
}

pub(crate) struct Sleep {
    world: World,
    until: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.world.elapsed() >= self.until {
            return Poll::Ready(());
        }
        self.world.0.sleepers.borrow_mut().push((self.until, cx.waker().clone()));
        Poll::Pending
    }
}

/// A task that counts how often it was woken.
pub(crate) struct Task(Arc<Count>, Waker);

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    pub(crate) fn new() -> Self {
        let count = Arc::<Count>::default();
        Self(Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut self.context())
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.1)
    }

    /// How often it was woken since this was asked last.
    pub(crate) fn woken(&self) -> u32 {
        self.0.0.swap(0, Ordering::Relaxed)
    }

    /// How many hold a waker of it.
    pub(crate) fn wakers(&self) -> usize {
        Arc::strong_count(&self.0) - 2
    }
}

/// Opens it.
pub(crate) fn fail<C: Fn() -> Instant, O: BreakerObserver>(breaker: &Breaker<C, O>) {
    breaker.try_acquire().expect("it admits").failure();
}

/// One that is open, and lets the next call through as a probe.
pub(crate) fn due<C: Fn() -> Instant, O: BreakerObserver>(world: &World, breaker: &Breaker<C, O>) {
    breaker.reset();
    fail(breaker);
    world.advance(secs(10));
}

pub(crate) fn panics<T>(f: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err(), "it does not panic");
}

/// One poll by nobody.
pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
