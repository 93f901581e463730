//! The clients: what they do when they are refused.

use std::time::Duration;

use evenkeel_backoff::{Exponential, Retry};
use evenkeel_breaker::{Breaker, OpenTimes};
use evenkeel_budget::{AdaptiveThrottle, AnyBudget, TokenBudget, Unlimited};

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
    /// Three more attempts, with exponential backoff and full jitter.
    Jittered,
    /// The same, paid from [`TokenBudget::default`].
    Budget,
    /// No more attempts, and none while a breaker of the default rules is open.
    Breaker,
    /// No more attempts, and so many as an [`AdaptiveThrottle`] lets through, which looks back 20 s.
    Throttle,
    /// Retries, paid from the budget, under them the throttle.
    Both,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::None, Self::Jittered, Self::Budget, Self::Breaker, Self::Throttle, Self::Both];

    /// What tables and charts call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Jittered => "jittered",
            Self::Budget => "budget",
            Self::Breaker => "breaker",
            Self::Throttle => "throttle",
            Self::Both => "both",
        }
    }

    /// One client of the fleet, by its number; what it draws replays by the seed.
    pub(super) fn client(self, time: Paused, seed: u64, number: u32) -> Box<dyn Client> {
        let seed = |what: u64| Rng::keyed(&[seed, what, number.into()]).next_u64();
        let retries = match self {
            Self::None | Self::Breaker | Self::Throttle => 0,
            Self::Jittered | Self::Budget | Self::Both => 3,
        };
        let budget: AnyBudget = match self {
            Self::Budget | Self::Both => TokenBudget::default().into(),
            Self::None | Self::Jittered | Self::Breaker | Self::Throttle => Unlimited.into(),
        };
        let schedule = Exponential::new(Duration::from_millis(100)).cap(Duration::from_secs(10)).take(retries);
        let retry = Retry::new(Drawn::new(seed(RETRY), move |seed| schedule.seed(seed)), time.sleeper())
            .clock(time.clock())
            .budget(budget)
            .when(again);
        let breaker = || {
            let open_for = Drawn::new(seed(OPEN), |seed| OpenTimes::default().seed(seed));
            Breaker::builder().open_for(open_for).clock(time.clock()).build()
        };
        let throttle = || AdaptiveThrottle::builder().window(WINDOW).seed(seed(SHED)).clock(time.clock()).build();
        caller(
            retry,
            match self {
                Self::None | Self::Jittered | Self::Budget => Guard::None,
                // The defaults, or the constant below.
                Self::Breaker => Guard::Breaker(breaker().expect("the default rules")),
                Self::Throttle | Self::Both => Guard::Throttle(throttle().expect("a window of seconds")),
            },
        )
    }
}

/// Shorter than the default, which is for services that are asked for years.
const WINDOW: Duration = Duration::from_secs(20);

/// What is drawn for the waits of a client, for its breaker, and for its throttle.
const RETRY: u64 = 3;
const OPEN: u64 = 4;
const SHED: u64 = 5;
