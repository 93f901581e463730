//! The load: requests that begin when they begin, whatever became of those before them.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{sleep_until, timeout_at},
};

use super::{
    client::{Client, Request},
    provider::Provider,
    strategies::Strategy,
};
use crate::rng::Rng;

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it began, since the start of the incident: the time at which it was *meant* to begin, so that a pause of
    /// this program counts against the answer and is not overlooked.
    pub at: Duration,
    /// How long it took until the caller had a 2xx; none if it had another answer, or none within its patience.
    pub latency: Option<Duration>,
    /// Who answered with that.
    pub by: Option<Provider>,
}

/// The times at which requests begin: a Poisson process of `rps` requests a second over `length`.
#[must_use]
pub fn arrivals(seed: u64, rps: f64, length: Duration) -> Vec<Duration> {
    let mut draw = Rng::keyed(&[seed, ARRIVALS]);
    let mut at = 0.0;
    std::iter::from_fn(|| {
        at += draw.exponential(1.0 / rps);
        (at < length.as_secs_f64()).then(|| Duration::from_secs_f64(at))
    })
    .collect()
}

/// Begins a request at each of `arrivals`, has `strategy` answer it, and waits for the last.
pub async fn drive(
    strategy: &Arc<dyn Strategy>,
    client: &Arc<Client>,
    arrivals: &[Duration],
    patience: Duration,
) -> Vec<Record> {
    let mut requests = JoinSet::new();
    for (id, at) in (0..).zip(arrivals.iter().copied()) {
        sleep_until(client.start() + at).await;
        requests.spawn(one(Arc::clone(strategy), Request::new(id, Arc::clone(client)), at, client.start(), patience));
    }
    let mut records = requests.join_all().await;
    records.sort_by_key(|record| record.at);
    records
}

async fn one(
    strategy: Arc<dyn Strategy>,
    request: Request,
    at: Duration,
    start: tokio::time::Instant,
    patience: Duration,
) -> Record {
    let begun = start + at;
    let answer = timeout_at(begun + patience, strategy.answer(&request)).await;
    let latency = begun.elapsed();
    match answer {
        Ok(Ok(response)) if response.status().is_success() => {
            Record { at, latency: Some(latency), by: response.extensions().get().copied() }
        }
        Ok(_) | Err(_) => Record { at, latency: None, by: None },
    }
}

/// Sets the draws of the arrivals apart from those of the service, which have three keys.
const ARRIVALS: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_the_rate_that_was_asked_for() {
        let all = arrivals(1, 200.0, Duration::from_secs(100));
        assert!((19_000..21_000).contains(&all.len()), "{} of about 20,000", all.len());
        assert!(all.is_sorted());
        assert!(all.iter().all(|at| *at < Duration::from_secs(100)));
    }

    #[test]
    fn arrivals_replay_by_seed() {
        let of = |seed| arrivals(seed, 50.0, Duration::from_secs(1));
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }
}
