//! All clients of a case, and their requests.

use std::{rc::Rc, time::Duration};

use tokio::task;

use super::{
    Plan, Run, Scenario, Strategy,
    backends::Backends,
    client::client,
    tally::{Tally, Times},
};
use crate::{paused::Paused, rng::Rng};

/// Runs the fleet through the calm, the fault and what is after.
pub(super) fn run(plan: &Plan, scenario: Scenario, strategy: Strategy) -> Run {
    let times = Times { fault: plan.calm..plan.calm + plan.fault, end: plan.calm + plan.fault + plan.after };
    let tally = Rc::new(Tally::default());
    Paused::run(SCALE, async |time| {
        let backends = Rc::new(Backends { seed: plan.seed, scenario, fault: times.fault.clone() });
        for number in 0..plan.clients.into() {
            let client = Rc::new(client(number, strategy, time, Rc::clone(&backends), Rc::clone(&tally)));
            let (end, mean) = (times.end, 1.0 / plan.per_second);
            let mut gaps = Rng::keyed(&[plan.seed, number, ARRIVALS]);
            task::spawn_local(async move {
                let mut at = Duration::from_secs_f64(gaps.exponential(mean));
                let mut requests = 0..;
                while at < end {
                    time.sleep_until(at).await;
                    let (client, request) = (Rc::clone(&client), requests.next());
                    task::spawn_local(async move { client.request(request.unwrap_or(u64::MAX)).await });
                    at += Duration::from_secs_f64(gaps.exponential(mean));
                }
            });
        }
    });
    Run::of(scenario, strategy, &times, &tally)
}

/// Timers are exact to 10 µs.
const SCALE: u32 = 100;

/// Sets these draws apart from all others.
const ARRIVALS: u64 = u64::from_be_bytes(*b"arrivals");
