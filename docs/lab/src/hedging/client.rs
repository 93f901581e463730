//! The client: each policy as the real type, asking the service in the time that it is given.

use std::{cell::RefCell, future::Future, num::NonZeroU32, rc::Rc, time::Duration};

use evenkeel_budget::{RatioBudget, TokenBudget, Unlimited};
use evenkeel_hedging::{Delays, Hedge, PolicyFor, Quantile};

use super::{
    Hedging, Paying, Policy,
    service::{Failed, Service},
    tally::{Call, Tally},
    time::{Clock, Time},
};

/// A client's surroundings.
#[derive(Debug)]
pub(super) struct World<T> {
    pub(super) time: T,
    pub(super) service: Service,
    pub(super) tally: RefCell<Tally>,
}

impl<T: Time> World<T> {
    /// A request begins now.
    pub(super) fn begin(&self, request: u64) -> Call {
        Call::new(request, self.time.now())
    }

    /// One attempt more of this request.
    pub(super) fn attempt(&self, call: &Call) -> impl Future<Output = Result<(), Failed>> + use<T> {
        let (attempt, now) = (call.sent.get(), self.time.now());
        call.sent.set(attempt + 1);
        if attempt == 1 {
            call.second_after.set(Some(now - call.begun));
        }
        let (latency, result) = self.service.answer(call.request, attempt, now);
        let sleep = self.time.sleep(latency);
        async move {
            sleep.await;
            result
        }
    }

    /// It is answered.
    pub(super) fn end(&self, call: &Call, is_success: bool) {
        self.tally.borrow_mut().answered(call, self.time.now(), is_success);
    }
}

/// What is done with a policy, whatever its parts are.
pub(super) trait Use<T> {
    fn with<P: PolicyFor<(), Failed> + 'static>(self, policy: P);
}

impl Policy {
    /// Makes the policy, a new one, and hands it on. In place of tower's, which are none of this library's, it is one that never
    /// hedges.
    pub(super) fn make<T: Time>(self, time: &T, then: impl Use<T>) {
        let sleep = {
            let time = time.clone();
            move |delay| time.sleep(delay)
        };
        match self.hedge {
            Hedging::None | Hedging::TowerP90 | Hedging::TowerP95 | Hedging::TowerP95Eager => {
                self.pay(time, Hedge::new([Duration::ZERO; 0], sleep), then);
            }
            Hedging::Fixed10Ms => self.pay(time, Hedge::after(Duration::from_millis(10), sleep), then),
            Hedging::P90 | Hedging::P95 => self.pay(time, Hedge::new(self.quantile(time), sleep), then),
            Hedging::P90x2 | Hedging::P95x2 => {
                self.pay(time, Hedge::new(self.quantile(time), sleep).max_attempts(THREE), then);
            }
        }
    }

    fn quantile<T: Time>(self, time: &T) -> Quantile<Clock> {
        let share = if matches!(self.hedge, Hedging::P90 | Hedging::P90x2) { 0.9 } else { 0.95 };
        Quantile::builder(share).clock(time.clock()).build().expect("a share between 0 and 1")
    }

    fn pay<T, D, W, S>(self, time: &T, hedge: Hedge<D, W>, then: impl Use<T>)
    where
        T: Time,
        D: Delays + 'static,
        W: Fn(Duration) -> S + 'static,
        S: Future + 'static,
    {
        match self.budget {
            Paying::Unlimited => then.with(hedge.budget(Unlimited)),
            Paying::Tokens => then.with(hedge.budget(TokenBudget::default())),
            Paying::Ratio => {
                let budget = RatioBudget::builder().ratio(0.2).min_per_second(0).clock(time.clock()).build();
                then.with(hedge.budget(budget.expect("a ratio in its range")));
            }
        }
    }
}

/// One request.
pub(super) async fn hedged<T: Time, P: PolicyFor<(), Failed>>(world: Rc<World<T>>, policy: Rc<P>, request: u64) {
    let call = world.begin(request);
    let result = policy.run(|_| world.attempt(&call)).await;
    world.end(&call, result.is_ok());
}

const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();
