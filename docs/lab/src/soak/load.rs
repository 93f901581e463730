//! The load: many callers of each way at a time, cancelled now and then, for a round; and the drain after it.

use std::{
    any::Any,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use super::{
    clock::Time,
    faults::{Fault, Faults, Meant},
    ledger::Count,
    report::{Rule, Violation},
    sabotage::Caller,
    service::Alive,
    threads,
    ways::{Answer, Way},
    weather,
    world::World,
};

/// Callers of each way at the same time: more than there are permits.
const CALLERS: usize = 12;
/// Threads without a runtime.
const THREADS: usize = 2;

/// What drives the world, and what it has come to.
pub(super) struct Load<K: Time> {
    pub(super) world: Arc<World<K>>,
    pub(super) ways: Vec<Way>,
    /// One for each way, and one for the threads.
    pub(super) tallies: Vec<Tally>,
    pub(super) thread_name: String,
    /// Transitions that were read.
    pub(super) transitions: Count,
    /// The most polls that a request took.
    pub(super) most_polls: AtomicU64,
    found: Mutex<Vec<Violation>>,
}

/// What the requests of one way have come to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sent: Count,
    pub(super) answered: Count,
    pub(super) failed: Count,
    pub(super) cancelled: Count,
    pub(super) panicked: Count,
    /// Answered with the answer to another request.
    pub(super) wrong: Count,
    pub(super) in_flight: Arc<AtomicI64>,
}

impl Tally {
    /// The request of that number was answered with the answer of that number, or failed.
    pub(super) fn answered(&self, id: u64, answer: Option<u64>) {
        match answer {
            Some(answer) if answer == id => self.answered.add(),
            Some(_) => self.wrong.add(),
            None => self.failed.add(),
        }
    }
}

impl<K: Time> Load<K> {
    pub(super) fn new(world: Arc<World<K>>, ways: Vec<Way>, thread_name: String) -> Self {
        let tallies = (0..=ways.len()).map(|_| Tally::default()).collect();
        Self {
            world,
            ways,
            tallies,
            thread_name,
            transitions: Count::default(),
            most_polls: AtomicU64::new(0),
            found: Mutex::default(),
        }
    }

    /// What the requests of the threads have come to.
    pub(super) fn of_threads(&self) -> &Tally {
        &self.tallies[self.ways.len()]
    }

    /// Each way with what its requests have come to.
    pub(super) fn by_way(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        self.ways.iter().map(|way| way.name).chain(["threads, permits by hand"]).zip(&self.tallies)
    }

