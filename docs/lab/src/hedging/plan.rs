//! Which policies meet which services, and how they are run.

use std::{cell::RefCell, iter, rc::Rc, time::Duration};

use evenkeel_hedging::PolicyFor;

use super::{
    Policy, Row, Run, Scenario,
    cases::CASES,
    client::{Use, World, hedged},
    peer,
    queue::Queue,
    service::{Failed, Service},
    tally::Tally,
    time::{Paused, Time},
};
use crate::{rng::Rng, side_by_side};

/// What is run, and for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which luck arrivals and attempts have.
    pub seed: u64,
    /// How many requests of each row are measured, about.
    pub requests: u32,
    /// How many begin in a second, in the mean; above zero.
    pub per_second: f64,
    /// The rows, in their order.
    pub cases: Vec<(Scenario, Policy)>,
}

impl Plan {
    /// The experiment of the book.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let cases = CASES.iter().flat_map(|(scenario, policies)| policies.iter().map(|policy| (*scenario, *policy)));
        Self { seed, requests: 400_000, per_second: 1_000.0, cases: cases.collect() }
    }

    /// The figures of every policy, scenario by scenario.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        self.runs().into_iter().map(|run| run.row).collect()
    }

    /// The same with all that is known. Each row is a world of its own, so they are made side by side.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        side_by_side::each(&self.cases, |&(scenario, policy)| self.run(scenario, policy))
    }

    fn run(&self, scenario: Scenario, policy: Policy) -> Run {
        let tally = match policy.hedge.tower() {
            Some(settings) => self.on_tokio(scenario, |world| peer::begin(world, settings)),
            None => self.on_queue(scenario, policy),
        };
        Run::of(policy, scenario, tally)
    }

    fn on_queue(&self, scenario: Scenario, policy: Policy) -> Tally {
        let queue = Queue::new();
        let world = self.world(queue.clone(), scenario);
        policy.make(&queue, Queued { plan: self, world: &world });
        world.tally.replace(Tally::new(WARM_UP))
    }

    fn on_tokio<B, F>(&self, scenario: Scenario, begin: impl FnOnce(Rc<World<Paused>>) -> B) -> Tally
    where
        B: FnMut(u64) -> F,
        F: Future<Output = ()> + 'static,
    {
        let mut kept = None;
        Paused::run(self.arrivals(), |time| {
            let world = self.world(time, scenario);
            kept = Some(Rc::clone(&world));
            begin(world)
        });
        kept.map_or_else(|| Tally::new(WARM_UP), |world| world.tally.replace(Tally::new(WARM_UP)))
    }

    fn world<T: Time>(&self, time: T, scenario: Scenario) -> Rc<World<T>> {
        let service = Service { seed: self.seed, scenario, turn: WARM_UP };
        Rc::new(World { time, service, tally: RefCell::new(Tally::new(WARM_UP)) })
    }

    /// The times at which requests begin: those that are measured last as long as so many take in the mean.
    fn arrivals(&self) -> impl Iterator<Item = Duration> + use<> {
        let (mut gaps, mean) = (Rng::keyed(&[self.seed, ARRIVALS]), 1.0 / self.per_second);
        let end = WARM_UP.as_secs_f64() + f64::from(self.requests) * mean;
        let after = move |at: &f64| Some(at + gaps.exponential(mean));
        iter::successors(Some(0.0), after).skip(1).take_while(move |at| *at < end).map(Duration::from_secs_f64)
    }
}

/// Runs the requests of a policy on the queue.
struct Queued<'a> {
    plan: &'a Plan,
    world: &'a Rc<World<Queue>>,
}

impl Use<Queue> for Queued<'_> {
    fn with<P: PolicyFor<(), Failed> + 'static>(self, policy: P) {
        let policy = Rc::new(policy);
        let begin = |request| hedged(Rc::clone(self.world), Rc::clone(&policy), request);
        self.world.time.run(self.plan.arrivals(), begin);
    }
}

/// What begins in it is not measured; see the module.
const WARM_UP: Duration = Duration::from_secs(130);

/// Key of the arrivals, apart from those of the attempts, which are longer.
const ARRIVALS: u64 = 1;

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;
    use crate::hedging::{Detail, Hedging, Paying};

    type Begin = Box<dyn FnMut(u64) -> Pin<Box<dyn Future<Output = ()>>>>;

    /// Makes the requests of a policy on tokio's clock.
    struct OnTokio<'a> {
        world: Rc<World<Paused>>,
        begin: &'a mut Option<Begin>,
    }

    impl Use<Paused> for OnTokio<'_> {
        fn with<P: PolicyFor<(), Failed> + 'static>(self, policy: P) {
            let (world, policy) = (self.world, Rc::new(policy));
            let begin = move |request| Box::pin(hedged(Rc::clone(&world), Rc::clone(&policy), request)) as Pin<Box<_>>;
            *self.begin = Some(Box::new(begin));
        }
    }

    #[test]
    fn the_queue_and_the_paused_clock_of_tokio_give_the_same_figures() {
        for (scenario, policy) in [
            (Scenario::Headline, Policy { hedge: Hedging::P90x2, budget: Paying::Unlimited }),
            (Scenario::Failing, Policy { hedge: Hedging::P95, budget: Paying::Unlimited }),
            (Scenario::BrownOut, Policy { hedge: Hedging::P90, budget: Paying::Ratio }),
        ] {
            let plan = Plan { requests: 10_000, per_second: 100.0, ..Plan::new(1) };
            let queued = plan.run(scenario, policy);
            let tally = plan.on_tokio(scenario, |world| {
                let (time, mut begin) = (world.time, None);
                policy.make(&time, OnTokio { world, begin: &mut begin });
                begin.expect("what was made")
            });
            let on_tokio = Run::of(policy, scenario, tally);

            let (queued, on_tokio) = ((queued.row, queued.detail), (on_tokio.row, on_tokio.detail));
            assert_eq!(queued.0.requests, on_tokio.0.requests);
            // Tokio's timers are 10 µs late at most, which may tip a few requests over a threshold.
            let figures =
                |(row, detail): (Row, Detail)| [row.p50_ms, row.p99_ms, row.p999_ms, row.extra_load, detail.failed];
            for (queued, on_tokio) in figures(queued).into_iter().zip(figures(on_tokio)) {
                assert!((queued - on_tokio).abs() <= 0.02 * queued, "{queued} is not {on_tokio}");
            }
        }
    }
}
