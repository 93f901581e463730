//! Budgets of tokens: one counter, no clock, in the forms of the AWS SDKs and of gRPC.

mod account;
mod bucket;
mod costs;

use std::fmt;

pub use account::{TokenAccount, Tokens};
pub use costs::Costs;

use crate::{Account, Balance, Budget, Earns, Invalid, Outcome, sync::Arc};
use bucket::Bucket;

/// A bucket of tokens: extra attempts or failures take some, requests that succeed put some in.
///
/// It starts full. Both forms have one counter and no clock, so none can confuse them.
///
/// **The AWS form** ([`new`](Self::new), and the default): an extra attempt takes what it [`Costs`], and is refused when
/// there is less. A retry that helped returns what it cost, a success at the first try adds one, a failure adds nothing. So
/// while the service is well the bucket is full and its count is only read; and in an outage it empties after
/// `capacity / cost` extra attempts and grants no more until requests succeed again. In between, with
/// [`Costs::REVISION_2026`], the extra load is at most about a quarter of what succeeds (when a fifth of the attempts
/// fail). A hedge is never returned, for it is sent when nothing has failed: when all answers are slow and good, a refund
/// for each would let every request be sent twice. Hedges are about one to fourteen successes. Source: the AWS SDKs'
/// *standard* retry mode (AWS SDKs and Tools Reference Guide, "Retry behavior").
///
/// **The gRPC form** ([`grpc`](Self::grpc)): a failure that could be retried takes one token, whether it is retried or
/// not, a success puts in a fraction of one, and extra attempts are granted while the bucket is more than half full. They
/// cost nothing themselves: it limits how many failures are answered with retries, not how many retries there are. Source:
/// gRFC A6, "Throttling Retry Attempts and Hedged RPCs".
///
/// Cloning is one reference count; every clone is the same bucket. A reference to it is a budget as well, whose accounts
/// count no references.
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
    shared: Arc<Shared>,
}

struct Shared {
    /// In tokens, or in the gRPC form in thousandths.
    bucket: Bucket,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Aws(Costs),
    Grpc {
        /// What a success puts in, in thousandths.
        success: u32,
    },
}

/// What a [`TokenBudget`] holds at one moment, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TokenSnapshot {
    /// What it holds.
    pub balance: f64,
    /// What it holds when full.
    pub capacity: f64,
}

impl TokenBudget {
    /// 500 tokens, as the AWS SDKs have it: 35 retries of [`Costs::REVISION_2026`] from full to empty, which is enough
    /// for a hiccup of a busy client and too few for a storm.
    pub const DEFAULT_CAPACITY: u32 = 500;

    /// A token in the gRPC form.
    const THOUSAND: u32 = 1000;

    /// The AWS form: a full bucket of `capacity` tokens. Any capacity and any costs are legal.
    #[must_use]
    pub fn new(capacity: u32, costs: Costs) -> Self {
        Self { shared: Arc::new(Shared { bucket: Bucket::full(capacity), form: Form::Aws(costs) }) }
    }

    /// The AWS form at [`Costs::REVISION_2026`], with a capacity for a client that sends so many requests a second: two and a
    /// half tokens for each, and two retries at least.
    ///
    /// The default of 500 is that for 200 a second. To a client of a few a second its 35 retries are most of what it sends
    /// in a short outage, and to one of thousands they are gone in a hiccup. Sized like this, from a dozen requests a second
    /// on, an outage of a second sees at most 18 % more than the first attempts, a longer one less.
    ///
    /// ```
    /// use evenkeel_budget::TokenBudget;
    ///
    /// assert_eq!(TokenBudget::sized_for(200).capacity(), TokenBudget::DEFAULT_CAPACITY);
    /// assert_eq!(TokenBudget::sized_for(1).capacity(), 28);
    /// ```
    #[must_use]
    pub fn sized_for(requests_per_second: u32) -> Self {
        let (costs, half) = (Costs::REVISION_2026, requests_per_second / 2);
        let capacity = requests_per_second.saturating_mul(2).saturating_add(half).max(2 * costs.transient);
        Self::new(capacity, costs)
    }

