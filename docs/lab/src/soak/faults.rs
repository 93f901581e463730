//! What goes wrong: which faults there are, how often each strikes, and how often it did.

use std::{
    panic,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::rng::Rng;

/// The payload of a panic that is meant. It is raised without the panic hook: nothing is printed.
#[derive(Debug)]
pub(super) struct Meant;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $chance:literal, $word:literal;)*) => {
        /// One kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Fault {
            $($(#[doc = $doc])* $name,)*
        }

        impl Fault {
            /// All of them, in the order of the report.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What the report calls it.
            #[must_use]
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// With what probability it strikes when it can.
            const fn chance(self) -> f64 {
                match self {
                    $(Self::$name => $chance,)*
                }
            }
        }
    };
}

faults! {
    /// The service fails and may not the next time.
    Transient = 0.08, "error, transient";
    /// The service says that it is asked too often, and when to come back.
    Throttled = 0.03, "error, throttled with a hint";
    /// The service says that the request is wrong.
    Permanent = 0.02, "error, permanent";
    /// The service fails while it is made ready.
    NotReady = 0.003, "error, while made ready";
    /// The service takes several times as long as usual.
    Slow = 0.06, "answer, late";
    /// The service never answers.
    Hang = 0.008, "answer, never";
    /// A whole service is down for a while: all that is asked of it fails.
    Outage = 0.05, "outage of a service";
    /// The caller gives up after a while.
    GivesUp = 0.05, "caller gives up after a time";
    /// The caller drops the future after so many polls, or before the first.
    Dropped = 0.05, "caller drops after some polls";
    /// The caller's task is aborted.
    Aborted = 0.04, "caller's task is aborted";
    /// A thread forgets to say how its call ended.
    Unsaid = 0.1, "permit dropped without a word";
    /// The service panics when it is called.
    PanicCall = 0.003, "panic, call of the service";
    /// The response panics.
    PanicFuture = 0.004, "panic, response";
    /// The classifier panics.
    PanicClassifier = 0.002, "panic, classifier";
    /// The observer of retries panics.
    PanicRetryObserver = 0.001, "panic, observer of retries";
    /// The observer of hedges panics.
    PanicHedgeObserver = 0.001, "panic, observer of hedges";
    /// The observer of a breaker panics.
    PanicBreakerObserver = 0.001, "panic, observer of a breaker";
    /// The observer of a budget panics.
    PanicBudgetObserver = 0.002, "panic, observer of a budget";
    /// The observer of the throttle panics.
    PanicThrottleObserver = 0.001, "panic, observer of the throttle";
    /// The sleeper panics.
    PanicSleeper = 0.002, "panic, sleeper";
    /// The clock panics.
    PanicClock = 0.001_5, "panic, clock";
    /// A prober's check panics.
    PanicCheck = 0.05, "panic, check of a prober";
    /// The clock jumps ahead, by up to three minutes.
    LeapAhead = 0.03, "clock jumps ahead";
    /// The clock jumps back, by up to five seconds.
    LeapBack = 0.05, "clock jumps back";
    /// The sleeper is over too soon.
    ShortSleep = 0.05, "sleep over too soon";
    /// A breaker is forced open.
    ForcedOpen = 0.02, "breaker forced open";
    /// A breaker is forced closed.
    ForcedClosed = 0.01, "breaker forced closed";
    /// A breaker is reset.
    Reset = 0.04, "breaker reset";
    /// A stream of transitions is dropped, and a new one begun.
    StreamDropped = 0.1, "stream of transitions dropped";
    /// A key that was never seen before.
    NewKey = 0.1, "key never seen before";
}

const KINDS: usize = Fault::ALL.len();

/// Draws faults, and counts those that struck.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    armed: AtomicBool,
    draws: [AtomicU64; KINDS],
    struck: [AtomicU64; KINDS],
    others: AtomicU64,
}

impl Faults {
    /// None strikes before [`arm`](Self::arm).
    #[must_use]
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            armed: AtomicBool::new(false),
            draws: [const { AtomicU64::new(0) }; KINDS],
            struck: [const { AtomicU64::new(0) }; KINDS],
            others: AtomicU64::new(0),
        }
    }

    /// Whether faults strike from now on.
    pub(super) fn arm(&self, armed: bool) {
        self.armed.store(armed, Ordering::SeqCst);
    }

    /// Whether one of this kind strikes now. The first that can strike does, so that the shortest soak has all of them.
    pub(super) fn strikes(&self, fault: Fault) -> bool {
        if !self.armed.load(Ordering::Relaxed) {
            return false;
        }
        let draw = self.draws[fault as usize].fetch_add(1, Ordering::Relaxed);
        let strikes = draw == 0 || Rng::keyed(&[self.seed, fault as u64, draw]).chance(fault.chance());
        if strikes {
            self.struck[fault as usize].fetch_add(1, Ordering::Relaxed);
        }
        strikes
    }

    /// Panics if one of this kind strikes now.
    pub(super) fn panics(&self, fault: Fault) {
        if self.strikes(fault) {
            panic::resume_unwind(Box::new(Meant));
        }
    }

    /// How often one of this kind has struck.
    #[must_use]
    pub(super) fn struck(&self, fault: Fault) -> u64 {
        self.struck[fault as usize].load(Ordering::Relaxed)
    }

    /// Randomness for all that is no fault.
    pub(super) fn rng(&self) -> Rng {
        Rng::keyed(&[self.seed, KINDS as u64, self.others.fetch_add(1, Ordering::Relaxed)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_chance_is_taken_and_later_ones_by_probability() {
        let faults = Faults::new(1);
        assert!(!faults.strikes(Fault::Transient), "they are not armed");
        faults.arm(true);
        assert!(Fault::ALL.iter().all(|fault| faults.strikes(*fault)));
        let more = (0..10_000).filter(|_| faults.strikes(Fault::Transient)).count() as u64;
        assert!((700..900).contains(&more), "{more}");
        assert_eq!(faults.struck(Fault::Transient), more + 1);
    }

    #[test]
    fn the_draws_replay_by_the_seed() {
        let draws = |seed| {
            let faults = Faults::new(seed);
            faults.arm(true);
            (0..64).fold(0_u64, |bits, _| bits << 1 | u64::from(faults.strikes(Fault::Outage)))
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }
}
