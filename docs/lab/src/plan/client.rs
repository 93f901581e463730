//! The clients of a fleet: each with a policy of its own, from the configuration, made of the real crates.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::Future,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_backoff::{AnySchedule, RetryConfig, Verdict};
use evenkeel_breaker::{Breaker, BreakerObserver, Error, State, Transition};
use evenkeel_budget::{AnyBudget, Unlimited};

use super::{Policy, facts::Guard, watch::Watch};
use crate::{
    drawn::Drawn,
    fleet::{Client, Failed, World},
    paused::Paused,
    rng::Rng,
};

/// What all clients may do together: a policy without a limit would never come to an end.
#[derive(Debug)]
pub(super) struct Limits {
    /// How many attempts may still be sent.
    pub(super) left: Cell<u64>,
    /// After that time nobody looks any more.
    pub(super) until: Duration,
    /// What they have sent.
    pub(super) watch: RefCell<Watch>,
}

/// When the breaker of a client first opened, in the outage or after it; since the start.
#[derive(Debug)]
pub(super) struct Opened {
    time: Paused,
    from: Duration,
    at: Cell<Option<Duration>>,
}

impl Opened {
    pub(super) fn new(time: Paused, from: Duration) -> Rc<Self> {
        Rc::new(Self { time, from, at: Cell::new(None) })
    }

    pub(super) fn at(&self) -> Option<Duration> {
        self.at.get()
    }
}

impl BreakerObserver for Opened {
    fn on_transition(&self, transition: &Transition) {
        let now = self.time.now();
        if transition.to == State::Open && now >= self.from && self.at.get().is_none() {
            self.at.set(Some(now));
        }
    }
}

/// Why an attempt has no answer.
#[derive(Clone, Copy, Debug)]
enum Why {
    Failed,
    /// Nobody looks any more.
    Enough,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "failed",
            Self::Enough => "enough",
        })
    }
}

impl std::error::Error for Why {}

impl From<Failed> for Why {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}

/// One attempt, no more.
pub(super) fn none(limits: &Rc<Limits>, time: Paused) -> Box<dyn Client> {
    naive(limits, 1, time)
}

/// So many attempts, each as soon as the one before has failed.
pub(super) fn naive(limits: &Rc<Limits>, attempts: u32, time: Paused) -> Box<dyn Client> {
    let limits = Rc::clone(limits);
    Box::new(move |world: Rc<World>| {
        let (limits, begun) = (Rc::clone(&limits), time.now());
        async move {
            for _ in 0..attempts {
                if send(&world, &limits, (time, begun)).await.is_ok() {
                    return true;
                }
            }
            false
        }
    })
}

/// A client with this policy; another `seed` is another client.
pub(super) fn configured(
    policy: &Policy,
    seed: u64,
    (time, limits, opened): (Paused, &Rc<Limits>, Rc<Opened>),
) -> Box<dyn Client> {
    let budget = policy.budget.as_ref().map_or_else(|| Unlimited.into(), |budget| budget.build_with_clock(now));
    let breaker = guard(policy, seed, opened);
    let hedge = policy.hedge.as_ref();
    let hedge = hedge.map(|hedge| hedge.policy_with_clock(time.sleeper(), now).when(again).budget(budget.clone()));
    let retry = Retrying { config: policy.retry, budget, seed, requests: Cell::new(0) };
    let shared = Rc::new((retry, hedge, breaker, Rc::clone(limits)));
    Box::new(move |world: Rc<World>| {
        let (shared, begun) = (Rc::clone(&shared), time.now());
        async move {
            let (retry, hedge, breaker, limits) = &*shared;
            let attempt = |_| async {
                match breaker {
                    Some(breaker) => breaker.call(send(&world, limits, (time, begun))).await,
                    None => send(&world, limits, (time, begun)).await.map_err(Error::Inner),
                }
            };
            let round = |_| async {
                match hedge {
                    Some(hedge) => hedge.run(attempt).await,
                    None => attempt(0).await,
                }
            };
            retry.run(time, round).await.is_ok()
        }
    })
}

