//! How long to stay open: the default schedule, and the series that is drawn from any.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

/// Open times that double up to a cap, each with equal jitter: uniform between half of it and all of it.
///
/// A service that is down for seconds is back in use seconds after; one that is down for an hour is asked every few minutes.
/// The jitter keeps the clients of a fleet, whose breakers all opened at the same moment, from all coming back at one.
///
/// It is a schedule like any other: a cloneable value that iterates over `Duration`s. Unseeded, each session draws its own.
///
/// ```
/// use evenkeel_breaker::OpenTimes;
/// use std::time::Duration;
///
/// let times = OpenTimes::new(Duration::from_secs(1), Duration::from_secs(4));
/// let drawn: Vec<_> = times.into_iter().take(4).collect();
/// for (drawn, longest) in drawn.iter().zip([1, 2, 4, 4].map(Duration::from_secs)) {
///     assert!((longest / 2..=longest).contains(drawn));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTimes {
    first: Duration,
    cap: Duration,
    seed: Option<u64>,
}

impl OpenTimes {
    /// Up to `first`, then up to twice as long as before, up to `cap`; if that is shorter than `first`, always up to `cap`.
    #[must_use]
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, seed: None }
    }

    /// Draws the same jitter in each session, for a test or a replay: give each client of a fleet its own.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

/// 5 s, doubling up to 5 min: what [`Breaker::DEFAULT_FIRST_OPEN`](crate::Breaker::DEFAULT_FIRST_OPEN) and
/// [`Breaker::DEFAULT_LONGEST_OPEN`](crate::Breaker::DEFAULT_LONGEST_OPEN) say.
impl Default for OpenTimes {
    fn default() -> Self {
        Self::new(crate::Breaker::DEFAULT_FIRST_OPEN, crate::Breaker::DEFAULT_LONGEST_OPEN)
    }
}

impl IntoIterator for OpenTimes {
    type Item = Duration;
    type IntoIter = Drawn;

    fn into_iter(self) -> Drawn {
        let random = || RandomState::new().build_hasher().finish();
        Drawn { longest: nanos(self.first), cap: nanos(self.cap), state: self.seed.unwrap_or_else(random) }
    }
}

/// The iterator of [`OpenTimes`]. It does not end.
#[derive(Clone, Debug)]
pub struct Drawn {
    longest: u64,
    cap: u64,
    state: u64,
}

impl Iterator for Drawn {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let longest = self.longest.min(self.cap);
        self.longest = longest.saturating_mul(2);
        // A draw from 0 up to and with `longest − longest / 2`: the high half of a product, which fits.
        let spread = u128::from(longest - longest / 2) + 1;
        let drawn = (u128::from(self.draw()) * spread) >> 64;
        Some(Duration::from_nanos(longest / 2 + drawn as u64))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl Drawn {
    /// `SplitMix64`: Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators* (2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// In nanoseconds, held to 584 years.
pub(crate) const fn nanos(time: Duration) -> u64 {
    // In 64 bits: it is on the path of every call that looks at the clock.
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos() as u64)
}

/// A session of a schedule, begun anew when it is asked to be.
#[derive(Clone)]
pub(crate) struct Schedule(Arc<dyn Fn() -> Session + Send + Sync>);

type Session = Box<dyn Iterator<Item = Duration> + Send>;

impl Schedule {
    pub(crate) fn new<S>(schedule: S) -> Self
    where
        S: IntoIterator<Item = Duration> + Clone + Send + Sync + 'static,
        S::IntoIter: Send + 'static,
    {
        Self(Arc::new(move || Box::new(schedule.clone().into_iter().fuse())))
    }

    pub(crate) fn is_empty(&self) -> bool {
        (self.0)().next().is_none()
    }
}

/// The open times of one outage after the other.
pub(crate) struct Series {
    schedule: Schedule,
    session: Option<Session>,
    last: u64,
    /// The next one, where it was drawn already.
    ahead: Option<u64>,
}

impl Series {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, session: None, last: 0, ahead: None }
    }

    /// The next open time, in nanoseconds; where the schedule has ended, its last one again.
    pub(crate) fn next(&mut self) -> u64 {
        self.look_ahead();
        self.last = self.ahead.take().unwrap_or(self.last);
        self.last
    }

    /// Draws the next one before its time.
    pub(crate) fn look_ahead(&mut self) {
        if self.ahead.is_some() {
            return;
        }
        let session = self.session.get_or_insert_with(|| (self.schedule.0)());
        self.ahead = session.next().map(nanos);
    }

    /// The next one, if it was drawn; else the last.
    pub(crate) fn ahead(&self) -> u64 {
        self.ahead.unwrap_or(self.last)
    }

    /// The next one is the schedule's first.
    pub(crate) fn restart(&mut self) {
        (self.session, self.ahead) = (None, None);
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule")
    }
}
