//! The budget that tells what is paid into it and out of it.

use std::{fmt, mem};

use crate::{
    Account, Balance, Budget, BudgetObserver, Cause, Earns, Exhausted, Outcome, sync::Arc, unwinding::in_a_drop,
};

/// A budget that tells an observer what is paid in and out.
///
/// It grants what the budget in it grants. A withdrawal, a refusal and a refund are told at once. A deposit is told once for
/// each account: where requests pay ([`Earns::EachRequest`]) when the first attempt has succeeded or failed for good, when an
/// extra one is asked for, or when the account is dropped, whichever comes first; where successes pay
/// ([`Earns::EachSuccess`]) at the first success.
///
/// Cloning is one reference count; every clone is the same budget. An account counts one reference beside those of the
/// account in it, a token likewise. The balance is read for each event.
///
/// ```
/// use evenkeel_budget::{Account, Budget, BudgetObserver, Cause, Costs, Observed, TokenBudget};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// #[derive(Default)]
/// struct Refusals(AtomicU32);
///
/// impl BudgetObserver for Refusals {
///     fn on_refusal(&self, _: Cause, balance: f64) {
///         assert_eq!(balance, 6.0);
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let budget = Observed::new(TokenBudget::new(20, Costs::REVISION_2026), Refusals::default());
/// let mut account = budget.open();
/// let granted = account.withdraw(Cause::Transient);
/// assert!(granted.is_ok());
/// assert!(account.withdraw(Cause::Transient).is_err());
/// assert_eq!(budget.observer().0.load(Ordering::Relaxed), 1);
/// ```
pub struct Observed<B, O> {
    shared: Arc<Shared<B, O>>,
}

struct Shared<B, O> {
    budget: B,
    observer: O,
}

impl<B: Balance, O: BudgetObserver> Observed<B, O> {
    /// `budget`, watched by `observer`. What other handles of it do is not told.
    #[must_use]
    pub fn new(budget: B, observer: O) -> Self {
        let shared = Arc::new(Shared { budget, observer });
        shared.tell(O::on_balance);
        Self { shared }
    }
}

impl<B, O> Observed<B, O> {
    /// The budget that is watched.
    #[must_use]
    pub fn budget(&self) -> &B {
        &self.shared.budget
    }

    /// Who watches it.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.shared.observer
    }
}

impl<B: Balance, O: BudgetObserver> Shared<B, O> {
    fn tell(&self, event: impl FnOnce(&O, f64)) {
        event(&self.observer, self.budget.balance());
    }

    fn tell_at_the_end(&self, event: impl FnOnce(&O, f64)) {
        in_a_drop(|| self.tell(event));
    }
}

impl<B: Balance, O: BudgetObserver> Budget for Observed<B, O> {
    type Account = ObservedAccount<B, O>;

    fn open(&self) -> ObservedAccount<B, O> {
        let deposit = Deposit { shared: Arc::clone(&self.shared), is_told: false };
        ObservedAccount { account: self.shared.budget.open(), deposit }
    }

    /// Where the budget in it may, and no deposit is told of a request that has only ended.
    fn opens_late(&self) -> bool {
        match self.shared.budget.earns() {
            Earns::EachRequest => false,
            Earns::EachSuccess | Earns::Nothing => self.shared.budget.opens_late(),
        }
    }

    fn first_success(&self) {
        if !self.opens_late() {
            return self.open().record(Outcome::Success);
        }
        self.shared.budget.first_success();
        match self.shared.budget.earns() {
            Earns::EachRequest | Earns::EachSuccess => self.shared.tell(O::on_deposit),
            Earns::Nothing => {}
        }
    }
}

/// By reference as by value.
impl<B: Balance, O: BudgetObserver> Budget for &Observed<B, O> {
    type Account = ObservedAccount<B, O>;

    fn open(&self) -> ObservedAccount<B, O> {
        (**self).open()
    }

    fn opens_late(&self) -> bool {
        (**self).opens_late()
    }

    fn first_success(&self) {
        (**self).first_success();
    }
}

impl<B: Balance, O: BudgetObserver> Balance for Observed<B, O> {
    fn earns(&self) -> Earns {
        self.shared.budget.earns()
    }

    fn balance(&self) -> f64 {
        self.shared.budget.balance()
    }
}

impl<B, O> Clone for Observed<B, O> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<B: fmt::Debug, O> fmt::Debug for Observed<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("budget", &self.shared.budget).finish_non_exhaustive()
    }
}

