//! Which of the alternates are worth asking now.

/// Knows which of the alternates are worth asking now, by their place. Any `Fn(usize) -> bool` does. It is cloned for
/// each request.
pub trait Available {
    /// Whether to ask the one at that place, from 0.
    fn is_available(&self, place: usize) -> bool;
}

impl<F: Fn(usize) -> bool> Available for F {
    fn is_available(&self, place: usize) -> bool {
        self(place)
    }
}

/// Each is: the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EachAvailable;

impl Available for EachAvailable {
    fn is_available(&self, _: usize) -> bool {
        true
    }
}

/// Those of `count` that are not in the set `passed` and are available. Where none at all is available, that is not heeded.
pub(super) fn left(health: &impl Available, count: usize, passed: u64) -> u64 {
    let left = (u64::MAX >> (u64::BITS - count as u32)) & !passed;
    match (0..count).filter(|place| health.is_available(*place)).fold(0, |set, place| set | 1 << place) {
        0 => left,
        available => left & available,
    }
}

/// The first of `count` that is not in the set `passed` and is available; none if no other is. Where none at all is available,
/// that is not heeded.
pub(super) fn next(health: &impl Available, count: usize, passed: u64) -> Option<usize> {
    let is_left = |place: &usize| passed & 1 << place == 0;
    let is_available = |place: &usize| health.is_available(*place);
    let mut left = (0..count).filter(is_left);
    match left.clone().find(is_available) {
        Some(place) => Some(place),
        None if passed == 0 || !(0..count).any(|place| is_available(&place)) => left.next(),
        None => None,
    }
}
