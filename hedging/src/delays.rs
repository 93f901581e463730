//! When further attempts are due, and who hears how long the first one took.

use std::{iter, time::Duration};

/// When further attempts of a request are due: a schedule, or an estimate such as [`Quantile`](crate::Quantile).
///
/// Any `IntoIterator<Item = Duration>` that is `Clone` does, each iteration one request: an array, [`Every`], a schedule of
/// `evenkeel-backoff`. (A `Vec` is cloned for each request, which is an allocation; an array is none.) A delay counts from the attempt before it, and how many there are is how many further attempts there
/// can be. `Duration::ZERO` sends the next at once, [`NEVER`] only when one has failed.
///
/// Write the trait yourself for an estimate of your own.
pub trait Delays {
    /// The delays of one request.
    type Session: Iterator<Item = Duration>;
    /// When its first attempt began to be waited for, where that is of interest.
    type Started;

    /// One request begins.
    fn session(&self) -> Self::Session;

    /// Its first attempt is found pending now: the first delay begins. Not called for one that answers at once.
    fn start(&self) -> Self::Started;

    /// Its first attempt, which was started, has ended or is given up.
    fn end(&self, started: Self::Started, end: End);
}

/// How the first attempt of a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It succeeded.
    Succeeded,
    /// It failed: how long a success would have taken is not known.
    Failed,
    /// It was dropped, because another attempt had answered or the caller had gone: it would have taken longer.
    Dropped,
}

/// As a delay: the time alone never sends the next attempt, a failure does.
pub const NEVER: Duration = Duration::MAX;

impl<S: Clone + IntoIterator<Item = Duration>> Delays for S {
    type Session = S::IntoIter;
    type Started = ();

    fn session(&self) -> S::IntoIter {
        self.clone().into_iter()
    }

    fn start(&self) {}

    fn end(&self, (): (), _: End) {}
}

/// The same delay before each further attempt, without end: [`max_attempts`](crate::Hedge::max_attempts) says how many.
///
/// ```
/// use evenkeel_hedging::Every;
/// use std::time::Duration;
///
/// let delay = Duration::from_millis(30);
/// assert!(Every(delay).into_iter().take(3).eq([delay; 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Every(pub Duration);

impl IntoIterator for Every {
    type Item = Duration;
    type IntoIter = iter::Repeat<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        iter::repeat(self.0)
    }
}

/// Never by time: the next attempt is sent when one has failed, at once. Sequential failover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OnFailure;

impl IntoIterator for OnFailure {
    type Item = Duration;
    type IntoIter = iter::Repeat<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        iter::repeat(NEVER)
    }
}

/// All at once: the first answer wins. It multiplies the load by the number of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AtOnce;

impl IntoIterator for AtOnce {
    type Item = Duration;
    type IntoIter = iter::Repeat<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        iter::repeat(Duration::ZERO)
    }
}
