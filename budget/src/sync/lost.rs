//! What is done when another thread was faster: a pause, and once more.

/// Exchanges that were lost in a row.
///
/// Threads that try again at once take the word from each other at each step, and all are slow. Who waits after a loss leaves
/// it where it is, and the other makes several steps in a row: with two threads that do nothing else all are three times as
/// fast. The pause is short and bounded, and decides nothing.
#[derive(Debug, Default)]
pub(crate) struct Lost(u32);

impl Lost {
    /// 16 spins after the first, 64 after the third and each one more: a microsecond or so.
    const FIRST: u32 = 4;
    const LAST: u32 = 6;

    /// One more was lost.
    pub(crate) fn pause(&mut self) {
        let spins = 1_u32 << (Self::FIRST + self.0).min(Self::LAST);
        self.0 = (self.0 + 1).min(Self::LAST);
        // In a model time does not pass; a pause there would only hide interleavings.
        if cfg!(not(loom)) {
            (0..spins).for_each(|_| std::hint::spin_loop());
        }
    }
}

/// Exchanges what is loaded for what it is `to` become, or not if that is nothing; whether it was exchanged.
#[inline]
pub(crate) fn update<T: Copy>(
    load: impl Fn() -> T,
    exchange: impl Fn(T, T) -> bool,
    to: impl Fn(T) -> Option<T>,
) -> bool {
    let held = load();
    let Some(new) = to(held) else { return false };
    exchange(held, new) || update_again(load, exchange, to)
}

/// Another thread was faster, and may be so again.
#[cold]
fn update_again<T: Copy>(load: impl Fn() -> T, exchange: impl Fn(T, T) -> bool, to: impl Fn(T) -> Option<T>) -> bool {
    let mut lost = Lost::default();
    loop {
        lost.pause();
        let held = load();
        let Some(new) = to(held) else { return false };
        if exchange(held, new) {
            return true;
        }
    }
}
