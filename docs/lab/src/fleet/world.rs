//! Users, their clients, and the service, put together.

use std::{cell::RefCell, fmt, future::Future, pin::Pin, rc::Rc, time::Duration};

use super::{Arrival, Outage, Server, Service, Tally};
use crate::{paused::Paused, rng::Rng};

/// One client of the fleet: a program with its own policy, breaker and budget, which answers to users.
pub trait Client {
    /// A user asks for something. The future sends attempts to the world, and ends with whether the user is answered.
    fn request(&self, world: &Rc<World>) -> Requesting;
}

impl<F, R> Client for F
where
    F: Fn(Rc<World>) -> R,
    R: Future<Output = bool> + 'static,
{
    fn request(&self, world: &Rc<World>) -> Requesting {
        Box::pin(self(Rc::clone(world)))
    }
}

/// What [`Client::request`] returns.
pub type Requesting = Pin<Box<dyn Future<Output = bool>>>;

/// Who asks, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Requests a second of all users together, in the mean; above zero.
    pub per_second: f64,
    /// How long users come; those who are under way then are still waited for.
    pub length: Duration,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The line was full.
    Refused,
    /// The client has given it up.
    Late,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Late => "late",
        })
    }
}

impl std::error::Error for Failed {}

/// What the clients share: the time and the service.
#[derive(Debug)]
pub struct World {
    time: Paused,
    limit: Duration,
    server: RefCell<Server>,
    tally: RefCell<Tally>,
}

impl World {
    /// Lets users come to `clients`, each to one by chance, and returns what became of them. An attempt is given up after
    /// `limit`. The same seed gives the same.
    ///
    /// # Panics
    ///
    /// When there are no clients.
    pub fn run(
        seed: u64,
        (service, outage, limit): (Service, Outage, Duration),
        traffic: Traffic,
        tally: Tally,
        clients: impl FnOnce(Paused) -> Vec<Box<dyn Client>>,
    ) -> Tally {
        let world = Paused::run(1, async |time: Paused| {
            let server = RefCell::new(Server::new(service, outage, Rng::keyed(&[seed, SERVICE])));
            let world = Rc::new(Self { time, limit, server, tally: RefCell::new(tally) });
            world.serve(&clients(time), traffic, Rng::keyed(&[seed, USERS])).await;
            world
        });
        // All tasks have ended, and the runtime is gone.
        Rc::into_inner(world).expect("the only handle").tally.into_inner()
    }

    /// One attempt: it is answered, refused within a round trip, or given up after the time limit.
    ///
    /// # Errors
    ///
    /// [`Failed`], as it says. To drop the future does not take the request out of the line: the server does not know.
    pub async fn attempt(&self) -> Result<(), Failed> {
        let now = self.time.now();
        self.tally.borrow_mut().send(now);
        let arrival = self.server.borrow_mut().arrive(now);
        let (wait, result) = match arrival {
            Arrival::Refused => (ROUND_TRIP, Err(Failed::Refused)),
            Arrival::Answered(at) => (at - now + ROUND_TRIP, Ok(())),
        };
        self.time.sleep(wait.min(self.limit)).await;
        if wait > self.limit { Err(Failed::Late) } else { result }
    }

    async fn serve(self: &Rc<Self>, clients: &[Box<dyn Client>], traffic: Traffic, mut rng: Rng) {
        let mut at = Duration::ZERO;
        loop {
            at += Duration::from_secs_f64(rng.exponential(1.0 / traffic.per_second));
            if at >= traffic.length {
                return;
            }
            self.time.sleep_until(at).await;
            let client = (rng.unit() * clients.len() as f64) as usize;
            let (world, request) = (Rc::clone(self), clients[client].request(self));
            tokio::task::spawn_local(async move {
                let begun = world.time.now();
                world.tally.borrow_mut().begin(begun);
                let is_answered = request.await;
                let mut tally = world.tally.borrow_mut();
                if is_answered {
                    tally.answer(begun, world.time.now());
                } else {
                    tally.fail(begun, world.time.now());
                }
            });
        }
    }
}

/// From the client to the server and back: what a refusal takes.
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// What is drawn for users, apart from what is drawn for the service.
const USERS: u64 = 1;
const SERVICE: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_refusal_takes_ten_milliseconds_and_what_hangs_takes_the_time_limit() {
        let service = Service { capacity: 1.0, work: S, line: Duration::ZERO, refusal: 0.0 };
        let outage = Outage { from: Duration::ZERO, length: S * 60 };
        let traffic = Traffic { per_second: 5.0, length: S * 10 };
        let tally = Tally::new(S, &[Duration::ZERO]);
        let tally = World::run(1, (service, outage, S * 3), traffic, tally, |_| {
            vec![Box::new(|world: Rc<World>| async move { world.attempt().await.is_ok() })]
        });
        // The worker has the first of them; there is no line.
        let all = tally.spans(Duration::ZERO, S);
        let ms = |q| all.waits.quantile_ms(q).unwrap_or_default().round();
        assert_eq!((all.share(), ms(0.5), ms(1.0)), (0.0, 10.0, 3_000.0));
    }
}
