//! A service that comes and goes.

use std::{ops::ControlFlow, time::Duration};

use serde::Serialize;

use super::{
    Plan,
    client::{Client, Event, Twist},
    ms, outage, rounded,
};
use crate::rng::Rng;

/// Up for so long, and then down.
pub(super) const UP: Duration = Duration::from_secs(10);
pub(super) const DOWN: Duration = Duration::from_secs(10);
const CYCLE: Duration = UP.saturating_add(DOWN);

/// A run of flaps is short, and one of them has much more luck in it than an outage: so many times the runs of a plan.
pub(super) const REPEATED: u32 = 5;

/// When it has flapped enough it is up for so long; then it goes down once more.
pub(super) const CALM: Duration = Duration::from_secs(15 * 60);

/// One cycle of a flapping service, up and then down, as a client lives through it; a mean over the runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cycle {
    /// `growing`: the library's, whose open times go on growing unless a close has lasted. `restarting`: after each
    /// close they begin with the first again.
    pub open_times: &'static str,
    /// Its number, from 1.
    pub cycle: u32,
    /// Whether it is the last one, which comes after a quarter of an hour in which the service was well.
    pub after_calm: bool,
    /// How long the breaker decided to stay open, on average over all times that it opened; none if it did not.
    pub open_time_ms: Option<f64>,
    /// Calls sent while the service was down.
    pub calls_wasted: f64,
    /// Calls rejected while it was up.
    pub rejected_while_up: f64,
}

pub(super) const NAMES: [&str; 2] = ["growing", "restarting"];

impl Plan {
    /// What becomes of each cycle, with open times that grow and with ones that start again.
    ///
    /// # Panics
    ///
    /// When there are no runs.
    #[must_use]
    pub fn flapping(&self) -> Vec<Cycle> {
        let of = |(twist, name)| {
            let runs: Vec<Vec<Seen>> = (0..self.runs * REPEATED).map(|run| self.flaps(twist, run)).collect();
            (0..=self.cycles).map(move |cycle| self.cycle(name, cycle, &runs))
        };
        [Twist::None, Twist::Restarting].into_iter().zip(NAMES).flat_map(of).collect()
    }

    fn cycle(&self, open_times: &'static str, cycle: u32, runs: &[Vec<Seen>]) -> Cycle {
        let all = runs.iter().map(|run| run[cycle as usize]).fold(Seen::default(), Seen::and);
        let mean = |sum: f64, of: u32| rounded(sum / f64::from(of));
        Cycle {
            open_times,
            cycle: cycle + 1,
            after_calm: cycle == self.cycles,
            open_time_ms: (all.opened > 0).then(|| mean(ms(all.open_for), all.opened)),
            calls_wasted: mean(all.wasted.into(), self.runs * REPEATED),
            rejected_while_up: mean(all.rejected.into(), self.runs * REPEATED),
        }
    }

    /// One run, cycle by cycle.
    fn flaps(&self, twist: Twist, run: u32) -> Vec<Seen> {
        let flapping = CYCLE * self.cycles;
        let last = flapping + CALM;
        let up = |at| if at < flapping { within_cycle(at) < UP } else { at < last };
        let number = |at: Duration| (at.as_nanos() / CYCLE.as_nanos()).min(self.cycles.into()) as usize;

        let mut seen = vec![Seen::default(); self.cycles as usize + 1];
        let luck = Rng::keyed(&[self.seed, FLAPPING, run.into()]).next_u64();
        let rules = |builder: super::client::Builder| {
            builder.consecutive_failures(outage::CONSECUTIVE).failure_rate(outage::RATE)
        };
        // The library's defaults.
        Client::new(rules, twist, luck).expect("rules that the breaker takes").run(up, |at, event| {
            if at >= last + DOWN {
                return ControlFlow::Break(());
            }
            seen[number(at)].count(event);
            ControlFlow::Continue(())
        });
        seen
    }
}

fn within_cycle(at: Duration) -> Duration {
    Duration::from_nanos((at.as_nanos() % CYCLE.as_nanos()) as u64)
}

/// What was seen of one cycle, or of that cycle in all runs.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    wasted: u32,
    rejected: u32,
    opened: u32,
    open_for: Duration,
}

impl Seen {
    fn count(&mut self, event: Event) {
        match event {
            Event::Sent { up, .. } => self.wasted += u32::from(!up),
            Event::Rejected { up } => self.rejected += u32::from(up),
            Event::Opened(time) => {
                self.opened += 1;
                self.open_for += time;
            }
            Event::Failed => {}
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            wasted: self.wasted + other.wasted,
            rejected: self.rejected + other.rejected,
            opened: self.opened + other.opened,
            open_for: self.open_for + other.open_for,
        }
    }
}

/// Sets these draws apart from those of the outages.
const FLAPPING: u64 = u64::from_be_bytes(*b"flapping");
