//! What a hedge costs that is not sent, beside a bare call and beside `tower::hedge`; and one that is.
//!
//! `cargo bench -p evenkeel-hedging --features tower --bench beside_tower` prints the tables. Everything runs in one process,
//! in turn; the allocations are counted, which makes each of them some nanoseconds dearer for all.
#![allow(clippy::disallowed_methods)] // A bench measures time.

use std::{
    future::{Future, Ready, ready},
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use evenkeel_hedging::{AtOnce, Hedge, Quantile, TokenBudget};

#[path = "../../backoff/benches/harness/mod.rs"]
mod harness;
mod layers;

use harness::{Candidate, compare, drive};

/// None of the calls takes so long.
const DELAY: Duration = Duration::from_secs(10);

fn main() {
    a_success_at_once();
    a_success_after_a_turn();
    two_at_once();
    layers::compare_layers();
}

fn a_success_at_once() {
    let hedge = Hedge::after(DELAY, tokio::time::sleep);
    let budget = TokenBudget::default();
    let owned = Hedge::after(DELAY, tokio::time::sleep).budget(budget.clone());
    let borrowed = Hedge::after(DELAY, tokio::time::sleep).budget(&budget);
    let quantile = Hedge::new(warm(), tokio::time::sleep);
    compare(
        "A success at the first poll",
        vec![
            Candidate::new("`Hedge::run`, a fixed delay", || drive(hedge.run(|_| well()))),
            Candidate::new("with a budget", || drive(owned.run(|_| well()))),
            Candidate::new("with a budget by reference", || drive(borrowed.run(|_| well()))),
            Candidate::new("`Quantile`", || drive(quantile.run(|_| well()))),
            Candidate::new("two readings of the clock", || (std::time::Instant::now(), std::time::Instant::now())),
            Candidate::new("a bare await", || drive(well())),
        ],
    );
}

/// The timer of the runtime is what such a request costs in any case.
fn a_success_after_a_turn() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let hedge = Hedge::after(DELAY, tokio::time::sleep);
    let budgeted = Hedge::after(DELAY, tokio::time::sleep).budget(TokenBudget::default());
    let quantile = Hedge::new(warm(), tokio::time::sleep);
    compare(
        "A success at the second poll, in tokio",
        vec![
            Candidate::new("call and timer by hand", || drive(WithTimer::new(Turn::default()))),
            Candidate::new("`Hedge::run`, a fixed delay", || drive(hedge.run(|_| Turn::default()))),
            Candidate::new("with a budget", || drive(budgeted.run(|_| Turn::default()))),
            Candidate::new("`Quantile`", || drive(quantile.run(|_| Turn::default()))),
            Candidate::new("`tokio::time::timeout`", || drive(tokio::time::timeout(DELAY, Turn::default()))),
            Candidate::new("no timer", || drive(Turn::default())),
        ],
    );
}

fn two_at_once() {
    let hedge = Hedge::new(AtOnce, |_| ready(()));
    compare(
        "Two attempts at once, of which the second answers",
        vec![
            Candidate::new("`Hedge::run`", || {
                drive(hedge.run(|attempt| if attempt == 0 { Turn { turns: 2 } } else { Turn { turns: 1 } }))
            }),
            Candidate::new("by hand", || {
                drive(async {
                    let (mut first, mut second) = (pin!(Turn { turns: 2 }), pin!(Turn { turns: 1 }));
                    std::future::poll_fn(|cx| match first.as_mut().poll(cx) {
                        Poll::Ready(answer) => Poll::Ready(answer),
                        Poll::Pending => second.as_mut().poll(cx),
                    })
                    .await
                })
            }),
        ],
    );
}

/// An estimate in the middle of its life.
fn warm() -> Quantile {
    let quantile = Quantile::p95();
    for micros in 0..20_000 {
        quantile.record(Duration::from_micros(5_000 + micros % 1_000));
    }
    quantile
}

/// The answer of a service that is well.
fn well() -> Ready<Result<u64, std::fmt::Error>> {
    ready(black_box(Ok(1)))
}

/// An answer that comes when it has been asked for so often.
struct Turn {
    turns: u32,
}

impl Default for Turn {
    fn default() -> Self {
        Self { turns: 1 }
    }
}

impl Future for Turn {
    type Output = Result<u64, std::fmt::Error>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.turns.checked_sub(1) {
            None => Poll::Ready(black_box(Ok(1))),
            Some(turns) => {
                self.turns = turns;
                Poll::Pending
            }
        }
    }
}

pin_project_lite::pin_project! {
    /// A call beside which a timer runs: the least that a hedge can be.
    struct WithTimer<F> {
        #[pin]
        call: F,
        #[pin]
        timer: Option<tokio::time::Sleep>,
    }
}

impl<F> WithTimer<F> {
    fn new(call: F) -> Self {
        Self { call, timer: None }
    }
}

impl<F: Future> Future for WithTimer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.call.poll(cx) {
            return Poll::Ready(output);
        }
        if this.timer.is_none() {
            this.timer.set(Some(tokio::time::sleep(DELAY)));
        }
        let expired = this.timer.as_pin_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        assert!(!expired, "no call takes so long");
        Poll::Pending
    }
}
