//! What a fleet with a policy came to, beside one that does not try again and one that does so at once.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    panic,
    rc::Rc,
    thread,
    time::Duration,
};

use serde::Serialize;

use super::{
    Load, Policy, Refused,
    client::{Limits, Opened, configured, naive, none},
    human::{ms, rounded},
    timeline::{Moment, moments},
    watch::Watch,
};
use crate::{
    fleet::{Client, Outage, Service, Span, Tally, Traffic, World},
    paused::Paused,
    rng::Rng,
    stats::Latencies,
};

/// The figures of one fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// `none`, `naive`, or `yours`.
    pub policy: &'static str,
    /// Attempts of the requests that began in the outage, for each of them.
    pub amplification: f64,
    /// How many requests began in it.
    pub begun_during: u32,
    /// The most attempts that came to the service in any second from the begin of the outage on, in units of its capacity.
    pub peak_load: f64,
    /// The share of the requests that were answered, before the outage.
    pub answered_calm: f64,
    /// The share of all requests that were answered, from the begin of the outage to a minute after it.
    pub answered: f64,
    /// The share of those that began in the outage.
    pub answered_during: f64,
    /// The share of those that began in the minute after it.
    pub answered_after: f64,
    /// How long after the begin of the outage the breaker of half of the clients had opened; none if those of half of them did
    /// not.
    pub time_to_open_ms: Option<f64>,
    /// How long after the outage requests are answered as before, and remain to be: nineteen for each twenty that the service
    /// answered in the calm before it, while nobody tried again. None if that never comes.
    pub recovery_ms: Option<f64>,
    /// How long half of the answered requests took at most, before the outage.
    pub calm_p50_ms: Option<f64>,
    /// And ninety-nine of a hundred.
    pub calm_p99_ms: Option<f64>,
    /// The same of those that began in the outage, or in the minute after it.
    pub around_p50_ms: Option<f64>,
    /// And ninety-nine of a hundred.
    pub around_p99_ms: Option<f64>,
    /// How long half of the callers waited at most before the outage, whether they were answered or not.
    pub calm_wait_p50_ms: Option<f64>,
    /// And ninety-nine of a hundred.
    pub calm_wait_p99_ms: Option<f64>,
    /// The same of those that began in the outage, or in the minute after it.
    pub around_wait_p50_ms: Option<f64>,
    /// And ninety-nine of a hundred.
    pub around_wait_p99_ms: Option<f64>,
    /// Whether it sent more attempts than are followed; then all of the above say less than there would be.
    pub truncated: bool,
}

/// The part of a fleet that is run, if the whole is too large: fewer clients, each with as many requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Scene {
    /// So many clients are run.
    pub(super) clients: u32,
    /// With so many requests a second together.
    pub(super) rps: f64,
    /// Which can be answered, of a service with so much capacity.
    pub(super) capacity_rps: f64,
}

/// So long all is well before the outage; the first third is not looked at.
pub(super) const CALM: Duration = Duration::from_secs(30);
/// The time after it that is looked at closely.
const AFTER: Duration = Duration::from_secs(60);
/// And this is the most that it is watched for after that.
const WATCHED: Duration = Duration::from_secs(600);
/// More requests are not followed, if fewer clients will do.
const ENOUGH_REQUESTS: f64 = 150_000.0;
/// Nor are more than that, if there is more than one client.
const MOST_REQUESTS: f64 = 600_000.0;
/// And of one client no more than that.
const MOST_OF_ONE: f64 = 1_500_000.0;
/// With fewer clients or workers the luck of one of them would show.
const FEW: f64 = 16.0;
/// Nor more attempts.
const MOST_ATTEMPTS: u64 = 4_000_000;
/// The naive try again so often.
const NAIVE: u32 = 4;
/// Who cannot be told from one who is never given up.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// The share of the answers of before that is as good as before.
const WELL: f64 = 0.95;

impl Scene {
    /// As much of the fleet as can be followed.
    pub(super) fn of(policy: &Policy, load: &Load) -> Result<Self, Refused> {
        let all = load.clients().get();
        let time = length(load).as_secs_f64();
        let workers = policy.capacity(load.rps()) * work(policy).as_secs_f64();
        let requests = load.rps() * time;
        let few = (FEW / f64::from(all)).max(FEW / workers);
        let share = (ENOUGH_REQUESTS / requests).max(few.min(MOST_REQUESTS / requests)).min(1.0);
        let clients = ((f64::from(all) * share).round() as u32).clamp(1, all);
        let rps = load.rate() * f64::from(clients);
        if rps * time > MOST_OF_ONE {
            let why = format!(
                "it is {} for {} clients: with this outage one client must have no more than {:.0} a second to be \
                 followed",
                load.rps(),
                all,
                MOST_OF_ONE / time
            );
            return Err(Refused::flag("--rps", why));
        }
        Ok(Self { clients, rps, capacity_rps: policy.capacity(load.rps()) / f64::from(all) * f64::from(clients) })
    }
}

