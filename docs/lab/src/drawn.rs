//! A schedule with a jitter of its own in each session, as one that is not seeded has, and which replays all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::rng::Rng;

/// Seeds each session from the seed of the run and the session's number. One seed for the schedule itself would give all
/// requests the same waits, and they would come back together; a service leaves it unseeded.
///
/// ```
/// use evenkeel_backoff::Exponential;
/// use evenkeel_lab::drawn::Drawn;
/// use std::time::Duration;
///
/// let schedule = Exponential::new(Duration::from_secs(1)).take(4);
/// let run = || {
///     let drawn = Drawn::new(1, move |seed| schedule.clone().seed(seed));
///     [drawn.clone(), drawn].map(|session| session.into_iter().collect::<Vec<_>>())
/// };
/// let [first, second] = run();
/// assert_ne!(first, second);
/// assert_eq!([first, second], run());
/// ```
#[derive(Clone, Debug)]
pub struct Drawn<F> {
    seeded: F,
    seed: u64,
    sessions: Arc<AtomicU64>,
}

impl<S, F> Drawn<F>
where
    S: IntoIterator<Item = Duration>,
    F: Fn(u64) -> S,
{
    /// Sessions of the schedule that `seeded` makes of a seed; clones share the count of sessions.
    pub fn new(seed: u64, seeded: F) -> Self {
        Self { seeded, seed, sessions: Arc::default() }
    }
}

impl<S, F> IntoIterator for Drawn<F>
where
    S: IntoIterator<Item = Duration>,
    F: Fn(u64) -> S,
{
    type Item = Duration;
    type IntoIter = S::IntoIter;

    fn into_iter(self) -> S::IntoIter {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        (self.seeded)(Rng::keyed(&[self.seed, JITTER, session]).next_u64()).into_iter()
    }
}

/// Sets these draws apart from all others.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");
