//! Several threads that do the same thing to what they share, beside one.

use std::{
    fmt,
    hint::black_box,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::heap::{self, Count, Counted};

const THREADS: usize = 2;
/// For how long the threads work: all of them for as long, so that none is ever alone.
const SLICE: Duration = Duration::from_millis(2);
/// Operations between two looks at the clock, whose cost is lost among them.
const CHUNK: u64 = 256;
/// In how many chunks allocations are counted: the threads do some of them at the same time.
const COUNTED: u64 = 16;
/// How often it is measured again, while a busy machine does not let the threads run together.
const TRIES: usize = 20;
/// How many of those each measurement brings, for itself and for those after it: on a machine that is always busy a case takes at
/// most so many times as long again.
const BROUGHT: usize = 5;

/// Gets an operation ready in its thread, and hands over what does a chunk of them.
type Thread<'a> = Box<dyn Fn(&mut dyn FnMut(&mut dyn FnMut())) + Sync + 'a>;

/// One way to do an operation on state that threads share.
pub struct Shared<'a> {
    pub(super) name: &'static str,
    thread: Thread<'a>,
    state: Option<heap::State<'a>>,
}

impl<'a> Shared<'a> {
    /// Each thread calls `make` once for its own handle of what is shared, wrapped in the operation, which is given the number of
    /// the call in its chunk of 256.
    pub fn new<T, Op: FnMut(u64) -> T>(name: &'static str, make: impl Fn() -> Op + Sync + 'a) -> Self {
        let thread = move |run: &mut dyn FnMut(&mut dyn FnMut())| {
            let mut op = make();
            run(&mut || {
                for n in 0..CHUNK {
                    black_box(op(black_box(n)));
                }
            });
        };
        Self { name, thread: Box::new(thread), state: None }
    }

    /// What it keeps, made anew to be counted, once for all threads: its own size and what is on the heap once it is made.
    #[must_use]
    pub fn keeps<T>(mut self, make: impl Fn() -> T + 'a) -> Self {
        self.state = Some(heap::state(make));
        self
    }

    /// Allocations of an operation, of one thread and of each of two, and bytes kept between operations.
    pub(super) fn count(&self, count: Count) -> [Counted; 2] {
        let bytes = self.state.as_ref().map(|state| state(count));
        [1, THREADS].map(|threads| {
            let counted = self.in_threads(threads, |chunk, ready| {
                ready();
                // What is done at the first call alone is not counted.
                chunk();
                count(&mut || (0..COUNTED).for_each(|_| chunk())).count_total
            });
            let operations = counted.len() as u64 * COUNTED * CHUNK;
            Counted { allocs: counted.iter().sum::<u64>() as f64 / operations as f64, bytes }
        })
    }

    /// Nanoseconds that an operation takes each of so many threads. It takes of the tries what it needs.
    fn nanos(&self, threads: usize, tries: &mut usize) -> f64 {
        let mut measured = self.together(threads);
        for _ in 0..TRIES.min(*tries) {
            if measured.1 <= SLICE.mul_f64(1.2) {
                break;
            }
            *tries -= 1;
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
        let slices = self.in_threads(threads, |chunk, ready| {
            ready();
            let (start, mut done) = (Instant::now(), 0_u64);
            loop {
                chunk();
                done += CHUNK;
                let now = Instant::now();
                if now - start >= SLICE {
                    return (done, start, now);
                }
            }
        });
        let all = slices.into_iter().reduce(|a, b| (a.0 + b.0, a.1.min(b.1), a.2.max(b.2)));
        let (done, start, end) = all.expect("a thread");
        (done, end - start)
    }

    /// What each thread came to, which has what does a chunk and what waits until all are ready.
    fn in_threads<T: Send>(&self, threads: usize, run: impl Fn(&mut dyn FnMut(), &dyn Fn()) -> T + Sync) -> Vec<T> {
        let waited_for = AtomicUsize::new(threads);
        let ready = || {
            waited_for.fetch_sub(1, Ordering::AcqRel);
            // Waking one that sleeps takes too long.
            while waited_for.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        };
        let thread = &self.thread;
        let one = || {
            let mut came_to = None;
            thread(&mut |chunk| came_to = Some(run(chunk, &ready)));
            came_to.expect("it hands a chunk over")
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
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
    let mut tries = 0;
    for round in 0..rounds {
        for index in super::order(round, candidates.len()) {
            for (nanos, threads) in nanos[index].iter_mut().zip([1, THREADS]) {
                tries += BROUGHT;
                nanos.push(candidates[index].nanos(threads, &mut tries));
            }
        }
    }
    nanos
}
