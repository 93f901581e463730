//! As a tower service, beside recloser's future and tower-resilience's layer, over one service that is always ready.

use std::{
    hint::black_box,
    task::{Context, Poll},
};

use evenkeel_breaker::{Breaker, BreakerLayer};
use recloser::AsyncRecloser;
use tower::{Layer, Service};

use crate::{
    harness::{Candidate, compare},
    peers::{Answer, Echo, answers, recloser, request, resilience},
};

pub(crate) fn compare_layers() {
    table("A tower service: a call that succeeds", 0.5, answers::success);
    table("A tower service: every second call fails", 0.9, answers::every_second_fails);
}

fn table(title: &str, rate: f64, answer: impl Fn(u64) -> Answer + Copy) {
    let breaker = crate::ours(rate, 10).build().unwrap();
    let timed = Breaker::builder().failure_rate(rate).time_window(crate::SPAN).build().unwrap();
    let reclosed = Reclosed { inner: Echo, breaker: recloser(rate as f32).into() };
    compare(
        title,
        vec![
            candidate("recloser, its future", reclosed, answer),
            candidate("the default rules", BreakerLayer::new(breaker.clone()).layer(Echo), answer),
            candidate("time window, with the clock", BreakerLayer::new(timed.clone()).layer(Echo), answer),
            candidate("tower-resilience", resilience(|rules| rules.failure_rate_threshold(rate)).0, answer),
            candidate("no breaker", Echo, answer),
        ],
    );
}

/// It asserts that the call was made, by its answer.
fn candidate<'a, S>(name: &'static str, mut service: S, answer: impl Fn(u64) -> Answer + 'a) -> Candidate<'a>
where
    S: Service<Answer, Response = u64, Error: Made> + 'a,
{
    let mut n = 0;
    Candidate::new(name, move || {
        n += 1;
        assert!(request(&mut service, black_box(answer(n))).map_or_else(|error| error.made(), |_| true));
    })
}

/// What a call can fail with.
trait Made {
    /// Whether it was made.
    fn made(&self) -> bool;
}

impl Made for u64 {
    fn made(&self) -> bool {
        true
    }
}

impl Made for evenkeel_breaker::Error<u64> {
    fn made(&self) -> bool {
        !self.is_open()
    }
}

impl Made for recloser::Error<u64> {
    fn made(&self) -> bool {
        matches!(self, Self::Inner(_))
    }
}

impl Made for tower_resilience_circuitbreaker::CircuitBreakerError<u64> {
    fn made(&self) -> bool {
        matches!(self, Self::Inner(_))
    }
}

/// recloser has no layer: this is what one writes.
#[derive(Clone)]
struct Reclosed<S> {
    inner: S,
    breaker: AsyncRecloser,
}

impl<S: Service<Answer, Response = u64, Error = u64, Future: Future<Output = Answer>>> Service<Answer> for Reclosed<S> {
    type Response = u64;
    type Error = recloser::Error<u64>;
    type Future = recloser::RecloserFuture<S::Future, recloser::AnyError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(recloser::Error::Inner)
    }

    fn call(&mut self, answer: Answer) -> Self::Future {
        self.breaker.call(self.inner.call(answer))
    }
}
