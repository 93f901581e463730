//! One session of a schedule: the iterator that draws its delays.

use core::{iter::FusedIterator, time::Duration};

use super::{Schedule, curve::Curve, nanos::Nanos};

/// The delays of one session of a [`Schedule`], in order.
///
/// A clone of one that has begun goes on with the same draws; a clone of one that has not begins a session of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays<C> {
    /// Moves on with each delay: the curve, the generator, and what is left of `within`.
    schedule: Schedule<C>,
}

impl<C: Curve> Delays<C> {
    pub(crate) fn new(schedule: Schedule<C>) -> Self {
        Self { schedule }
    }

    /// Delays of zero never use up what they may last together.
    fn is_endless(&self) -> bool {
        let limits = &self.schedule.limits;
        limits.within == Nanos::MAX
            || (limits.floor == Nanos::ZERO && (limits.cap == Nanos::ZERO || self.schedule.curve.is_zero()))
    }
}

impl<C: Curve> Iterator for Delays<C> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let Schedule { curve, limits } = &mut self.schedule;
        if limits.ended {
            return None;
        }
        let grown = curve.advance(limits.cap.0, |low, high| limits.random.between(low, high));
        let delay = limits.jitter.apply(grown, limits.floor.0, limits.cap.0, &mut limits.random);
        if limits.within != Nanos::MAX {
            match limits.within.0.checked_sub(delay) {
                Some(left) => limits.within = Nanos(left),
                None => {
                    limits.ended = true;
                    return None;
                }
            }
        }
        Some(Duration::from_nanos(delay))
    }

    /// `(usize::MAX, None)` says that it never ends.
    fn size_hint(&self) -> (usize, Option<usize>) {
        if self.schedule.limits.ended {
            (0, Some(0))
        } else if self.is_endless() {
            (usize::MAX, None)
        } else {
            (0, None)
        }
    }
}

impl<C: Curve> FusedIterator for Delays<C> {}
