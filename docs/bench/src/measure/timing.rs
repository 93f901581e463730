//! One thread: batches in turn.

use std::time::Duration;

use super::Candidate;

/// Long enough that reading the clock is lost in it, short enough that a candidate's turn comes often.
const BATCH: Duration = Duration::from_micros(100);

/// Nanoseconds of an operation of each candidate, in each round.
pub(crate) fn in_turn(candidates: &mut [Candidate<'_>], rounds: usize) -> Vec<Vec<f64>> {
    let times: Vec<u64> = candidates.iter_mut().map(|candidate| calibrate(candidate, rounds)).collect();
    let mut nanos = vec![Vec::with_capacity(rounds); candidates.len()];
    for round in 0..rounds {
        for index in super::order(round, candidates.len()) {
            let elapsed = candidates[index].time(times[index]);
            nanos[index].push(elapsed.as_secs_f64() * 1e9 / times[index] as f64);
        }
    }
    nanos
}

/// How many times fill a batch, as the fastest of a few says: one that another process interrupts would make all batches short.
fn calibrate(candidate: &mut Candidate<'_>, rounds: usize) -> u64 {
    // To see whether it runs, once is enough.
    if rounds > 1 { filling(|times| candidate.time(times)) } else { 1 }
}

fn filling(mut time: impl FnMut(u64) -> Duration) -> u64 {
    let mut times = 1;
    while (0..3).any(|_| time(times) < BATCH) {
        times *= 2;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_batch_does_not_make_all_batches_short() {
        let mut calls = 0;
        let times = filling(|times| {
            calls += 1;
            if calls == 1 { BATCH * 100 } else { Duration::from_nanos(100) * times as u32 }
        });
        assert_eq!(times, 1024);
    }
}