/// One request's side of an [`Observed`] budget.
pub struct ObservedAccount<B: Balance, O: BudgetObserver> {
    // Dropped in this order: an account that pays at its end has paid when that is told.
    account: B::Account,
    deposit: Deposit<B, O>,
}

/// The deposit of one account, to be told.
struct Deposit<B: Balance, O: BudgetObserver> {
    shared: Arc<Shared<B, O>>,
    is_told: bool,
}

impl<B: Balance, O: BudgetObserver> Deposit<B, O> {
    /// Whether it is to be told now. It counts as told before it is: an observer that panics does not hear it again.
    fn is_due(&mut self) -> bool {
        !mem::replace(&mut self.is_told, true)
    }

    fn tell(&mut self) {
        if self.is_due() {
            self.shared.tell(O::on_deposit);
        }
    }
}

impl<B: Balance, O: BudgetObserver> Drop for Deposit<B, O> {
    fn drop(&mut self) {
        if self.shared.budget.earns() == Earns::EachRequest && self.is_due() {
            self.shared.tell_at_the_end(O::on_deposit);
        }
    }
}

impl<B: Balance, O: BudgetObserver> Account for ObservedAccount<B, O> {
    type Token = ObservedToken<B, O>;

    fn withdraw(&mut self, cause: Cause) -> Result<ObservedToken<B, O>, Exhausted> {
        let asked = self.account.withdraw(cause);
        if self.deposit.shared.budget.earns() == Earns::EachRequest {
            self.deposit.tell();
        }
        let Deposit { shared, .. } = &self.deposit;
        match asked {
            Ok(token) => {
                // Told while the token is still the budget's own: a panic gives it back, and tells no refund.
                shared.tell(|observer, balance| observer.on_withdrawal(cause, balance));
                Ok(ObservedToken { token, refund: Refund { shared: Arc::clone(shared), cause, sent: false } })
            }
            Err(exhausted) => {
                shared.tell(|observer, balance| observer.on_refusal(cause, balance));
                Err(exhausted)
            }
        }
    }

    fn sent(&mut self, ObservedToken { token, refund }: &mut ObservedToken<B, O>) {
        self.account.sent(token);
        refund.sent = true;
    }

    fn record(&mut self, outcome: Outcome) {
        self.account.record(outcome);
        match (self.deposit.shared.budget.earns(), outcome) {
            (Earns::EachRequest, Outcome::Success | Outcome::Permanent) | (Earns::EachSuccess, Outcome::Success) => {
                self.deposit.tell();
            }
            // An extra attempt may be asked for at once, and tells it; else the drop does.
            (Earns::EachRequest, Outcome::Transient | Outcome::Throttled) | (Earns::Nothing, _) => {}
            (Earns::EachSuccess, Outcome::Transient | Outcome::Throttled | Outcome::Permanent) => {
                self.deposit.shared.tell(O::on_balance);
            }
        }
    }
}

impl<B: Balance<Account: fmt::Debug>, O: BudgetObserver> fmt::Debug for ObservedAccount<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedAccount").field("account", &self.account).finish_non_exhaustive()
    }
}

/// One extra attempt of an [`Observed`] budget. Dropped before it is [`sent`](Account::sent), it is given back.
#[must_use = "dropping the token may give the attempt back: keep it while the attempt is in flight"]
pub struct ObservedToken<B: Balance, O: BudgetObserver> {
    // Dropped in this order: it is given back when that is told.
    token: <B::Account as Account>::Token,
    refund: Refund<B, O>,
}

/// The refund of one token, to be told if it was not sent.
struct Refund<B: Balance, O: BudgetObserver> {
    shared: Arc<Shared<B, O>>,
    cause: Cause,
    sent: bool,
}

impl<B: Balance, O: BudgetObserver> Drop for Refund<B, O> {
    fn drop(&mut self) {
        let (sent, cause) = (self.sent, self.cause);
        self.shared.tell_at_the_end(|observer, balance| {
            if sent { observer.on_balance(balance) } else { observer.on_refund(cause, balance) }
        });
    }
}

impl<B: Balance, O: BudgetObserver> fmt::Debug for ObservedToken<B, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refund { cause, sent, .. } = &self.refund;
        f.debug_struct("ObservedToken").field("cause", cause).field("sent", sent).finish_non_exhaustive()
    }
}
