//! An account that is opened when it is needed.

use crate::{Account, Budget, Outcome};

/// The [`Account`] of one request, opened only when there is something to say or to ask, where the
/// [budget allows it](Budget::opens_late): a request that succeeds at once then costs no account, and no reference to be counted.
///
/// This is what retries and hedges hold. Each method takes the budget, which must be the same one for as long as it lasts.
///
/// ```
/// use evenkeel_budget::{Account, Budget, Cause, Costs, LateAccount, Outcome, TokenBudget};
///
/// let budget = TokenBudget::new(20, Costs::REVISION_2026);
/// let mut account = LateAccount::begin(&budget);
/// account.record(&budget, Outcome::Transient);
/// let mut token = account.of(&budget).withdraw(Cause::Transient)?;
/// account.of(&budget).sent(&mut token);
/// assert_eq!(budget.balance(), 6);
///
/// let mut another = LateAccount::begin(&budget);
/// another.record(&budget, Outcome::Success);
/// assert_eq!(budget.balance(), 7, "a success at the first try adds one");
/// # Ok::<(), evenkeel_budget::Exhausted>(())
/// ```
///
/// # Cancel safety
///
/// As of the [`Account`]; before there is one, dropping it does nothing.
#[derive(Debug)]
pub struct LateAccount<A> {
    account: Option<A>,
    /// It has succeeded before there was an account, which then does not know of it.
    has_succeeded: bool,
}

impl<A: Account> LateAccount<A> {
    /// One original request begins.
    #[inline]
    pub fn begin<B: Budget<Account = A>>(budget: &B) -> Self {
        Self { account: (!budget.opens_late()).then(|| budget.open()), has_succeeded: false }
    }

    /// The account, opened now if it was not: to [`withdraw`](Account::withdraw), and to say what is
    /// [`sent`](Account::sent). How an attempt ended is for [`record`](Self::record).
    #[inline]
    pub fn of<B: Budget<Account = A>>(&mut self, budget: &B) -> &mut A {
        self.account.get_or_insert_with(|| budget.open())
    }

    /// Says how an attempt ended, as [`Account::record`] does.
    #[inline]
    pub fn record<B: Budget<Account = A>>(&mut self, budget: &B, outcome: Outcome) {
        match (&self.account, outcome) {
            // A request earns once.
            (_, Outcome::Success) if self.has_succeeded => {}
            (None, Outcome::Success) => {
                self.has_succeeded = true;
                budget.first_success();
            }
            (None, Outcome::Transient | Outcome::Throttled | Outcome::Permanent) | (Some(_), _) => {
                self.of(budget).record(outcome);
            }
        }
    }
}
