//! The service that is called: in this process, with faults, and with a count of all that is alive.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use evenkeel_breaker as breaker;
use evenkeel_budget::Verdict;
use tokio::time::sleep;
use tower::Service;

use super::faults::{Fault, Faults};

/// One request. A clone is the same request, sent again.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Its number.
    pub(super) id: u64,
    /// The host or tenant that it is for.
    pub(super) key: u64,
    /// It is alive.
    pub(super) alive: Alive,
}

/// The answer to a request.
#[derive(Debug)]
pub(super) struct Reply {
    /// The number of the request that it answers.
    pub(super) id: u64,
    _alive: Alive,
}

/// How the service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may not the next time.
    Transient,
    /// It is asked too often: come back after this.
    Throttled(Duration),
    /// The request is wrong.
    Permanent,
    /// It cannot be asked.
    NotReady,
    /// It was cut off by a timeout.
    Late,
}

/// Counts those that are alive: one more when it is cloned, one less when it is dropped.
#[derive(Debug)]
pub(super) struct Alive(Arc<AtomicI64>);

impl Alive {
    /// One more of what `count` counts.
    #[must_use]
    pub(super) fn new(count: &Arc<AtomicI64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Clone for Alive {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A service; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    faults: Arc<Faults>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_down: AtomicBool,
    lies: AtomicBool,
    called: AtomicU64,
    returned: AtomicU64,
}

/// What becomes of one call.
enum Fate {
    Answers(Duration),
    Fails(Duration, Failure),
    Hangs,
    Panics(Duration),
}

type Response = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

impl Provider {
    /// A service that is well, when no fault strikes.
    #[must_use]
    pub(super) fn new(faults: &Arc<Faults>) -> Self {
        Self { faults: Arc::clone(faults), shared: Arc::default() }
    }

    /// Whether it is down from now on.
    pub(super) fn set_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Whether it is down.
    pub(super) fn is_down(&self) -> bool {
        self.shared.is_down.load(Ordering::SeqCst)
    }

    /// From now on answers are those of other requests.
    pub(super) fn lie(&self) {
        self.shared.lies.store(true, Ordering::SeqCst);
    }

    /// How often it was called.
    #[must_use]
    pub(super) fn called(&self) -> u64 {
        self.shared.called.load(Ordering::SeqCst)
    }

    /// How often a call returned a response, rather than panicking.
    #[must_use]
    pub(super) fn returned(&self) -> u64 {
        self.shared.returned.load(Ordering::SeqCst)
    }

    /// The response to `request`. It may panic at once.
    pub(super) fn answer(&self, request: Request) -> Response {
        self.shared.called.fetch_add(1, Ordering::Relaxed);
        self.faults.panics(Fault::PanicCall);
        let (fate, lies) = (self.fate(), self.shared.lies.load(Ordering::Relaxed));
        let response = async move {
            match fate {
                Fate::Answers(after) => {
                    sleep(after).await;
                    Ok(Reply { id: request.id + u64::from(lies), _alive: request.alive.clone() })
                }
                Fate::Fails(after, failure) => {
                    sleep(after).await;
                    Err(failure)
                }
                Fate::Hangs => pending().await,
                Fate::Panics(after) => {
                    sleep(after).await;
                    std::panic::resume_unwind(Box::new(super::faults::Meant))
                }
            }
        };
        self.shared.returned.fetch_add(1, Ordering::Relaxed);
        Box::pin(response)
    }

    /// The answer to a thread, which waits for it. One that would never come fails instead.
    pub(super) fn answer_blocking(&self, request: &Request) -> Result<Reply, Failure> {
        self.shared.called.fetch_add(1, Ordering::Relaxed);
        self.faults.panics(Fault::PanicCall);
        let fate = self.fate();
        self.shared.returned.fetch_add(1, Ordering::Relaxed);
        match fate {
            Fate::Answers(after) => {
                thread::sleep(after / 4);
                Ok(Reply { id: request.id, _alive: request.alive.clone() })
            }
            Fate::Fails(_, failure) => Err(failure),
            Fate::Hangs => Err(Failure::Late),
            Fate::Panics(_) => std::panic::resume_unwind(Box::new(super::faults::Meant)),
        }
    }

    fn fate(&self) -> Fate {
        let faults = &self.faults;
        let mut rng = faults.rng();
        let slow = if faults.strikes(Fault::Slow) { 4.0 } else { 1.0 };
        let millis = (rng.log_normal(1.2, 0.7) * slow).min(20.0);
        // Some are there at once, without a timer.
        let after = if rng.chance(0.1) { Duration::ZERO } else { Duration::from_secs_f64(millis / 1e3) };
        if self.shared.is_down.load(Ordering::Relaxed) {
            return Fate::Fails(Duration::ZERO, Failure::Transient);
        }
        if faults.strikes(Fault::Hang) {
            Fate::Hangs
        } else if faults.strikes(Fault::PanicFuture) {
            Fate::Panics(after)
        } else if faults.strikes(Fault::Transient) {
            Fate::Fails(after, Failure::Transient)
        } else if faults.strikes(Fault::Throttled) {
            Fate::Fails(Duration::ZERO, Failure::Throttled(Duration::from_secs_f64(rng.unit() * 0.03)))
        } else if faults.strikes(Fault::Permanent) {
            Fate::Fails(after, Failure::Permanent)
        } else {
            Fate::Answers(after)
        }
    }
}

impl Service<Request> for Provider {
    type Response = Reply;
    type Error = Failure;
    type Future = Response;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(if self.faults.strikes(Fault::NotReady) { Err(Failure::NotReady) } else { Ok(()) })
    }

    fn call(&mut self, request: Request) -> Response {
        self.answer(request)
    }
}

/// What a result says to retries and hedges.
pub(super) fn judge(result: &Result<Reply, Failure>) -> Verdict {
    match result {
        Ok(_) => Verdict::success(),
        Err(Failure::Transient | Failure::NotReady | Failure::Late) => Verdict::transient(),
        Err(Failure::Throttled(delay)) => Verdict::throttled().not_before(*delay),
        Err(Failure::Permanent) => Verdict::permanent(),
    }
}

/// What a result says to a breaker.
pub(super) fn health(result: &Result<Reply, Failure>) -> breaker::Verdict {
    match result {
        Ok(_) | Err(Failure::Permanent) => breaker::Verdict::success(),
        Err(Failure::Throttled(delay)) => breaker::Verdict::failure().not_before(*delay),
        Err(Failure::Transient | Failure::NotReady | Failure::Late) => breaker::Verdict::failure(),
    }
}
