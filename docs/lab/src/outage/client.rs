//! The clients: from one that gives up at once to one with all that there is against storms.

use std::time::Duration;

use evenkeel_backoff::{Exponential, Jitter, Retry};
use evenkeel_breaker::Breaker;
use evenkeel_budget::{AnyBudget, TokenBudget, Unlimited};

use crate::{
    drawn::Drawn,
    fleet::{Client, Guard, again, caller},
    paused::Paused,
    rng::Rng,
};

/// What a client does when an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Nothing: the user is told.
    None,
    /// Three more attempts, at once.
    Naive,
    /// Three more, after 100, 200 and 400 ms.
    Exponential,
    /// Three more, each after a time drawn from zero to that.
    Jittered,
    /// The same, from a budget: [`TokenBudget::grpc`] with 10 tokens, of which each success earns a tenth.
    Budget,
    /// Jittered, from [`TokenBudget::default`], which holds 500 tokens: more than so small a client will ever need.
    LargeBudget,
    /// As [`Budget`](Self::Budget), with a breaker under it, which opens at the fifth failure in a row, for a second, two, four up to ten.
    Breaker,
}

impl Strategy {
    /// Those that are compared, each with one thing more than the one before: all but the large budget.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Naive, Self::Exponential, Self::Jittered, Self::Budget, Self::Breaker];

    /// What tables and charts call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Naive => "naive",
            Self::Exponential => "exponential",
            Self::Jittered => "jittered",
            Self::Budget => "budget",
            Self::LargeBudget => "large budget",
            Self::Breaker => "breaker",
        }
    }

    /// One client of the fleet, by its number; what it draws replays by the seed.
    pub(super) fn client(self, time: Paused, seed: u64, number: u32) -> Box<dyn Client> {
        let seed = |what: u64| Rng::keyed(&[seed, what, number.into()]).next_u64();
        let schedule = self.schedule();
        let retry = Retry::new(Drawn::new(seed(RETRY), move |seed| schedule.seed(seed)), time.sleeper())
            .clock(time.clock())
            .budget(self.budget())
            .when(again);
        let open = Exponential::new(Duration::from_secs(1)).cap(Duration::from_secs(10)).jitter(Jitter::Equal);
        let breaker = || {
            Breaker::builder()
                .consecutive_failures(5)
                .open_for(Drawn::new(seed(OPEN), move |seed| open.seed(seed)))
                .probe_timeout(super::LIMIT * 2)
                .clock(time.clock())
                .build()
                // The constants above.
                .expect("settings that a breaker takes")
        };
        caller(retry, if self == Self::Breaker { Guard::Breaker(breaker()) } else { Guard::None })
    }

    const fn schedule(self) -> Exponential {
        match self {
            Self::None => WAITS.take(0),
            Self::Naive => Exponential::new(Duration::ZERO).take(RETRIES),
            Self::Exponential => WAITS.jitter(Jitter::None).take(RETRIES),
            Self::Jittered | Self::Budget | Self::LargeBudget | Self::Breaker => WAITS.take(RETRIES),
        }
    }

    fn budget(self) -> AnyBudget {
        match self {
            Self::None | Self::Naive | Self::Exponential | Self::Jittered => Unlimited.into(),
            Self::LargeBudget => TokenBudget::default().into(),
            // The constants are within their ranges.
            Self::Budget | Self::Breaker => TokenBudget::grpc(10.0, 0.1).expect("a budget").into(),
        }
    }
}

const WAITS: Exponential = Exponential::new(Duration::from_millis(100)).cap(Duration::from_secs(10));
const RETRIES: usize = 3;

/// What is drawn for the waits of a client, and for its breaker.
const RETRY: u64 = 3;
const OPEN: u64 = 4;
