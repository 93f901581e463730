//! The form that every budget has: a shared handle, an account for each request, a token for each extra attempt.

use std::{error, fmt};

use crate::Outcome;

/// A shared limit on extra attempts: a handle that is cheap to clone, every clone the same budget.
///
/// One original request opens one [`Account`]. Retries, hedges and alternates all pay from it in the same way, so one
/// budget can be charged by all three.
pub trait Budget {
    /// What one original request holds for as long as it lasts.
    type Account: Account;

    /// One original request begins; dropping the account ends it, however far it had come.
    fn open(&self) -> Self::Account;

    /// Whether an account may as well be opened later: nothing comes of one, opened or dropped, before it is told of an outcome
    /// or asked for a token, and nothing of a second success of one request. Then a request whose first attempt succeeds needs
    /// none: see [`LateAccount`](crate::LateAccount).
    ///
    /// The same for as long as the budget lives. A budget that counts requests when they begin, or that are in flight, answers
    /// `false`, and so does one that says nothing.
    fn opens_late(&self) -> bool {
        false
    }

    /// One original request that never had an account has succeeded with its first attempt: what an account does that is
    /// opened, told of a [`Success`](Outcome::Success) and dropped, and no more.
    fn first_success(&self) {
        self.open().record(Outcome::Success);
    }
}

/// One original request's side of a [`Budget`].
///
/// The order is: [`record`](Self::record) after every attempt; before an extra one [`withdraw`](Self::withdraw), and
/// [`sent`](Self::sent) when it really goes out, which may be a delay later.
///
/// # Cancel safety
///
/// Dropping the account and its tokens at any point leaves the budget as if the rest of the request had never been
/// meant: an attempt that was granted but not yet sent costs nothing. One that *was* sent stays paid, answered or not,
/// for the service had the load: if giving up were a refund, callers that give up during an outage would retry for
/// free.
pub trait Account {
    /// Held while the extra attempt waits to be sent and while it is in flight. Dropping it before [`sent`](Self::sent)
    /// gives back all that it cost.
    type Token;

    /// Asks to send one extra attempt.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] when the budget does not hold enough. A refusal costs nothing.
    fn withdraw(&mut self, cause: Cause) -> Result<Self::Token, Exhausted>;

    /// The attempt that `token` paid for is being sent. Keep the token until that attempt has ended. It must be one that this
    /// account was given: what another's is worth here is not specified.
    fn sent(&mut self, token: &mut Self::Token) {
        let _ = token;
    }

    /// Says how an attempt ended, the first one and each extra one.
    fn record(&mut self, outcome: Outcome);
}

/// A [`Budget`] that can say what it holds: what its gauge shows.
pub trait Balance: Budget {
    /// When it is paid into. The same for as long as it lives.
    fn earns(&self) -> Earns;

    /// What it holds now, in its own units; what an extra attempt needs is the budget's to say.
    fn balance(&self) -> f64;
}

/// When a budget is paid into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Earns {
    /// Once for each original request, however it ends.
    EachRequest,
    /// Once for each original request that succeeds.
    EachSuccess,
    /// Never.
    Nothing,
}

/// Why an extra attempt is asked for; a budget may price them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The attempt before it failed and may succeed when it is repeated.
    Transient,
    /// The attempt before it was refused because the service is asked too often.
    Throttled,
    /// The attempt before it did not answer in the time that it was given.
    Timeout,
    /// The attempt before it is late, and has not failed.
    Hedge,
}

/// The refusal of a [`Budget`]: it does not hold what the extra attempt would cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exhausted;

impl Exhausted {
    /// The refusal.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the budget for extra attempts is exhausted")
    }
}

impl error::Error for Exhausted {}
