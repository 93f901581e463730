//! The token bucket of the AWS SDKs' standard retry mode: one counter, no clock.

use std::{fmt, mem};

use crate::{
    Account, Budget, Cause, Exhausted, Outcome,
    sync::{Arc, AtomicU32, Ordering},
};

/// A bucket of tokens: an extra attempt takes some, a request that succeeds puts some back.
///
/// It starts full. A retry that helped returns what it cost, a success at the first try adds one, a failure adds
/// nothing. So while the service is well the bucket is full and its count is only read; and in an outage it empties after
/// `capacity / cost` extra attempts and grants no more until requests succeed again. In between, with
/// [`Costs::REVISION_2026`], the extra load is at most about a quarter of what succeeds (when a fifth of the attempts
/// fail). It has no clock, so it cannot be confused by one.
///
/// A hedge is never returned, for it is sent when nothing has failed: when all answers are slow and good, a refund for
/// each would let every request be sent twice. Hedges are about one to fourteen successes.
///
/// Source: the AWS SDKs' *standard* retry mode (AWS SDKs and Tools Reference Guide, "Retry behavior").
///
/// Cloning is one reference count; every clone is the same bucket.
///
/// ```
/// use evenkeel_budget::{Account, Budget, Cause, Costs, Exhausted, TokenBudget};
///
/// let budget = TokenBudget::new(20, Costs::REVISION_2026);
/// let mut account = budget.open();
/// let token = account.withdraw(Cause::Transient)?;
/// assert_eq!(budget.balance(), 6);
/// assert_eq!(account.withdraw(Cause::Transient).err(), Some(Exhausted::new()), "6 left, and it costs 14");
///
/// drop(token); // cancelled before it was sent
/// assert_eq!(budget.balance(), 20);
/// # Ok::<(), Exhausted>(())
/// ```
#[derive(Clone)]
pub struct TokenBudget {
    bucket: Arc<Bucket>,
}

/// What one extra attempt costs, in tokens, by its cause.
///
/// A cost above the capacity is never granted; a cost of 0 always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// After a transient failure.
    pub transient: u32,
    /// After a throttled one.
    pub throttled: u32,
    /// After an attempt that was cut off by a timeout.
    pub timeout: u32,
    /// Beside an attempt that is late.
    pub hedge: u32,
}

impl Costs {
    /// The 2026 revision of the standard mode: 14, and 5 when throttled, for such an answer is cheap for the service.
    pub const REVISION_2026: Self = Self { transient: 14, throttled: 5, timeout: 14, hedge: 14 };

    /// The standard mode before that: 5, and 10 after a timeout, for a service that is too slow to answer suffers most
    /// from being asked again.
    pub const EARLIER: Self = Self { transient: 5, throttled: 5, timeout: 10, hedge: 5 };

    const fn of(&self, cause: Cause) -> u32 {
        match cause {
            Cause::Transient => self.transient,
            Cause::Throttled => self.throttled,
            Cause::Timeout => self.timeout,
            Cause::Hedge => self.hedge,
        }
    }
}

impl TokenBudget {
    /// 500 tokens, as the AWS SDKs have it: 35 retries of [`Costs::REVISION_2026`] from full to empty, which is enough
    /// for a hiccup of a busy client and too few for a storm.
    pub const DEFAULT_CAPACITY: u32 = 500;

    /// A full bucket of `capacity` tokens. Any capacity and any costs are legal.
    #[must_use]
    pub fn new(capacity: u32, costs: Costs) -> Self {
        Self { bucket: Arc::new(Bucket { tokens: AtomicU32::new(capacity), capacity, costs }) }
    }

    /// The tokens that it holds now, at most [`capacity`](Self::capacity).
    #[must_use]
    pub fn balance(&self) -> u32 {
        self.bucket.tokens.load(Ordering::Relaxed)
    }

