//! Requests that come at a steady rate and overlap, and drive an estimate as the race does.

use std::{
    cell::Cell,
    cmp::Reverse,
    collections::BinaryHeap,
    rc::Rc,
    time::{Duration, Instant},
};

use evenkeel_hedging::{Delays, End, NEVER, Quantile};

use crate::{latencies::Latencies, support::origin};

type Clock = Box<dyn Fn() -> Instant>;

pub(crate) struct Traffic {
    estimate: Quantile<Clock>,
    now: Rc<Cell<Instant>>,
    /// When the first attempts end that are under way, when they began, and whether they are dropped.
    ends: BinaryHeap<Reverse<(Instant, Instant, bool)>>,
}

const EVERY: Duration = Duration::from_millis(1);

impl Traffic {
    pub(crate) fn new(share: f64) -> Self {
        let now = Rc::new(Cell::new(origin()));
        let clock: Clock = Box::new({
            let now = Rc::clone(&now);
            move || now.get()
        });
        Self { estimate: Quantile::builder(share).clock(clock).build().unwrap(), now, ends: BinaryHeap::new() }
    }

    /// Which share of so many requests has a second attempt.
    pub(crate) fn sent_twice(&mut self, requests: u32, latencies: &mut Latencies) -> f64 {
        let mut hedges = 0;
        for _ in 0..requests {
            let arrives = self.now.get() + EVERY;
            self.end_until(arrives);
            self.now.set(arrives);
            hedges += u32::from(self.request(latencies.request()));
        }
        f64::from(hedges) / f64::from(requests)
    }

    /// Whether it has a second attempt.
    fn request(&mut self, [first, second]: [Duration; 2]) -> bool {
        let delay = self.estimate.session().next().expect("it has no end");
        let started = self.estimate.start();
        let hedged = delay != NEVER && first > delay;
        let loses = hedged && delay + second < first;
        let lasts = if loses { delay + second } else { first };
        self.ends.push(Reverse((started + lasts, started, loses)));
        hedged
    }

    fn end_until(&mut self, time: Instant) {
        while let Some(&Reverse((at, started, loses))) = self.ends.peek() {
            if at > time {
                return;
            }
            self.ends.pop();
            self.now.set(at);
            self.estimate.end(started, if loses { End::Dropped } else { End::Succeeded });
        }
    }
}