    /// The gRPC form: a full bucket of `max_tokens`, into which each success puts `token_ratio`. The decimals of both after
    /// the third are ignored. The proposal's example is 10 and 0.1.
    ///
    /// ```
    /// use evenkeel_budget::{Account, Budget, Cause, Outcome, TokenBudget};
    ///
    /// let budget = TokenBudget::grpc(4.0, 0.5)?;
    /// let mut account = budget.open();
    /// account.record(Outcome::Transient);
    /// assert!(account.withdraw(Cause::Transient).is_ok(), "3 is more than half of 4");
    /// account.record(Outcome::Transient);
    /// assert!(account.withdraw(Cause::Transient).is_err(), "2 is not");
    /// budget.open().record(Outcome::Success);
    /// assert!(account.withdraw(Cause::Transient).is_ok(), "2.5 is");
    ///
    /// assert_eq!(TokenBudget::grpc(0.0, 0.1).unwrap_err().field(), "max_tokens");
    /// # Ok::<(), evenkeel_budget::Invalid>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`] when one of them is not from 0.001 to 1000.
    pub fn grpc(max_tokens: f64, token_ratio: f64) -> Result<Self, Invalid> {
        let capacity = thousandths("max_tokens", max_tokens)?;
        let success = thousandths("token_ratio", token_ratio)?;
        Ok(Self { shared: Arc::new(Shared { bucket: Bucket::full(capacity), form: Form::Grpc { success } }) })
    }

    /// The whole tokens that it holds now, at most [`capacity`](Self::capacity).
    #[must_use]
    pub fn balance(&self) -> u32 {
        self.shared.bucket.held() / self.shared.unit()
    }

    /// The whole tokens that it holds when full.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.shared.bucket.capacity() / self.shared.unit()
    }

    /// What it holds now, with the fractions of the gRPC form.
    #[must_use]
    pub fn snapshot(&self) -> TokenSnapshot {
        let Shared { bucket, .. } = &*self.shared;
        let tokens = |held: u32| f64::from(held) / f64::from(self.shared.unit());
        TokenSnapshot { balance: tokens(bucket.held()), capacity: tokens(bucket.capacity()) }
    }

    /// What an extra attempt costs, in the AWS form.
    #[must_use]
    pub fn costs(&self) -> Option<Costs> {
        match self.shared.form {
            Form::Aws(costs) => Some(costs),
            Form::Grpc { .. } => None,
        }
    }
}

impl Shared {
    fn unit(&self) -> u32 {
        match self.form {
            Form::Aws(_) => 1,
            Form::Grpc { .. } => TokenBudget::THOUSAND,
        }
    }

    fn is_above_half(&self) -> bool {
        // The capacity is at most a thousand thousandths a thousand times, so twice that fits.
        self.bucket.held() * 2 > self.bucket.capacity()
    }
}

/// Thousandths of a number that is in the range of the proposal, without what is left of one.
fn thousandths(field: &'static str, value: f64) -> Result<u32, Invalid> {
    // A decimal such as 0.579 may be a hair below what was written; it has no eighth place, so a millionth is no more.
    let held = (value * f64::from(TokenBudget::THOUSAND) + 1e-6).floor();
    if held >= 1.0 && value <= 1000.0 {
        Ok(held as u32)
    } else {
        Err(Invalid::number(field, value, "from 0.001 to 1000"))
    }
}

/// [`TokenBudget::DEFAULT_CAPACITY`] tokens at [`Costs::REVISION_2026`].
impl Default for TokenBudget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY, Costs::REVISION_2026)
    }
}

impl Budget for TokenBudget {
    type Account = TokenAccount;

    fn open(&self) -> TokenAccount {
        TokenAccount::new(self.clone())
    }

    #[inline]
    fn opens_late(&self) -> bool {
        true
    }

    #[inline]
    fn first_success(&self) {
        TokenAccount::new(self).record(Outcome::Success);
    }
}

/// By reference: its accounts and tokens count no references.
impl<'a> Budget for &'a TokenBudget {
    type Account = TokenAccount<&'a TokenBudget>;

    fn open(&self) -> Self::Account {
        TokenAccount::new(self)
    }

    #[inline]
    fn opens_late(&self) -> bool {
        true
    }
}

impl Balance for TokenBudget {
    fn earns(&self) -> Earns {
        Earns::EachSuccess
    }

    fn balance(&self) -> f64 {
        self.snapshot().balance
    }
}

impl fmt::Debug for TokenBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TokenSnapshot { balance, capacity } = self.snapshot();
        f.debug_struct("TokenBudget")
            .field("balance", &balance)
            .field("capacity", &capacity)
            .field("form", &self.shared.form)
            .finish()
    }
}
