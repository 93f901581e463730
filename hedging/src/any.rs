//! Delays whose kind is chosen when the program runs.

use std::{
    iter,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{AtOnce, Delays, End, Every, NEVER, OnFailure, Quantile};

/// Any of the [`Delays`], chosen at run time: from a configuration file, say (feature `serde`).
///
/// Cloning is one reference count at most; the clones of an estimate are that estimate.
///
/// ```
/// use evenkeel_hedging::{AnyDelays, Delays, Every, Quantile};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let delays: [AnyDelays; 3] = [Every(ms(30)).into(), [ms(10), ms(20)].into(), Quantile::p95().into()];
/// let second = delays.each_ref().map(|delays| delays.session().nth(1));
/// assert_eq!(second, [Some(ms(30)), Some(ms(20)), Some(evenkeel_hedging::NEVER)]);
/// assert!(delays[2].quantile().is_some_and(|p95| p95.threshold().is_none()), "it is not warm yet");
/// ```
#[derive(Clone, Debug)]
pub struct AnyDelays(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Every(Duration),
    Each(Arc<[Duration]>),
    Quantile(Quantile),
}

/// The delays of one request, of an [`AnyDelays`].
#[derive(Clone, Debug)]
pub struct AnySession(Session);

#[derive(Clone, Debug)]
enum Session {
    Every(iter::Repeat<Duration>),
    Each { delays: Arc<[Duration]>, next: usize },
}

impl AnyDelays {
    /// The estimate that they are from, if they are: to look at its [`snapshot`](Quantile::snapshot), or to show its threshold.
    #[must_use]
    pub const fn quantile(&self) -> Option<&Quantile> {
        match &self.0 {
            Kind::Quantile(quantile) => Some(quantile),
            Kind::Every(_) | Kind::Each(_) => None,
        }
    }
}

impl Delays for AnyDelays {
    type Session = AnySession;
    type Started = Option<Instant>;

    fn session(&self) -> AnySession {
        AnySession(match &self.0 {
            Kind::Every(delay) => Session::Every(iter::repeat(*delay)),
            Kind::Each(delays) => Session::Each { delays: Arc::clone(delays), next: 0 },
            Kind::Quantile(quantile) => Session::Every(quantile.session()),
        })
    }

    /// Only an estimate reads its clock.
    fn start(&self) -> Option<Instant> {
        self.quantile().map(Quantile::start)
    }

    fn end(&self, started: Option<Instant>, end: End) {
        if let (Some(quantile), Some(started)) = (self.quantile(), started) {
            quantile.end(started, end);
        }
    }
}

impl Iterator for AnySession {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match &mut self.0 {
            Session::Every(delays) => delays.next(),
            Session::Each { delays, next } => {
                let delay = *delays.get(*next)?;
                *next += 1;
                Some(delay)
            }
        }
    }

    /// Exact, so that a request is not copied for an attempt that cannot follow.
    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Session::Every(delays) => delays.size_hint(),
            Session::Each { delays, next } => {
                let left = delays.len() - next;
                (left, Some(left))
            }
        }
    }
}

impl iter::FusedIterator for AnySession {}

impl From<Every> for AnyDelays {
    fn from(Every(delay): Every) -> Self {
        Self(Kind::Every(delay))
    }
}

impl From<OnFailure> for AnyDelays {
    fn from(_: OnFailure) -> Self {
        Self(Kind::Every(NEVER))
    }
}

impl From<AtOnce> for AnyDelays {
    fn from(_: AtOnce) -> Self {
        Self(Kind::Every(Duration::ZERO))
    }
}

/// One delay for each further attempt.
impl From<Vec<Duration>> for AnyDelays {
    fn from(delays: Vec<Duration>) -> Self {
        Self(Kind::Each(delays.into()))
    }
}

/// One delay for each further attempt.
impl<const N: usize> From<[Duration; N]> for AnyDelays {
    fn from(delays: [Duration; N]) -> Self {
        Self(Kind::Each(delays.into()))
    }
}

impl From<Quantile> for AnyDelays {
    fn from(quantile: Quantile) -> Self {
        Self(Kind::Quantile(quantile))
    }
}
