//! Hedges: one that is not sent, for the answer is there at once or at the second poll; one that is; and the estimate.

use std::{
    fmt,
    future::{poll_fn, ready},
    hint::black_box,
    task::Poll,
    time::Duration,
};

use evenkeel_hedging::{Alternates, AtOnce, Costs, ErrIsTransient, Every, Hedge, HedgeLayer, Quantile, TokenBudget};
use tower_layer::Layer;
use tower_service::Service;

use super::{Echo, FOREVER, Forever, LONG, Late, STILL, Turn, repeat};
use crate::poll::{drive, request};

pub(super) fn run() {
    let fixed = Hedge::after(black_box(LONG), FOREVER);
    let quantile = Hedge::new(warm(), FOREVER);
    repeat(|| assert!(ready_fixed(&fixed).is_ok()));
    repeat(|| assert!(ready_quantile(&quantile).is_ok()));
    repeat(|| assert!(pending_fixed(&fixed).is_ok()));
    repeat(|| assert!(pending_quantile(&quantile).is_ok()));
    let race = Hedge::new(AtOnce, FOREVER);
    repeat(|| assert_eq!(sent_at_once(&race), Ok(1)));
    // A success returns what the hedge cost.
    let race = race.budget(TokenBudget::new(1 << 30, Costs { hedge: 1, ..Costs::REVISION_2026 }));
    repeat(|| assert_eq!(sent_with_budget(&race), Ok(1)));
    let estimate = warm();
    repeat(|| record(black_box(&estimate), black_box(Duration::from_millis(5))));
    repeat(|| assert!(threshold(black_box(&estimate)).is_some()));

    let mut service = fixed.layer().layer(Echo);
    repeat(|| assert!(layer_ready_fixed(&mut service)));
    let mut service = quantile.layer().layer(Echo);
    repeat(|| assert!(layer_ready_quantile(&mut service)));
    let lent = Hedge::after(black_box(LONG), FOREVER).budget(TokenBudget::default());
    let mut service = HedgeLayer::of(&lent).layer(Echo);
    repeat(|| assert!(layer_ready_fixed_by_reference(&mut service)));
    let lent = Hedge::new(warm(), FOREVER).budget(TokenBudget::default());
    let mut service = HedgeLayer::of(&lent).layer(Echo);
    repeat(|| assert!(layer_ready_quantile_by_reference(&mut service)));
    let mut service = Hedge::new(warm(), FOREVER).layer().layer(Late);
    repeat(|| assert!(layer_pending(&mut service)));
    let mut alternates = Alternates::new([Echo, Echo]).policy(Hedge::after(black_box(LONG), FOREVER));
    repeat(|| assert!(alternates_ready(&mut alternates)));
}

/// An estimate in the middle of its life, whose clock stands.
pub(super) fn warm() -> Quantile {
    let quantile = Quantile::builder(0.95).clock(STILL).build().expect("a share");
    for micros in 0..20_000 {
        quantile.record(Duration::from_micros(5_000 + micros % 1_000));
    }
    quantile
}

/// [`Hedge::run`] of a call that answers at once.
#[inline(never)]
pub fn ready_fixed(hedge: &Hedge<Every, Forever>) -> Result<u64, fmt::Error> {
    drive(hedge.run(|_| ready(black_box(Ok(1)))))
}

/// The same, by an estimate.
#[inline(never)]
pub fn ready_quantile(hedge: &Hedge<Quantile, Forever>) -> Result<u64, fmt::Error> {
    drive(hedge.run(|_| ready(black_box(Ok(1)))))
}

/// [`Hedge::run`] of a call that answers at the second poll, while the sleeper waits.
#[inline(never)]
pub fn pending_fixed(hedge: &Hedge<Every, Forever>) -> Result<u64, fmt::Error> {
    drive(hedge.run(|_| Turn::default()))
}

/// The same, by an estimate.
#[inline(never)]
pub fn pending_quantile(hedge: &Hedge<Quantile, Forever>) -> Result<u64, fmt::Error> {
    drive(hedge.run(|_| Turn::default()))
}

/// Two at once: the first never answers, the second does at its first poll.
#[inline(never)]
pub fn sent_at_once(hedge: &Hedge<AtOnce, Forever>) -> Result<u32, fmt::Error> {
    drive(hedge.run(|attempt| poll_fn(move |_| second(attempt))))
}

/// The same with a [`TokenBudget`] that grants it.
#[inline(never)]
pub fn sent_with_budget(hedge: &Hedge<AtOnce, Forever, ErrIsTransient, TokenBudget>) -> Result<u32, fmt::Error> {
    drive(hedge.run(|attempt| poll_fn(move |_| second(attempt))))
}

#[inline(always)]
fn second(attempt: u32) -> Poll<Result<u32, fmt::Error>> {
    if attempt == 0 { Poll::Pending } else { Poll::Ready(black_box(Ok(attempt))) }
}

/// One latency into the estimate.
#[inline(never)]
pub fn record(quantile: &Quantile, latency: Duration) {
    quantile.record(latency);
}

/// What the estimate says.
#[inline(never)]
pub fn threshold(quantile: &Quantile) -> Option<Duration> {
    quantile.threshold()
}

/// A layer around a service that answers at once.
#[inline(never)]
pub fn layer_ready_fixed(service: &mut impl Service<u64>) -> bool {
    request(service, 1).is_ok()
}

/// The same, by an estimate.
#[inline(never)]
pub fn layer_ready_quantile(service: &mut impl Service<u64>) -> bool {
    request(service, 2).is_ok()
}

/// A layer by reference around a service that answers at once.
#[inline(never)]
pub fn layer_ready_fixed_by_reference(service: &mut impl Service<u64>) -> bool {
    request(service, 5).is_ok()
}

/// The same, by an estimate.
#[inline(never)]
pub fn layer_ready_quantile_by_reference(service: &mut impl Service<u64>) -> bool {
    request(service, 6).is_ok()
}

/// A layer around a service that answers at the second poll, by an estimate.
#[inline(never)]
pub fn layer_pending(service: &mut impl Service<u64>) -> bool {
    request(service, 3).is_ok()
}

/// [`Alternates`] of two, the first of which answers at once.
#[inline(never)]
pub fn alternates_ready(service: &mut impl Service<u64>) -> bool {
    request(service, 4).is_ok()
}
