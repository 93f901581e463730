//! Who watches: observers that count what they are told, and then panic now and then.

use std::sync::Arc;

use evenkeel_backoff as backoff;
use evenkeel_breaker::{self as breaker, BreakerObserver, CallEnd, CheckEnd, Transition};
use evenkeel_budget::{self as budget, BudgetObserver, Cause, Priority, ThrottleObserver};
use evenkeel_hedging as hedging;

use super::{
    faults::{Fault, Faults},
    ledger::Count,
};

/// Hears of everything that one way through the stack does.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    faults: Arc<Faults>,
    heard: Arc<Heard>,
    /// Whether attempts that follow a failure are paid for when it is a hedging policy that sends them.
    pays_failures: bool,
}

/// What was heard; each count is made before the panic.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Attempts of retries, first ones too.
    pub(super) attempts: Count,
    /// Of those: after the first.
    pub(super) retries: Count,
    /// Attempts that were announced and not made, for the observer panicked.
    pub(super) attempts_unmade: Count,
    /// Attempts of hedges, first ones too.
    pub(super) flights: Count,
    /// Of those: because others were late.
    pub(super) hedges: Count,
    /// Of those: because another had failed.
    pub(super) failovers: Count,
    /// Of those: that a budget has paid for.
    pub(super) paid: Count,
    /// Calls that a breaker rejected.
    pub(super) rejects: Count,
    /// Of those: with a panic.
    pub(super) rejects_panicked: Count,
    /// Times that a breaker opened.
    pub(super) openings: Count,
    /// Times that a breaker closed by its probes.
    pub(super) recoveries: Count,
    /// Checks of probers.
    pub(super) checks: Count,
    /// Requests that the throttle rejected.
    pub(super) throttled: Count,
}

impl Watch {
    /// Counts into `heard`.
    pub(super) fn new(faults: &Arc<Faults>, heard: &Arc<Heard>, pays_failures: bool) -> Self {
        Self { faults: Arc::clone(faults), heard: Arc::clone(heard), pays_failures }
    }
}

impl backoff::Observer for Watch {
    fn on_attempt(&self, attempt: u32) {
        self.heard.attempts.add();
        if attempt > 0 {
            self.heard.retries.add();
        }
        if self.faults.strikes(Fault::PanicRetryObserver) {
            self.heard.attempts_unmade.add();
            panic_as_meant();
        }
    }

    fn on_verdict(&self, _: u32, _: budget::Verdict) {
        self.faults.panics(Fault::PanicRetryObserver);
    }

    fn on_retry(&self, _: u32, _: Cause, _: std::time::Duration) {
        self.faults.panics(Fault::PanicRetryObserver);
    }

    fn on_stop(&self, _: u32, _: backoff::Stop) {
        self.faults.panics(Fault::PanicRetryObserver);
    }
}

impl hedging::Observer for Watch {
    fn on_attempt(&self, attempt: hedging::Attempt) {
        let heard = &self.heard;
        heard.flights.add();
        match attempt.cause {
            None => {}
            Some(Cause::Hedge) => heard.hedges.add(),
            Some(Cause::Transient | Cause::Throttled | Cause::Timeout) => heard.failovers.add(),
        }
        if attempt.cause.is_some() && (attempt.is_hedge() || self.pays_failures) {
            heard.paid.add();
        }
        self.faults.panics(Fault::PanicHedgeObserver);
    }

    fn on_verdict(&self, _: hedging::Attempt, _: budget::Verdict) {
        self.faults.panics(Fault::PanicHedgeObserver);
    }

    fn on_refused(&self, _: Cause) {
        self.faults.panics(Fault::PanicHedgeObserver);
    }

    fn on_answer(&self, _: hedging::Answer) {
        self.faults.panics(Fault::PanicHedgeObserver);
    }
}

impl BreakerObserver for Watch {
    fn on_transition(&self, transition: &Transition) {
        match transition.to {
            breaker::State::Open => self.heard.openings.add(),
            breaker::State::Closed if transition.from == breaker::State::HalfOpen => self.heard.recoveries.add(),
            breaker::State::Closed
            | breaker::State::HalfOpen
            | breaker::State::ForcedOpen
            | breaker::State::ForcedClosed => {}
        }
        self.faults.panics(Fault::PanicBreakerObserver);
    }

    fn on_call(&self, _: &CallEnd) {
        self.faults.panics(Fault::PanicBreakerObserver);
    }

    fn on_reject(&self, _: &breaker::Rejected) {
        self.heard.rejects.add();
        if self.faults.strikes(Fault::PanicBreakerObserver) {
            self.heard.rejects_panicked.add();
            panic_as_meant();
        }
    }

    fn on_check(&self, _: &CheckEnd) {
        self.heard.checks.add();
        self.faults.panics(Fault::PanicBreakerObserver);
    }

    fn wants_durations(&self) -> bool {
        true
    }
}

impl BudgetObserver for Watch {
    fn on_balance(&self, _: f64) {
        self.faults.panics(Fault::PanicBudgetObserver);
    }

    fn on_deposit(&self, _: f64) {
        self.faults.panics(Fault::PanicBudgetObserver);
    }

    fn on_withdrawal(&self, _: Cause, _: f64) {
        self.faults.panics(Fault::PanicBudgetObserver);
    }

    fn on_refusal(&self, _: Cause, _: f64) {
        self.faults.panics(Fault::PanicBudgetObserver);
    }

    fn on_refund(&self, _: Cause, _: f64) {
        self.faults.panics(Fault::PanicBudgetObserver);
    }
}

impl ThrottleObserver for Watch {
    fn on_admit(&self, _: Priority, _: f64) {
        self.faults.panics(Fault::PanicThrottleObserver);
    }

    fn on_reject(&self, _: Priority, _: f64) {
        self.heard.throttled.add();
        self.faults.panics(Fault::PanicThrottleObserver);
    }

    fn on_outcome(&self, _: bool) {
        self.faults.panics(Fault::PanicThrottleObserver);
    }
}

fn panic_as_meant() -> ! {
    std::panic::resume_unwind(Box::new(super::faults::Meant))
}