/// The part of a client that tries again.
struct Retrying {
    config: Option<RetryConfig>,
    budget: AnyBudget,
    seed: u64,
    requests: Cell<u64>,
}

impl Retrying {
    async fn run<Fut>(&self, time: Paused, mut round: impl FnMut(u32) -> Fut) -> Result<(), Error<Why>>
    where
        Fut: Future<Output = Result<(), Error<Why>>>,
    {
        let Some(mut config) = self.config else { return round(0).await };
        let request = self.requests.replace(self.requests.get() + 1);
        config.schedule = seeded(config.schedule, self.seed, request);
        let policy = config.policy(time.sleeper(), || Error::Inner(Why::Failed)).clock(now).when(again);
        policy.budget(&self.budget).run(round).await
    }
}

type Own = Breaker<fn() -> Instant, Rc<Opened>>;

fn guard(policy: &Policy, seed: u64, opened: Rc<Opened>) -> Option<Own> {
    let (config, facts): (_, &Guard) = policy.breaker.as_ref().zip(policy.facts.guard.as_ref())?;
    let mut builder = config.builder();
    if facts.open_for.seeded(0).is_ok() {
        // The file's own times, with a luck that replays.
        let open_for = facts.open_for.clone();
        builder = builder.open_for(Drawn::new(seed, move |seed| open_for.seeded(seed).unwrap_or_default()));
    }
    // It was read with these settings.
    Some(builder.clock(now as fn() -> Instant).observe(opened).build().expect("it was built when it was read"))
}

/// One attempt of a request that began then.
async fn send(world: &World, limits: &Limits, (time, begun): (Paused, Duration)) -> Result<(), Why> {
    let now = time.now();
    if now > limits.until {
        return Err(Why::Enough);
    }
    limits.left.set(limits.left.get().checked_sub(1).ok_or(Why::Enough)?);
    limits.watch.borrow_mut().sent(begun, now);
    Ok(world.attempt().await?)
}

/// Not when the breaker has rejected it: it says when, and it is not soon.
fn again(result: &Result<(), Error<Why>>) -> Verdict {
    match result {
        Ok(()) => Verdict::success(),
        Err(Error::Inner(Why::Failed)) => Verdict::transient(),
        Err(Error::Open(_) | Error::Inner(Why::Enough)) => Verdict::permanent(),
    }
}

/// With a luck of the request's own, as a schedule without a seed has it, and which replays all the same.
fn seeded(schedule: AnySchedule, client: u64, request: u64) -> AnySchedule {
    let seed = Rng::keyed(&[client, JITTER, request]).next_u64();
    match schedule {
        AnySchedule::Constant(plain) => plain.seed(seed).into(),
        AnySchedule::Linear(plain) => plain.seed(seed).into(),
        AnySchedule::Exponential(plain) => plain.seed(seed).into(),
        AnySchedule::Fibonacci(plain) => plain.seed(seed).into(),
        AnySchedule::Decorrelated(plain) => plain.seed(seed).into(),
        other => other,
    }
}

/// Sets these draws apart from all others.
const JITTER: u64 = u64::from_be_bytes(*b"delays  ");

/// Tokio's time, which is paused.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use evenkeel_backoff::Exponential;

    use super::*;

    #[test]
    fn each_client_and_each_request_has_delays_of_its_own_which_replay() {
        let plain: AnySchedule = Exponential::new(Duration::from_secs(1)).into();
        let delays = |client, request| seeded(plain, client, request).into_iter().take(4).collect::<Vec<_>>();
        assert_eq!(delays(1, 1), delays(1, 1));
        assert_ne!(delays(1, 1), delays(2, 1), "two clients");
        assert_ne!(delays(1, 1), delays(1, 2), "two requests");
    }
}
