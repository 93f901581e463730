//! One session of a schedule: the iterator that draws its delays.

use core::{iter::FusedIterator, time::Duration};

use super::{ENDLESS, Schedule, curve::Curve, nanos::Nanos};

/// The delays of one session of a [`Schedule`], in order.
///
/// A clone of one that has begun goes on with the same draws; a clone of one that has not begins a session of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays<C> {
    /// Moves on with each delay: the curve, the generator, and what is left of `within`.
    schedule: Schedule<C>,
}

impl<C: Curve> Delays<C> {
    #[inline]
    pub(crate) fn new(schedule: Schedule<C>) -> Self {
        Self { schedule }
    }

    /// Whether the number of delays alone can end it: delays of zero never use up what they may last together.
    #[inline]
    fn is_unbounded(&self) -> bool {
        let limits = &self.schedule.limits;
        limits.within == Nanos::MAX
            || (limits.floor == Nanos::ZERO && (limits.cap == Nanos::ZERO || self.schedule.curve.is_zero()))
    }
}

impl<C: Curve> Iterator for Delays<C> {
    type Item = Duration;

    #[inline(always)] // In the caller's loop, what the schedule is stays in registers, and what is known of it folds.
    fn next(&mut self) -> Option<Duration> {
        let Schedule { curve, limits } = &mut self.schedule;
        if limits.left == 0 {
            return None;
        }
        limits.left -= u32::from(limits.left < ENDLESS);
        let grown = curve.advance(limits.cap.0, |low, high| limits.random.between(low, high));
        let delay = limits.jitter.apply(grown, limits.floor.0, limits.cap.0, &mut limits.random);
        if limits.within != Nanos::MAX {
            match limits.within.0.checked_sub(delay) {
                Some(left) => limits.within = Nanos(left),
                None => {
                    limits.left = 0;
                    return None;
                }
            }
        }
        Some(Duration::from_nanos(delay))
    }

    /// An upper bound of `None` says that it never ends.
    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        match (self.schedule.limits.left, self.is_unbounded()) {
            (0, _) => (0, Some(0)),
            (ENDLESS, true) => (usize::MAX, None),
            // It ends, no one knows when.
            (ENDLESS, false) => (0, Some(usize::MAX)),
            (left, true) => (left as usize, Some(left as usize)),
            (left, false) => (0, Some(left as usize)),
        }
    }
}

impl<C: Curve> FusedIterator for Delays<C> {}
