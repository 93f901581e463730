//! A schedule whose shape is chosen when the program runs.

use core::{iter::FusedIterator, time::Duration};

use super::{Constant, Decorrelated, Delays, Exponential, Fibonacci, Linear, curve};

/// One of the schedules, chosen at run time: from a configuration file, say (feature `serde`).
///
/// ```
/// use evenkeel_backoff::{AnySchedule, Exponential, Jitter, Linear};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let schedules: [AnySchedule; 2] =
///     [Exponential::new(ms(10)).jitter(Jitter::None).into(), Linear::new(ms(10), ms(1)).jitter(Jitter::None).into()];
/// let third = schedules.map(|schedule| schedule.into_iter().nth(2));
/// assert_eq!(third, [Some(ms(40)), Some(ms(12))]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnySchedule {
    /// The same delay each time.
    Constant(Constant),
    /// One step longer each time.
    Linear(Linear),
    /// A factor longer each time.
    Exponential(Exponential),
    /// The sum of the two before.
    Fibonacci(Fibonacci),
    /// Drawn between the first delay and three times the one before.
    Decorrelated(Decorrelated),
}

/// The delays of one session of an [`AnySchedule`].
#[derive(Clone, Debug)]
pub struct AnyDelays(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Constant(Delays<curve::Constant>),
    Linear(Delays<curve::Linear>),
    Exponential(Delays<curve::Exponential>),
    Fibonacci(Delays<curve::Fibonacci>),
    Decorrelated(Delays<curve::Decorrelated>),
}

impl IntoIterator for AnySchedule {
    type Item = Duration;
    type IntoIter = AnyDelays;

    #[inline]
    fn into_iter(self) -> AnyDelays {
        AnyDelays(match self {
            Self::Constant(schedule) => Inner::Constant(schedule.into_iter()),
            Self::Linear(schedule) => Inner::Linear(schedule.into_iter()),
            Self::Exponential(schedule) => Inner::Exponential(schedule.into_iter()),
            Self::Fibonacci(schedule) => Inner::Fibonacci(schedule.into_iter()),
            Self::Decorrelated(schedule) => Inner::Decorrelated(schedule.into_iter()),
        })
    }
}

impl Iterator for AnyDelays {
    type Item = Duration;

    #[inline]
    fn next(&mut self) -> Option<Duration> {
        match &mut self.0 {
            Inner::Constant(delays) => delays.next(),
            Inner::Linear(delays) => delays.next(),
            Inner::Exponential(delays) => delays.next(),
            Inner::Fibonacci(delays) => delays.next(),
            Inner::Decorrelated(delays) => delays.next(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Inner::Constant(delays) => delays.size_hint(),
            Inner::Linear(delays) => delays.size_hint(),
            Inner::Exponential(delays) => delays.size_hint(),
            Inner::Fibonacci(delays) => delays.size_hint(),
            Inner::Decorrelated(delays) => delays.size_hint(),
        }
    }
}

impl FusedIterator for AnyDelays {}

macro_rules! from_schedule {
    ($($schedule:ident)*) => {$(
        impl From<$schedule> for AnySchedule {
            fn from(schedule: $schedule) -> Self {
                Self::$schedule(schedule)
            }
        }
    )*};
}

from_schedule!(Constant Linear Exponential Fibonacci Decorrelated);
