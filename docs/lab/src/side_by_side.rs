//! Worlds that know nothing of each other, on as many threads as there are.

use std::{
    iter,
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `make` makes of each of the `items`, in their order, whoever was ready first.
///
/// ```
/// use evenkeel_lab::side_by_side;
///
/// assert_eq!(side_by_side::each(&[3, 1, 2], |n| n * 10), [30, 10, 20]);
/// ```
///
/// # Panics
///
/// When `make` does.
pub fn each<T: Sync, R: Send>(items: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let some = || {
        let places = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let items = places.map_while(|place| items.get(place).map(|item| (place, item)));
        items.map(|(place, item)| (place, make(item))).collect::<Vec<_>>()
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut made = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        // A panic of a world is one of the experiment.
        threads.into_iter().flat_map(|thread| thread.join().expect("a world panicked")).collect::<Vec<_>>()
    });
    made.sort_by_key(|(place, _)| *place);
    made.into_iter().map(|(_, made)| made).collect()
}
