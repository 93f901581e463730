//! Several threads that do the same thing to what they share, beside one.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

const THREADS: usize = 2;
/// For how long the threads work: all of them for as long, so that none is ever alone.
const SLICE: Duration = Duration::from_millis(2);
/// Operations between two looks at the clock, whose cost is lost among them.
const CHUNK: u64 = 256;
/// How often it is measured again, while a busy machine does not let the threads run together.
const TRIES: usize = 20;

/// What one thread does, which gets ready and then waits for the others: how many operations, from when to when.
type Slice<'a> = Box<dyn Fn(&dyn Fn()) -> (u64, Instant, Instant) + Sync + 'a>;

/// One way to do an operation on state that threads share.
pub struct Shared<'a> {
    pub(super) name: &'static str,
    slice: Slice<'a>,
}

impl<'a> Shared<'a> {
    /// Each thread calls `make` once for its own handle of what is shared, wrapped in the operation, which is given the number of
    /// the call in its chunk of 256.
    pub fn new<T, Op: FnMut(u64) -> T>(name: &'static str, make: impl Fn() -> Op + Sync + 'a) -> Self {
        let slice = move |ready: &dyn Fn()| {
            let mut op = make();
            ready();
            let (start, mut done) = (Instant::now(), 0_u64);
            loop {
                for n in 0..CHUNK {
                    black_box(op(black_box(n)));
                }
                done += CHUNK;
                let now = Instant::now();
                if now - start >= SLICE {
                    return (done, start, now);
                }
            }
        };
        Self { name, slice: Box::new(slice) }
    }

    /// Nanoseconds that an operation takes each of so many threads.
    fn nanos(&self, threads: usize) -> f64 {
        let mut measured = self.together(threads);
        for _ in 0..TRIES {
            if measured.1 <= SLICE.mul_f64(1.2) {
                break;
            }
            let again = self.together(threads);
            // Of none that was undisturbed, the one that was least.
            if again.1 < measured.1 {
                measured = again;
            }
        }
        measured.1.as_nanos() as f64 * threads as f64 / measured.0 as f64
    }

    /// How many operations they did, from when the first began to when the last ended.
    fn together(&self, threads: usize) -> (u64, Duration) {
        let waited_for = AtomicUsize::new(threads);
        let ready = || {
            waited_for.fetch_sub(1, Ordering::AcqRel);
            // Waking one that sleeps takes too long.
            while waited_for.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| (self.slice)(&ready))).collect();
            let all = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
            let (done, start, end) = all.reduce(|a, b| (a.0 + b.0, a.1.min(b.1), a.2.max(b.2))).expect("a thread");
            (done, end - start)
        })
    }
}

impl fmt::Debug for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Nanoseconds of an operation for each candidate with one thread and with two, one just after the other in each round.
pub(super) fn in_turn(candidates: &[Shared<'_>], rounds: usize) -> Vec<[Vec<f64>; 2]> {
    // A slice is longer than a batch.
    let rounds = rounds.div_ceil(3);
    let mut nanos = vec![[Vec::new(), Vec::new()]; candidates.len()];
    for round in 0..rounds {
        for index in super::order(round, candidates.len()) {
            nanos[index][0].push(candidates[index].nanos(1));
            nanos[index][1].push(candidates[index].nanos(THREADS));
        }
    }
    nanos
}