    /// The tokens that it holds when full.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.bucket.capacity
    }

    /// What an extra attempt costs.
    #[must_use]
    pub fn costs(&self) -> Costs {
        self.bucket.costs
    }
}

/// [`TokenBudget::DEFAULT_CAPACITY`] tokens at [`Costs::REVISION_2026`].
impl Default for TokenBudget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY, Costs::REVISION_2026)
    }
}

impl fmt::Debug for TokenBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBudget")
            .field("balance", &self.balance())
            .field("capacity", &self.capacity())
            .field("costs", &self.costs())
            .finish()
    }
}

impl Budget for TokenBudget {
    type Account = TokenAccount;

    fn open(&self) -> TokenAccount {
        TokenAccount { bucket: Arc::clone(&self.bucket), refund: Refund::FirstTry }
    }
}

/// One request's side of a [`TokenBudget`]: it remembers what this request's last extra attempt cost.
pub struct TokenAccount {
    bucket: Arc<Bucket>,
    refund: Refund,
}

/// What a success of this request puts back.
#[derive(Clone, Copy, Debug)]
enum Refund {
    /// No retry was sent: it adds one.
    FirstTry,
    /// The cost of the last retry that was sent.
    Last(u32),
    /// It has succeeded already. A request earns once, however many of its attempts succeed.
    Settled,
}

impl Account for TokenAccount {
    type Token = Tokens;

    fn withdraw(&mut self, cause: Cause) -> Result<Tokens, Exhausted> {
        let cost = self.bucket.costs.of(cause);
        self.bucket.take(cost)?;
        let refundable = match cause {
            Cause::Transient | Cause::Throttled | Cause::Timeout => true,
            Cause::Hedge => false,
        };
        Ok(Tokens { bucket: Arc::clone(&self.bucket), cost, refundable, sent: false })
    }

    fn sent(&mut self, token: &mut Tokens) {
        let again = mem::replace(&mut token.sent, true);
        if !again && token.refundable && !matches!(self.refund, Refund::Settled) {
            self.refund = Refund::Last(token.cost);
        }
    }

    fn record(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => {
                match self.refund {
                    Refund::FirstTry => self.bucket.put(1),
                    Refund::Last(cost) => self.bucket.put(cost),
                    Refund::Settled => {}
                }
                self.refund = Refund::Settled;
            }
            Outcome::Transient | Outcome::Throttled | Outcome::Permanent => {}
        }
    }
}

impl fmt::Debug for TokenAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAccount").field("refund", &self.refund).finish_non_exhaustive()
    }
}

/// What one extra attempt was paid with. Dropped before it is [`sent`](Account::sent), it goes back into the bucket.
#[must_use = "dropping the tokens gives them back: keep them while the attempt is in flight"]
pub struct Tokens {
    bucket: Arc<Bucket>,
    cost: u32,
    refundable: bool,
    sent: bool,
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if !self.sent {
            self.bucket.put(self.cost);
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("cost", &self.cost).field("sent", &self.sent).finish_non_exhaustive()
    }
}

struct Bucket {
    tokens: AtomicU32,
    capacity: u32,
    costs: Costs,
}

// Every ordering is relaxed: the counter guards no other memory, and a read-modify-write sees the latest value of its
// own variable whatever its ordering, which is all that "never grants more than it holds" needs. That `put` leaves a full
// bucket alone may rest on an older value; but the bucket was full at a moment no earlier than anything this thread has
// seen, so the deposit comes into a full bucket in an order of events that all threads can agree on.
impl Bucket {
    fn take(&self, cost: u32) -> Result<(), Exhausted> {
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| held.checked_sub(cost))
            .map(drop)
            .map_err(|_| Exhausted::new())
    }

    /// Adds, up to the capacity. A full bucket's count is not written. (Opening an account is a reference counted, which is a
    /// write, beside it.)
    fn put(&self, tokens: u32) {
        let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            (held < self.capacity).then(|| held.saturating_add(tokens).min(self.capacity))
        });
    }
}
