//! Hedges: who wins, what they add, what they learn.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_hedging::{Hedge, TokenBudget, Verdict};
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceExt as _};
use tower_resilience_hedge::HedgeLayer;

use crate::at_hand::{ms, secs};

type Answer = Result<&'static str, &'static str>;

/// Answers the n-th attempt after the n-th time, with the n-th answer, and the last for ever after.
#[derive(Clone)]
struct Replica {
    answers: &'static [(Duration, Answer)],
    attempts: Arc<AtomicU32>,
}

impl Replica {
    fn new(answers: &'static [(Duration, Answer)]) -> Self {
        Self { answers, attempts: Arc::default() }
    }

    fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    fn ask(&self) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed) as usize;
        let (takes, answer) = self.answers[attempt.min(self.answers.len() - 1)];
        Box::pin(async move {
            sleep(takes).await;
            answer
        })
    }
}

impl Service<()> for Replica {
    type Response = &'static str;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        self.ask()
    }
}

/// Each request may be sent again.
#[derive(Clone)]
struct Always;

impl tower::hedge::Policy<()> for Always {
    fn clone_request(&self, (): &()) -> Option<()> {
        Some(())
    }

    fn can_retry(&self, (): &()) -> bool {
        true
    }
}

/// Tower's, that has seen a hundred answers after 10 ms.
fn towers(replica: &Replica) -> tower::hedge::Hedge<Replica, Always> {
    tower::hedge::Hedge::new_with_mock_latencies(replica.clone(), Always, 100, 0.95, secs(30), &[10; 100])
}

/// The first succeeds after 200 ms; the hedge, sent after 10, fails after 5.
static FAILS_SOON: &[(Duration, Answer)] = &[(ms(200), Ok("first")), (ms(5), Err("down"))];
/// The first fails at once; the hedge would succeed.
static FAILS_FIRST: &[(Duration, Answer)] = &[(ms(1), Err("down")), (ms(1), Ok("second"))];
/// All are slow.
static BROWN_OUT: &[(Duration, Answer)] = &[(ms(200), Ok("late"))];

#[tokio::test(start_paused = true)]
async fn tower_0_5_hedge_answers_with_the_failure_that_came_first() {
    let error = towers(&Replica::new(FAILS_SOON)).oneshot(()).await.unwrap_err();
    assert_eq!(error.to_string(), "down", "though the first attempt would have succeeded");

    let replica = Replica::new(FAILS_FIRST);
    assert!(towers(&replica).oneshot(()).await.is_err());
    assert_eq!(replica.attempts(), 1, "and a hedge that is not yet sent never is");
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_hedge_0_14_a_failure_does_not_beat_a_success() {
    let hedge = || HedgeLayer::new(ms(10));
    let service = tower::Layer::layer(&hedge(), Replica::new(FAILS_SOON));
    assert_eq!(service.oneshot(()).await.unwrap(), "first");

    let began = Instant::now();
    let service = tower::Layer::layer(&hedge(), Replica::new(FAILS_FIRST));
    assert_eq!(service.oneshot(()).await.unwrap(), "second");
    assert_eq!(began.elapsed(), ms(11), "it waits for the hedge's time, though nothing is in flight");
}

#[tokio::test(start_paused = true)]
async fn ours_a_failure_does_not_beat_a_success_and_sends_the_next_at_once() {
    let hedge = Hedge::after(ms(10), sleep);
    let replica = Replica::new(FAILS_SOON);
    assert_eq!(hedge.run(|_| replica.ask()).await, Ok("first"));

    let began = Instant::now();
    let replica = Replica::new(FAILS_FIRST);
    assert_eq!(hedge.run(|_| replica.ask()).await, Ok("second"));
    assert_eq!(began.elapsed(), ms(2));
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_hedge_0_14_a_permanent_failure_is_sent_again() {
    static WRONG: &[(Duration, Answer)] = &[(ms(1), Err("400"))];
    let replica = Replica::new(WRONG);
    assert!(tower::Layer::layer(&HedgeLayer::new(ms(10)), replica.clone()).oneshot(()).await.is_err());
    assert_eq!(replica.attempts(), 2, "it asks whether the request may be hedged, not what the failure was");

    let replica = Replica::new(WRONG);
    let ours = Hedge::after(ms(10), sleep).when(|answer: &Answer| match answer {
        Ok(_) => Verdict::success(),
        Err(_) => Verdict::permanent(),
    });
    assert_eq!(ours.run(|_| replica.ask()).await, Err("400"));
    assert_eq!(replica.attempts(), 1);
}

/// Attempts for a thousand requests of a brown-out, all made at the same time.
async fn of_a_thousand<F: Future>(replica: &Replica, mut request: impl FnMut() -> F) -> u32 {
    futures::future::join_all((0..1_000).map(|_| request())).await;
    replica.attempts()
}

#[tokio::test(start_paused = true)]
async fn tower_0_5_hedge_doubles_the_load_when_everything_is_slow() {
    let replica = Replica::new(BROWN_OUT);
    let mut hedge = towers(&replica);
    assert_eq!(of_a_thousand(&replica, || hedge.call(())).await, 2_000, "told 95 %");
}

#[tokio::test(start_paused = true)]
async fn tower_resilience_hedge_0_14_doubles_the_load_when_everything_is_slow() {
    let replica = Replica::new(BROWN_OUT);
    let service = tower::Layer::layer(&HedgeLayer::new(ms(10)), replica.clone());
    assert_eq!(of_a_thousand(&replica, || service.clone().oneshot(())).await, 2_000);
}

#[tokio::test(start_paused = true)]
async fn ours_the_budget_keeps_a_brown_out_from_doubling_the_load() {
    let replica = Replica::new(BROWN_OUT);
    let hedge = Hedge::after(ms(10), sleep);
    assert_eq!(of_a_thousand(&replica, || hedge.run(|_| replica.ask())).await, 2_000, "without one");

    let replica = Replica::new(BROWN_OUT);
    let hedge = hedge.budget(TokenBudget::default());
    assert_eq!(
        of_a_thousand(&replica, || hedge.run(|_| replica.ask())).await,
        1_000 + 500 / 14,
        "500 tokens, 14 for each"
    );
}
