//! One client: a balancer over the backends, and the real crates around it.

use std::{
    cell::Cell,
    num::NonZeroUsize,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use evenkeel_backoff::{self as backoff, Exponential, Retry};
use evenkeel_breaker::{Abandoned, Breaker, BreakerMap, BreakerObserver, Error, OpenTimes, State, Transition};
use evenkeel_budget::RatioBudget;
use evenkeel_hedging::{self as hedging, Hedge, Quantile};

use super::{
    Strategy,
    backends::{ATTEMPT, Attempt, BACKENDS, BAD, Backends},
    tally::Tally,
};
use crate::{drawn::Drawn, paused::Paused, rng::Rng};

/// Why an attempt has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// 503.
    Refused,
    /// It was given up.
    TimedOut,
    /// The breaker rejected it, and it was not sent.
    Rejected,
}

/// What a client has, and keeps from one request to the next.
#[derive(Debug)]
pub(super) struct Client<R, H, K> {
    number: u64,
    time: Paused,
    backends: Rc<Backends>,
    tally: Rc<Tally>,
    retry: Option<R>,
    hedge: Option<H>,
    breakers: Option<BreakerMap<usize, K, Opened>>,
}

/// One request, and where it was sent so far.
struct Request {
    number: u64,
    attempts: Cell<u64>,
    asked: Cell<[bool; BACKENDS]>,
}

/// Makes the client of this number.
pub(super) fn client(
    number: u64,
    strategy: Strategy,
    time: Paused,
    backends: Rc<Backends>,
    tally: Rc<Tally>,
) -> Client<impl backoff::PolicyFor<(), Failed>, impl hedging::PolicyFor<(), Failed>, impl Fn() -> Instant + Clone> {
    let seed = |of| Rng::keyed(&[backends.seed, number, of]).next_u64();
    let budget = RatioBudget::builder().ratio(0.2).min_per_second(1).clock(time.clock()).build().expect(IN_RANGE);

    let schedule = Exponential::new(FIRST_DELAY).cap(LONGEST_DELAY).take(RETRIES);
    let retry = Retry::new(Drawn::new(seed(WAITS), move |seed| schedule.seed(seed)), time.sleeper())
        .budget(budget.clone())
        .deadline(PATIENCE)
        .clock(time.clock());

    let late = Quantile::builder(0.95).clock(time.clock()).build().expect(IN_RANGE);
    let hedge = Hedge::new(late, time.sleeper()).budget(budget);

    Client {
        number,
        time,
        retry: strategy.retries().then_some(retry),
        hedge: strategy.hedges().then_some(hedge),
        breakers: strategy.has_breakers().then(|| breakers(strategy, time.clock(), seed(OPENING), &tally)),
        backends,
        tally,
    }
}

/// A client asks a backend once a second, so it has to decide on few results: five failures in a row, or five slow ones
/// of the last ten.
fn breakers<K>(strategy: Strategy, clock: K, seed: u64, tally: &Tally) -> BreakerMap<usize, K, Opened>
where
    K: Fn() -> Instant + Clone,
{
    let abandoned = match strategy {
        Strategy::AllUnheard => Abandoned::Ignored,
        Strategy::None | Strategy::Retry | Strategy::Hedge | Strategy::Breaker | Strategy::All => {
            Abandoned::FailureAfter(LATE)
        }
    };
    let each = Breaker::builder()
        .consecutive_failures(5)
        .failure_rate(0.8)
        .slow_calls(SLOW, 0.5)
        .count_window(10)
        .minimum_calls(10)
        .open_for(OpenTimes::new(FIRST_OPEN, LONGEST_OPEN).seed(seed))
        .probe_timeout(ATTEMPT)
        .abandoned(abandoned)
        .clock(clock);
    let opened = Arc::clone(&tally.opened_well);
    BreakerMap::builder(const { NonZeroUsize::new(BACKENDS).unwrap() }, each)
        .observe_each(move |&backend| Opened { is_well: backend != BAD, opened: Arc::clone(&opened) })
        .build()
        .expect(IN_RANGE)
}

impl<R, H, K> Client<R, H, K>
where
    R: backoff::PolicyFor<(), Failed>,
    H: hedging::PolicyFor<(), Failed>,
    K: Fn() -> Instant + Clone,
{
    /// One request, from its beginning to the end of the client's patience.
    pub(super) async fn request(&self, number: u64) {
        let request = Request { number, attempts: Cell::new(0), asked: Cell::default() };
        let begun = self.time.now();
        let result = match &self.retry {
            Some(retry) => retry.run(|_| self.round(&request)).await,
            None => self.round(&request).await,
        };
        let took = self.time.now() - begun;
        self.tally.ended(begun, (result.is_ok() && took <= PATIENCE).then_some(took));
    }

    async fn round(&self, request: &Request) -> Result<(), Failed> {
        match &self.hedge {
            Some(hedge) => hedge.run(|_| self.attempt(request)).await,
            None => self.attempt(request).await,
        }
    }

    async fn attempt(&self, request: &Request) -> Result<(), Failed> {
        let attempt = Attempt { client: self.number, request: request.number, number: request.attempts.get() };
        request.attempts.set(attempt.number + 1);
        let backend = self.pick(request, attempt);
        let sent = async {
            self.tally.sent(self.time.now(), backend == BAD);
            self.backends.answer(self.time, backend, attempt).await
        };
        match &self.breakers {
            None => sent.await,
            Some(breakers) => breakers.breaker(&backend).call(sent).await.map_err(|error| match error {
                Error::Open(_) => Failed::Rejected,
                Error::Inner(failed) => failed,
            }),
        }
    }

    /// One at random, of those that this request has not asked and whose breaker lets it. Where there is none, the last
    /// looked at.
    fn pick(&self, request: &Request, attempt: Attempt) -> usize {
        let mut luck = attempt.luck(self.backends.seed, PICK);
        let mut asked = request.asked.get();
        let mut left: Vec<usize> = (0..BACKENDS).filter(|&backend| !asked[backend]).collect();
        let picked = loop {
            // Below the length: what is drawn is below 1. A request makes six attempts at most, so ten backends are not
            // all asked.
            let backend = left.swap_remove((luck.unit() * left.len() as f64) as usize);
            let is_admitted = self.breakers.as_ref().is_none_or(|breakers| breakers.check(&backend).is_ok());
            if is_admitted || left.is_empty() {
                break backend;
            }
        };
        asked[picked] = true;
        request.asked.set(asked);
        picked
    }
}

/// Counts how often breakers of backends that are well have opened.
#[derive(Debug)]
struct Opened {
    is_well: bool,
    opened: Arc<AtomicU32>,
}

impl BreakerObserver for Opened {
    fn on_transition(&self, transition: &Transition) {
        if self.is_well && transition.to == State::Open {
            self.opened.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How long a caller waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(1);
const RETRIES: usize = 2;

/// What a hedge has dropped after so long has failed. Shorter than the delay of any hedge, so that it is said of all.
const LATE: Duration = Duration::from_millis(40);

/// Ten times the median.
const SLOW: Duration = Duration::from_millis(200);

/// Shorter than by default, for there are nine others, and a probe of a backend that is still bad costs one request.
const FIRST_OPEN: Duration = Duration::from_secs(5);
const LONGEST_OPEN: Duration = Duration::from_secs(20);

/// Of constants.
const IN_RANGE: &str = "settings in their ranges";

/// Set these draws apart from all others.
const WAITS: u64 = u64::from_be_bytes(*b"waits   ");
const OPENING: u64 = u64::from_be_bytes(*b"open for");
const PICK: u64 = u64::from_be_bytes(*b"pick    ");