/// From the start to when no more users come.
fn length(load: &Load) -> Duration {
    CALM + load.outage() + AFTER + (load.outage() * 2).min(WATCHED)
}

/// How long a worker takes, in the mean: the median is what the file says.
fn work(policy: &Policy) -> Duration {
    policy.service.latency().mul_f64((0.5_f64 * 0.5 / 2.0).exp())
}

/// The service of this scene. There are no parts of workers: for as many of them as there are, each takes as long as makes the
/// capacity what it is said to be. One alone may be faster than that.
fn service(policy: &Policy, scene: &Scene) -> Service {
    let mean = work(policy);
    let workers = (scene.capacity_rps * mean.as_secs_f64()).round();
    let work = if workers < 1.0 { mean } else { Duration::from_secs_f64(workers / scene.capacity_rps) };
    // With a worker for each attempt that there may be, more of them would have nothing to do.
    let capacity = scene.capacity_rps.min(MOST_ATTEMPTS as f64 / work.as_secs_f64());
    Service { capacity, work, line: policy.queue(), refusal: 0.0 }
}

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    None,
    Naive,
    Yours,
}

impl Who {
    const ALL: [Self; 3] = [Self::None, Self::Naive, Self::Yours];

    const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Naive => "naive",
            Self::Yours => "yours",
        }
    }
}

