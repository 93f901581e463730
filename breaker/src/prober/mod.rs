//! The prober: tests with calls of its own whether the service is well again.

mod pace;
mod post;
mod row;
mod run;

use std::{
    fmt,
    future::Future,
    time::{Duration, Instant},
};

use pin_project_lite::pin_project;

use crate::{Breaker, BreakerObserver, Classify, ErrIsFailure, open_times::nanos};
use pace::Pace;
use post::{Post, Slot};
use row::Row;

pin_project! {
    /// Tests a service with checks of its own, so that no user's request is the guinea pig: [`Breaker::prober`].
    ///
    /// It is a future that you spawn, and that never completes. While the breaker is open it runs a check when the open time is
    /// over, or [more often](Self::every); the check is a probe, and closes or reopens the breaker by its result. Where a
    /// half-open breaker wants several successes it checks until the breaker decides. While the breaker is forced it waits.
    ///
    /// One prober for a breaker is enough: of several the one that checks more often decides, for each check that fails begins
    /// a new open time.
    ///
    /// Users' calls are not admitted as probes meanwhile. But a prober is believed only while it shows itself: if it should
    /// have and is [later than its grace](Self::grace), for it hangs, panicked, or its executor is gone, users' calls are
    /// probes again, as they are once it is dropped. So what leads back to an admitted call is still time alone. A prober that
    /// does run decides, though: if its check can never succeed, the breaker never closes.
    ///
    /// Nothing is asked of the breaker before the first poll. It is woken by the breaker's transitions and its own pauses,
    /// and by nothing else. Pauses, intervals and timeouts are held to 1 ms to an hour, and the grace to an hour: a zero by
    /// mistake makes no loop, and no prober is waited for without end.
    ///
    /// ```
    /// use evenkeel_breaker::{Breaker, State};
    /// use std::{sync::atomic::{AtomicBool, Ordering}, time::Duration};
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    /// # runtime.block_on(async {
    /// static WELL: AtomicBool = AtomicBool::new(false);
    ///
    /// let breaker = Breaker::builder()
    ///     .consecutive_failures(1)
    ///     .open_for([Duration::from_secs(300)])
    ///     .clock(|| tokio::time::Instant::now().into_std())
    ///     .build()
    ///     .unwrap();
    /// let health = || async { if WELL.load(Ordering::Relaxed) { Ok(()) } else { Err("down") } };
    /// let prober = breaker.prober(tokio::time::sleep, health).every([Duration::from_secs(2)]);
    /// let prober = tokio::spawn(prober);
    ///
    /// breaker.try_acquire().unwrap().failure();
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert_eq!(breaker.state(), State::Open, "the checks fail");
    ///
    /// WELL.store(true, Ordering::Relaxed);
    /// tokio::time::sleep(Duration::from_secs(3)).await;
    /// assert_eq!(breaker.state(), State::Closed, "not five minutes later");
    /// prober.abort();
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// A panic of the check, the classifier, the sleeper or the observer goes through it. A check that panicked as a probe has
    /// failed. Polled again, it goes on with the next check.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any await, its check is dropped and counts for nothing, the slot is free, and users' calls hold back no
    /// longer.
    #[must_use = "futures do nothing unless polled"]
    pub struct Prober<
        S,
        P,
        F,
        X,
        K = ErrIsFailure,
        I: IntoIterator<Item = Duration> = [Duration; 0],
        C: Fn() -> Instant = fn() -> Instant,
        O: BreakerObserver = (),
    > {
        // Before the stage: a check is over when it is dropped, and then its slot is free.
        #[pin]
        check: Option<X>,
        #[pin]
        pause: Option<P>,
        stage: Stage<C, O>,
        // Last of all users' calls are let through again.
        post: Post<C, O>,
        pace: Pace<I>,
        sleep: S,
        begin: F,
        classify: K,
        row: Row,
    }
}

/// What it is about.
enum Stage<C: Fn() -> Instant, O: BreakerObserver> {
    /// For what it saw; if it has not looked, it looks.
    Waiting(Option<crate::breaker::View>),
    /// With a slot, if the check is a probe.
    Checking { slot: Option<Slot<C, O>>, started: u64 },
}

