//! Hedging by the attempts that are under way at once, and alternates by their number.

use std::{
    cell::Cell,
    future::{Pending, pending, poll_fn, ready},
    hint::black_box,
    num::NonZeroU32,
    task::Poll,
    time::Duration,
};

use evenkeel_hedging::{Alternates, AtOnce, Hedge, Unlimited};
use tower::service_fn;

use super::grower::{At, Grower};
use crate::measure::{drive, request};

pub(super) fn run(grower: &mut Grower) {
    let mut points = attempts(grower);
    points.extend(alternates(grower));
    grower.time("hedging", points);
}

fn never(_: Duration) -> Pending<()> {
    pending()
}

/// All are sent at once, and the last one sent answers.
fn attempts(grower: &Grower) -> Vec<At<'static>> {
    let mut points = Vec::new();
    for attempts in grower.sizes(&[1, 2, 4, 8, 16]) {
        let most = NonZeroU32::new(attempts as u32).expect("one at least");
        let hedge = Hedge::new(AtOnce, never).max_attempts(most).budget(Unlimited);
        let sent = Cell::new(0);
        points.push(
            At::new("Hedge::run, all at once, the last answers", attempts, move || {
                sent.set(0);
                let attempt = || {
                    sent.set(sent.get() + 1);
                    let is_last = sent.get() == attempts;
                    poll_fn(move |_| if is_last { Poll::Ready(Ok::<u64, u64>(1)) } else { Poll::Pending })
                };
                assert!(drive(hedge.run(|_| attempt())).is_ok());
            })
            .per(attempts),
        );
    }
    points
}

fn alternates(grower: &Grower) -> Vec<At<'static>> {
    let mut points = Vec::new();
    for services in grower.sizes(&[2, 4, 8, 16, 32, 64]) {
        let well = service_fn(|_: u64| ready(black_box(Ok::<u64, u64>(1))));
        let mut first = Alternates::new(vec![well; services as usize]);
        points.push(
            At::new("Alternates, the first answers", services, move || {
                assert!(request(&mut first, 1).is_ok());
            })
            .per(services),
        );
        let unwell = service_fn(|_: u64| ready(black_box(Err::<u64, u64>(1))));
        let mut all = Alternates::new(vec![unwell; services as usize]);
        points.push(
            At::new("Alternates, all fail in turn", services, move || {
                assert!(request(&mut all, 1).is_err());
            })
            .per(services),
        );
        let racing = Hedge::new(AtOnce, never).budget(Unlimited);
        let mut at_once = Alternates::new(vec![unwell; services as usize]).policy(racing);
        points.push(
            At::new("Alternates, all fail at once", services, move || {
                assert!(request(&mut at_once, 1).is_err());
            })
            .per(services),
        );
    }
    points
}
