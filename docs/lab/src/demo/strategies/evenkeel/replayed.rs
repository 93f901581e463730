//! The waits of a run, which can be replayed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use evenkeel_backoff::Exponential;

use crate::rng::Rng;

/// A schedule that seeds each session anew, from the seed of the run and the session's number, so that a run replays.
/// One seed for the schedule itself would give all requests the same waits, and they would come back together; a
/// service leaves it unseeded.
#[derive(Clone, Debug)]
pub(super) struct Replayed {
    schedule: Exponential,
    seed: u64,
    sessions: Arc<AtomicU64>,
}

impl Replayed {
    pub(super) fn new(schedule: Exponential, seed: u64) -> Self {
        Self { schedule, seed, sessions: Arc::default() }
    }
}

impl IntoIterator for Replayed {
    type Item = Duration;
    type IntoIter = <Exponential as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        self.schedule.seed(Rng::keyed(&[self.seed, JITTER, session]).next_u64()).into_iter()
    }
}

/// Sets these draws apart from all others.
const JITTER: u64 = u64::from_be_bytes(*b"jitter  ");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_waits_of_its_own_and_a_run_replays_them() {
        let schedule = Exponential::new(Duration::from_secs(1)).take(4);
        let run = || {
            let schedule = Replayed::new(schedule, 1);
            [schedule.clone(), schedule].map(|session| session.into_iter().collect::<Vec<_>>())
        };
        let [first, second] = run();
        assert_ne!(first, second);
        assert_eq!([first, second], run());
    }
}
