//! A world whose time is moved by hand: its clock, its sleeper and an executor for one future.
#![allow(dead_code)] // each test file uses its own part

#[cfg(feature = "http")]
pub(crate) mod clocks;
#[cfg(feature = "tower")]
pub(crate) mod probe;
#[cfg(feature = "retry")]
pub(crate) mod spies;

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Clones are the same world.
#[derive(Clone, Default)]
pub(crate) struct World(Rc<State>);

#[derive(Default)]
struct State {
    now: Cell<Duration>,
    slept: RefCell<Vec<Duration>>,
    sleepers: RefCell<Vec<(Duration, Waker)>>,
    clock_reads: Cell<u32>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The time since the world began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.now.get()
    }

    /// A clock for a policy.
    pub(crate) fn clock(&self) -> impl Fn() -> Instant + Clone + use<> {
        let world = self.clone();
        move || {
            world.0.clock_reads.set(world.0.clock_reads.get() + 1);
            origin() + world.elapsed()
        }
    }

    pub(crate) fn clock_reads(&self) -> u32 {
        self.0.clock_reads.get()
    }

    /// A sleeper for a policy.
    pub(crate) fn sleeper(&self) -> impl Fn(Duration) -> Sleep + Clone + use<> {
        let world = self.clone();
        move |delay| world.sleep(delay)
    }

    pub(crate) fn sleep(&self, delay: Duration) -> Sleep {
        self.0.slept.borrow_mut().push(delay);
        Sleep { world: self.clone(), until: self.elapsed().saturating_add(delay) }
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
        let woken = Woken::new();
        for _ in 0..100_000 {
            if let Poll::Ready(output) = woken.poll(future.as_mut()) {
                return output;
            }
            while woken.take() == 0 {
                let next = self.0.sleepers.borrow().iter().map(|(until, _)| *until).min();
                let next = next.expect("it waits for a sleeper");
                self.advance(next.saturating_sub(self.elapsed()));
            }
        }
        panic!("polled 100,000 times: it wakes itself, or never ends");
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

/// Counts how often it was woken.
pub(crate) struct Woken(Arc<Count>, Waker);

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    pub(crate) fn new() -> Self {
        let count = Arc::<Count>::default();
        Self(Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.1))
    }

    /// How often it was woken since this was asked last.
    pub(crate) fn take(&self) -> u32 {
        self.0.0.swap(0, Ordering::Relaxed)
    }
}

/// Raises a flag when it is dropped.
pub(crate) struct Flag(pub(crate) Rc<Cell<bool>>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.set(true);
    }
}