/// Runs all three through the same outage, side by side: each has a world of its own.
pub(super) fn measure(policy: &Policy, load: &Load, scene: &Scene, seed: u64) -> [(Measured, Vec<Moment>); 3] {
    thread::scope(|scope| {
        let runs = Who::ALL.map(|who| scope.spawn(move || run(who, policy, load, scene, seed)));
        // A panic goes on as it is.
        let runs = runs.map(|run| run.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        let well = WELL * calm(&runs[0].tally).share();
        runs.map(|run| {
            let moments = moments(run.who.name(), &run.tally, length(load), scene.capacity_rps);
            (figures(&run, load, scene, well), moments)
        })
    })
}

/// What is known of one fleet.
struct Run {
    who: Who,
    tally: Tally,
    watch: Watch,
    opened: Vec<Option<Duration>>,
    truncated: bool,
}

fn run(who: Who, policy: &Policy, load: &Load, scene: &Scene, seed: u64) -> Run {
    let service = service(policy, scene);
    let outage = Outage { from: CALM, length: load.outage() };
    // The policy's own time limit is around the hedges and the breaker; the others have none but this one.
    let limit = match who {
        Who::None | Who::Naive => policy.attempt_limit(),
        Who::Yours => policy.service.timeout,
    };
    let over = CALM + load.outage();
    let tally = Tally::new(width(load, scene), &[Duration::ZERO, CALM / 3, CALM, over, over + AFTER]);
    // Who still tries much later says nothing about the outage.
    let until = length(load) * 2;
    let watch = RefCell::new(Watch::new(CALM..over, CALM..length(load)));
    let limits = Rc::new(Limits { left: Cell::new(MOST_ATTEMPTS), until, watch });
    let mut opened = Vec::new();
    let clients = |time: Paused| -> Vec<Box<dyn Client>> {
        let one = |number: u32| match who {
            Who::None => none(&limits, time),
            Who::Naive => naive(&limits, NAIVE, time),
            Who::Yours => {
                opened.push(Opened::new(time, CALM));
                let opened = Rc::clone(&opened[opened.len() - 1]);
                configured(policy, Rng::keyed(&[seed, number.into()]).next_u64(), (time, &limits, opened))
            }
        };
        (0..scene.clients).map(one).collect()
    };
    let traffic = Traffic { per_second: scene.rps, length: length(load) };
    let tally = World::run(seed, (service, outage, limit.unwrap_or(FOR_EVER)), traffic, tally, clients);
    let opened = opened.iter().map(|opened| opened.at()).collect();
    let watch = limits.watch.borrow().clone();
    Run { who, tally, watch, opened, truncated: limits.left.get() == 0 }
}

/// Before the outage, but for the begin.
fn calm(tally: &Tally) -> Span {
    tally.spans(CALM / 3, CALM)
}

/// Wide enough that one request more or less says nothing, and not so wide that an outage is lost in it.
fn width(load: &Load, scene: &Scene) -> Duration {
    let few = Duration::from_secs_f64((40.0 / scene.rps).min(1e6));
    let short = (load.outage() / 10).clamp(Duration::from_millis(50), Duration::from_secs(1));
    few.max(short).min(AFTER / 6)
}

/// Where it is well again with this share of answers.
fn figures(run: &Run, load: &Load, scene: &Scene, well: f64) -> Measured {
    let Run { who, tally, watch, opened, truncated } = run;
    let over = CALM + load.outage();
    let (calm, all) = (calm(tally), tally.spans(CALM, over + AFTER));
    let (during, after) = (tally.spans(CALM, over), tally.spans(over, over + AFTER));
    let quantiles = |latencies: &Latencies| [0.5, 0.99].map(|q| latencies.quantile_ms(q).map(rounded));
    let [calm_p50_ms, calm_p99_ms] = quantiles(&calm.answered);
    let [around_p50_ms, around_p99_ms] = quantiles(&all.answered);
    let [calm_wait_p50_ms, calm_wait_p99_ms] = quantiles(&calm.waits);
    let [around_wait_p50_ms, around_wait_p99_ms] = quantiles(&all.waits);
    let amplification = if during.begun == 0 { 1.0 } else { watch.of_outage as f64 / f64::from(during.begun) };
    let recovered = tally.answered_from(over, length(load), well);
    Measured {
        policy: who.name(),
        amplification: rounded(amplification),
        begun_during: during.begun,
        peak_load: rounded(watch.peak as f64 / scene.capacity_rps),
        answered_calm: rounded(calm.share()),
        answered: rounded(all.share()),
        answered_during: rounded(during.share()),
        answered_after: rounded(after.share()),
        time_to_open_ms: median(opened).map(|at| ms(at - CALM)),
        recovery_ms: recovered.map(|at| ms(at.saturating_sub(over))),
        calm_p50_ms,
        calm_p99_ms,
        around_p50_ms,
        around_p99_ms,
        calm_wait_p50_ms,
        calm_wait_p99_ms,
        around_wait_p50_ms,
        around_wait_p99_ms,
        truncated: *truncated,
    }
}

/// When half of them had; none when half of them have not.
fn median(opened: &[Option<Duration>]) -> Option<Duration> {
    let mut sorted = opened.to_vec();
    // None is last.
    sorted.sort_by_key(|at| Reverse(at.map(Reverse)));
    *sorted.get(opened.len().saturating_sub(1) / 2)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_well_again_at_nineteen_of_twenty_of_what_was_answered_before() {
        let load = Load::new(10.0, Load::DEFAULT_CLIENTS, Duration::from_secs(10)).expect("a load");
        let over = CALM + load.outage();
        let second = Duration::from_secs(1);
        // From the outage on each second nine of ten, and from the twentieth after it on all.
        let mut tally = Tally::new(second, &[Duration::ZERO, CALM / 3, CALM, over, over + AFTER]);
        for number in 0..length(&load).as_secs() as u32 {
            let at = second * number;
            let answered = if at < over { 0 } else { 9 + u32::from(at >= over + second * 20) };
            (0..10).for_each(|_| tally.begin(at));
            (0..answered).for_each(|_| tally.answer(at, at));
        }
        let watch = Watch::new(CALM..over, CALM..length(&load));
        let run = Run { who: Who::None, tally, watch, opened: Vec::new(), truncated: false };
        let scene = Scene { clients: 1, rps: 10.0, capacity_rps: 10.0 };
        let recovered = |calm: f64| figures(&run, &load, &scene, WELL * calm).recovery_ms;
        assert_eq!(recovered(1.0), Some(20_000.0));
        assert_eq!(recovered(0.94), Some(0.0), "nine of ten are as good as before");
    }

    #[test]
    fn the_median_counts_those_that_never_opened_as_the_last() {
        let s = |second| Some(Duration::from_secs(second));
        assert_eq!(median(&[s(3), s(1), s(2)]), s(2));
        assert_eq!(median(&[None, s(1), s(2), None]), s(2));
        assert_eq!(median(&[None, s(1), None]), None);
        assert_eq!(median(&[]), None);
    }
}
