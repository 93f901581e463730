//! A clock that is moved by hand, so that a window's traffic is what the chart says it is.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

/// Clones are the same clock. It costs a load: it is there in every line, and no system is asked.
#[derive(Clone, Debug)]
pub(super) struct Hand(Rc<Cell<Instant>>);

impl Hand {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Instant::now())))
    }

    /// What the libraries take for a clock.
    pub(super) fn reader(&self) -> impl Fn() -> Instant + Clone + use<> {
        let time = Rc::clone(&self.0);
        move || time.get()
    }

    /// Moves it on: what it shows then.
    pub(super) fn pass(&self, time: Duration) -> Instant {
        let now = self.0.get() + time;
        self.0.set(now);
        now
    }
}

/// Numbers below `n` in an order that no cache foresees.
pub(super) fn scattered(n: u64) -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Below `n`, so it fits.
        ((u128::from(state) * u128::from(n)) >> 64) as u64
    }
}
