//! What this workspace offers, put together as its README recommends: short jittered waits, the server's hints, a limit
//! for each attempt and for all of them, and a budget that all requests share.
//!
//! To ask a model twice does no harm, so whatever is transient is sent again, and not only what surely was not processed.

use std::{io, time::Duration};

use evenkeel_backoff::{Costs, Exponential, Retry, TokenBudget, http::classify};
use tokio::time::{Instant, sleep};

use super::{Answering, Setup, Strategy};
use crate::{
    demo::{client::Request, incident::compressed},
    rng::Rng,
};

#[derive(Debug)]
pub(super) struct Evenkeel {
    setup: Setup,
    budget: TokenBudget,
}

impl Evenkeel {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { setup: *setup, budget: TokenBudget::new(capacity(setup.rps), Costs::REVISION_2026) }
    }
}

/// The waits before retries, in real life: 50 ms, doubled up to 5 s, each with full jitter.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
const RETRIES: usize = 4;

/// For one attempt, in real life: twice what a slow answer takes. Less would throw away work that is nearly done.
const ATTEMPT: Duration = Duration::from_secs(10);

impl Strategy for Evenkeel {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        let schedule = Exponential::new(compressed(FIRST_DELAY))
            .cap(compressed(LONGEST_DELAY))
            // By the request, so that a run replays; a service would leave it unseeded.
            .seed(Rng::keyed(&[self.setup.seed, JITTER, request.id()]).next_u64())
            .take(RETRIES);
        let retry = Retry::new(schedule, sleep)
            .when(classify)
            .budget(self.budget.clone())
            .deadline(self.setup.patience)
            .attempt_timeout(compressed(ATTEMPT), || io::ErrorKind::TimedOut.into())
            // Tokio's, which the tests pause.
            .clock(|| Instant::now().into_std());
        Box::pin(async move { retry.run(|_| request.send()).await })
    }
}

/// The default is for a client of some 200 requests a second. Where there are fewer, as much would be more than a
/// hiccup's worth of retries; but one is always allowed for.
fn capacity(rps: f64) -> u32 {
    let scaled = f64::from(TokenBudget::DEFAULT_CAPACITY) * rps / 200.0;
    (scaled as u32).max(Costs::REVISION_2026.transient)
}

/// Sets the seeds of the jitter apart from all other draws.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");