    /// A rule does not hold.
    pub(super) fn found(&self, rule: Rule, why: String) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(Violation { rule, why });
    }

    /// What was found until now.
    pub(super) fn take_found(&self) -> Vec<Violation> {
        std::mem::take(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request has panicked: as it was meant to, or else it is a violation.
    pub(super) fn panicked(&self, tally: &Tally, payload: &(dyn Any + Send)) {
        tally.panicked.add();
        if !payload.is::<Meant>() {
            self.found(Rule::Panics, format!("a request panicked: {}", words(payload)));
        }
    }

    /// Loads the stack for so long, and drains it. `false` if that took longer than `patience`: then something is stuck.
    pub(super) async fn round(
        self: &Arc<Self>,
        length: Duration,
        patience: Duration,
        more: Option<Caller>,
    ) -> std::io::Result<bool> {
        let world = &self.world;
        world.is_draining.store(false, Ordering::SeqCst);
        // Never read: they keep the last few transitions, and no more.
        let unread = world.breakers().map(|(_, breaker)| breaker.transitions());
        world.faults.arm(true);
        let (mut callers, mut onlookers) = (JoinSet::new(), JoinSet::new());
        for way in 0..self.ways.len() {
            for _ in 0..CALLERS {
                callers.spawn(Arc::clone(self).calls(way));
            }
        }
        let threads = threads::start(self, THREADS)?;
        callers.spawn(weather::change(Arc::clone(world)));
        more.into_iter().for_each(|caller| drop(callers.spawn(caller)));
        for (name, breaker) in world.breakers() {
            onlookers.spawn(weather::read(Arc::clone(self), name, breaker.clone()));
        }
        let [_, layered] = &world.layered.breakers;
        let [combined, _] = &world.combined.breakers;
        let (other, usual) = (&world.layered.providers[1], &world.combined.providers[0]);
        onlookers.spawn(weather::probe(Arc::clone(world), layered.clone(), other.clone()));
        onlookers.spawn(weather::probe(Arc::clone(world), combined.clone(), usual.clone()));
        sleep(length).await;

        world.is_draining.store(true, Ordering::SeqCst);
        let drained = timeout(patience, async {
            self.join(&mut callers).await;
            ended(&threads).await;
        });
        let drained = drained.await.is_ok();
        if !drained {
            self.say_who_is_stuck(patience);
        }
        callers.abort_all();
        self.join(&mut callers).await;
        onlookers.abort_all();
        self.join(&mut onlookers).await;
        world.faults.arm(false);
        drop(unread);
        Ok(drained)
    }

    /// Callers, one after the other, until the load drains.
    async fn calls(self: Arc<Self>, way: usize) {
        let tally = &self.tallies[way];
        while !self.world.is_draining() {
            let request = self.world.request();
            let (id, in_flight) = (request.id, Alive::new(&tally.in_flight));
            let fate = Fate::draw(&self.world.faults);
            let load = Arc::clone(&self);
            tally.sent.add();
            let task = tokio::spawn(async move {
                let _in_flight = in_flight;
                let request =
                    Polled { future: (load.ways[way].send)(request), load: &load, polls: 0, most: fate.polls };
                match fate.gives_up {
                    Some(after) => timeout(after, request).await.ok().flatten(),
                    None => request.await,
                }
            });
            if let Some(after) = fate.aborted {
                sleep(after).await;
                task.abort();
            }
            match task.await {
                Ok(Some(answer)) => tally.answered(id, answer),
                Ok(None) => tally.cancelled.add(),
                Err(error) if error.is_cancelled() => tally.cancelled.add(),
                Err(error) => self.panicked(tally, &*error.into_panic()),
            }
        }
    }

    /// Until all have ended. They may be aborted, and panic only as is meant.
    async fn join(&self, tasks: &mut JoinSet<()>) {
        while let Some(ended) = tasks.join_next().await {
            let payload = ended.err().filter(JoinError::is_panic).map(JoinError::into_panic);
            if let Some(payload) = payload.filter(|payload| !payload.is::<Meant>()) {
                self.found(Rule::Panics, format!("a task of the soak itself panicked: {}", words(&*payload)));
            }
        }
    }

    fn say_who_is_stuck(&self, patience: Duration) {
        let states: Vec<_> = self.world.breakers().map(|(_, breaker)| breaker.state().as_str()).into();
        for (name, tally) in self.by_way() {
            let stuck = tally.in_flight.load(Ordering::SeqCst);
            if stuck > 0 {
                self.found(
                    Rule::Stuck,
                    format!(
                        "{name}: {stuck} without an answer {patience:?} after the last was sent, breakers {states:?}"
                    ),
                );
            }
        }
    }
}

/// How a request is cancelled, if it is.
#[derive(Debug, Default)]
struct Fate {
    polls: Option<u64>,
    gives_up: Option<Duration>,
    aborted: Option<Duration>,
}

impl Fate {
    fn draw(faults: &Faults) -> Self {
        let mut rng = faults.rng();
        let soon = Duration::from_secs_f64(rng.exponential(0.005));
        if faults.strikes(Fault::Dropped) {
            Self { polls: Some(rng.next_u64() % 6), ..Self::default() }
        } else if faults.strikes(Fault::GivesUp) {
            Self { gives_up: Some(soon), ..Self::default() }
        } else if faults.strikes(Fault::Aborted) {
            Self { aborted: Some(soon), ..Self::default() }
        } else {
            Self::default()
        }
    }
}

/// Counts the polls, and after the most that there may be it is over without an answer.
struct Polled<'a, K: Time> {
    future: Answer,
    load: &'a Load<K>,
    polls: u64,
    most: Option<u64>,
}

impl<K: Time> Future for Polled<'_, K> {
    type Output = Option<Option<u64>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.most == Some(self.polls) {
            return Poll::Ready(None);
        }
        self.polls += 1;
        let answer = ready!(self.future.as_mut().poll(cx));
        Poll::Ready(Some(answer))
    }
}

impl<K: Time> Drop for Polled<'_, K> {
    fn drop(&mut self) {
        self.load.most_polls.fetch_max(self.polls, Ordering::Relaxed);
    }
}

/// Until the threads have.
async fn ended(threads: &[JoinHandle<()>]) {
    while !threads.iter().all(JoinHandle::is_finished) {
        sleep(Duration::from_millis(1)).await;
    }
}

/// What a panic said.
pub(super) fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".to_owned())
}
