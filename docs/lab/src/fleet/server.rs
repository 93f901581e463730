//! The service: workers, and a line of bounded length before them.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use crate::rng::Rng;

/// What the service can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Service {
    /// Requests a second that it can answer, at least one per second.
    pub capacity: f64,
    /// How long a worker takes for one, in the mean; above zero. The times are lognormal, with a standard deviation of their
    /// logarithm of 0.5: the slowest of a hundred takes three times as long as the mean.
    pub work: Duration,
    /// How much work may wait in line, as the time that it takes; what comes then is refused.
    pub line: Duration,
    /// What it costs to refuse a request, as a share of answering one, 0 to 1.
    pub refusal: f64,
}

/// A time in which nobody works; what comes stands in line, up to its bound. Later it is worked off, also what nobody waits
/// for any more: the service cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it begins, since the start.
    pub from: Duration,
    /// How long it is.
    pub length: Duration,
}

/// A [`Service`] at work. It is asked in the order of time.
#[derive(Clone, Debug)]
pub struct Server {
    service: Service,
    outage: Outage,
    /// When each worker will be free, in nanoseconds of working time: in that time there are no outages.
    free: BinaryHeap<Reverse<u64>>,
    rng: Rng,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The line is full.
    Refused,
    /// It will be answered, at this time since the start.
    Answered(Duration),
}

impl Server {
    /// All workers are free.
    #[must_use]
    pub fn new(service: Service, outage: Outage, rng: Rng) -> Self {
        let workers = (service.capacity * service.work.as_secs_f64()).round().max(1.0) as usize;
        Self { service, outage, free: vec![Reverse(0); workers].into(), rng }
    }

    /// A request comes.
    pub fn arrive(&mut self, now: Duration) -> Arrival {
        let now = self.working(now);
        let work = self.work();
        // At least one, by the constructor.
        let Some(mut first) = self.free.peek_mut() else { return Arrival::Refused };
        let begins = first.0.max(now);
        if begins - now > nanos(self.service.line) {
            first.0 += (work as f64 * self.service.refusal) as u64;
            return Arrival::Refused;
        }
        first.0 = begins + work;
        drop(first);
        Arrival::Answered(self.since_start(begins + work))
    }

    /// Lognormal, with the mean that was asked for.
    fn work(&mut self) -> u64 {
        let median = self.service.work.as_nanos() as f64 * (-SIGMA * SIGMA / 2.0).exp();
        self.rng.log_normal(median, SIGMA) as u64
    }

    fn working(&self, now: Duration) -> u64 {
        let Outage { from, length } = self.outage;
        nanos(now.min(from) + now.saturating_sub(from + length))
    }

    fn since_start(&self, working: u64) -> Duration {
        let (time, Outage { from, length }) = (Duration::from_nanos(working), self.outage);
        if time > from { time + length } else { time }
    }
}

const SIGMA: f64 = 0.5;

/// Held to 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const NEVER: Outage = Outage { from: Duration::MAX, length: Duration::ZERO };
    const SERVICE: Service =
        Service { capacity: 100.0, work: Duration::from_millis(40), line: Duration::from_secs(1), refusal: 0.0 };

    fn server(service: Service, outage: Outage) -> Server {
        Server::new(service, outage, Rng::keyed(&[1]))
    }

    /// How many of the requests that come in the same distance are answered by then, and how many refused.
    fn offered(server: &mut Server, per_second: u32, time: Duration) -> (u32, u32) {
        let mut counts = (0, 0);
        for number in 0..per_second * time.as_secs() as u32 {
            match server.arrive(Duration::from_secs(1) / per_second * number) {
                Arrival::Answered(at) => counts.0 += u32::from(at < time),
                Arrival::Refused => counts.1 += 1,
            }
        }
        counts
    }

    #[test]
    fn it_answers_what_it_can_and_refuses_what_finds_the_line_full() {
        let minute = Duration::from_secs(60);
        let (answered, refused) = offered(&mut server(SERVICE, NEVER), 50, minute);
        assert!(answered > 2_980 && refused == 0, "{answered} {refused}");
        let (answered, refused) = offered(&mut server(SERVICE, NEVER), 200, minute);
        assert!(answered.abs_diff(6_000) < 120 && refused.abs_diff(5_900) < 120, "{answered} {refused}");
    }

    #[test]
    fn refusing_costs_what_it_is_said_to() {
        let service = Service { refusal: 0.25, ..SERVICE };
        let (answered, refused) = offered(&mut server(service, NEVER), 200, Duration::from_secs(60));
        let done = f64::from(answered) + f64::from(refused) * 0.25;
        assert!((done / 6_000.0 - 1.0).abs() < 0.03, "{answered} {refused}");
    }

    #[test]
    fn in_an_outage_nothing_is_answered_and_the_line_is_still_there_afterwards() {
        let outage = Outage { from: Duration::from_secs(10), length: Duration::from_secs(30) };
        let mut server = server(SERVICE, outage);
        let mut answers = Vec::new();
        for number in 0..200_u32 {
            if let Arrival::Answered(at) = server.arrive(outage.from + MS * 10 * number) {
                answers.push(at);
            }
        }
        let over = outage.from + outage.length;
        assert!(answers.iter().all(|at| *at > over), "nothing is answered in it");
        assert!((95..=110).contains(&answers.len()), "a second's work waits: {}", answers.len());
        assert!(answers.iter().max() < Some(&(over + MS * 1_300)));
    }

    #[test]
    fn what_was_under_way_goes_on_after_it() {
        let outage = Outage { from: MS, length: Duration::from_secs(30) };
        let Arrival::Answered(at) = server(SERVICE, outage).arrive(Duration::ZERO) else { panic!("refused") };
        let Arrival::Answered(else_at) = server(SERVICE, NEVER).arrive(Duration::ZERO) else { panic!("refused") };
        assert_eq!(at, else_at + outage.length);
    }
}