impl Breaker {
    /// 5 s: a service that needs longer for what a health check asks is not well.
    pub const DEFAULT_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

    /// 1 s: a runtime that is later than that has other troubles, and in an outage users wait longer for less.
    pub const DEFAULT_CHECK_GRACE: Duration = Duration::from_secs(1);
}

impl<C: Fn() -> Instant, O: BreakerObserver> Breaker<C, O> {
    /// A prober, to be spawned, that tests with `check` instead of users' calls: a request as users make it, but one that
    /// costs little. It waits with `sleep`, such as `tokio::time::sleep`.
    pub fn prober<S, P, F, X>(&self, sleep: S, check: F) -> Prober<S, P, F, X, ErrIsFailure, [Duration; 0], C, O>
    where
        S: Fn(Duration) -> P,
        P: Future,
        F: FnMut() -> X,
        X: Future,
    {
        Prober {
            check: None,
            pause: None,
            stage: Stage::Waiting(None),
            post: Post::new(self.clone()),
            pace: Pace::new(),
            sleep,
            begin: check,
            classify: ErrIsFailure,
            row: Row::default(),
        }
    }
}

impl<S, P, F, X, K, I, C, O> Prober<S, P, F, X, K, I, C, O>
where
    I: IntoIterator<Item = Duration>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    /// Checks in an open breaker after these delays: the first one from when it opened, each further one from when the check
    /// before it failed, for each outage from the first delay on; when the schedule ends, its last delay again. When left
    /// out, or of an empty schedule, it checks at the end of each open time.
    ///
    /// When the service has asked to be left alone, it is, until then.
    pub fn every<J>(self, schedule: J) -> Prober<S, P, F, X, K, J, C, O>
    where
        J: IntoIterator<Item = Duration> + Clone,
    {
        let Self { check, pause, stage, post, pace, sleep, begin, classify, row } = self;
        Prober { check, pause, stage, post, pace: pace.every(schedule), sleep, begin, classify, row }
    }

    /// Checks also while the breaker is closed, at this interval. Such a check changes nothing about the breaker; it is there
    /// for the observer, which hears from [`on_check`](BreakerObserver::on_check) how many failed in a row. When left out, it
    /// does not.
    pub fn while_closed(mut self, interval: Duration) -> Self {
        self.pace.while_closed = Some(pace::held(interval));
        self
    }

    /// A check that takes so long has failed, and is dropped; for checks this is the probe timeout as well.
    /// [`Breaker::DEFAULT_CHECK_TIMEOUT`] when left out, and never longer than what the breaker takes for a
    /// [slow call](crate::BreakerBuilder::slow_calls).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.pace.timeout = pace::held(timeout);
        self
    }

    /// Users' calls hold back so long after the moment at which the prober should have begun or ended a check.
    /// [`Breaker::DEFAULT_CHECK_GRACE`] when left out; with none they are as soon as it when its time has come.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.post.grace = nanos(grace).min(pace::LONGEST);
        self
    }

    /// Judges what a check comes to with `classify`: a function `|result: &Result<T, E>| …` to a
    /// [`Verdict`](crate::Verdict), or a type that implements [`Classify`]. When left out, `Ok` is a success, every `Err` a
    /// failure.
    ///
    /// A check that is ignored counts for nothing and the observer does not hear of it; until one says something, users' calls
    /// are not held back. Where the breaker is half-open by then, the next one is a timeout's length later.
    pub fn when<J, T, E>(self, classify: J) -> Prober<S, P, F, X, J, I, C, O>
    where
        X: Future<Output = Result<T, E>>,
        J: Classify<Result<T, E>>,
    {
        let Self { check, pause, stage, post, pace, sleep, begin, classify: _, row } = self;
        Prober { check, pause, stage, post, pace, sleep, begin, classify, row }
    }
}

impl<S, P, F, X, K, I, C, O> fmt::Debug for Prober<S, P, F, X, K, I, C, O>
where
    I: IntoIterator<Item = Duration>,
    C: Fn() -> Instant,
    O: BreakerObserver,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Waiting(_) => "waiting",
            Stage::Checking { .. } => "checking",
        };
        f.debug_struct("Prober")
            .field("stage", &stage)
            .field("consecutive_failures", &self.row.failures)
            .finish_non_exhaustive()
    }
}
