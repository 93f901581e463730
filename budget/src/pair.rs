//! Two budgets as one: both must agree.

use crate::{Account, Budget, Cause, Exhausted, Outcome};

/// Grants what both grant. The first is asked first; where the second refuses, the first has its token back.
///
/// Nest pairs for more than two. A budget that two layers share is charged by both; this is for two limits on one layer: a
/// budget for this host and one for all of them, or a [`RatioBudget`](crate::RatioBudget) and an
/// [`InFlightBudget`](crate::InFlightBudget).
///
/// ```
/// use evenkeel_budget::{Account, Budget, Cause, Costs, TokenBudget};
///
/// let (host, all) = (TokenBudget::default(), TokenBudget::new(0, Costs::REVISION_2026));
/// let both = (host.clone(), all);
/// assert!(both.open().withdraw(Cause::Transient).is_err(), "`all` holds nothing");
/// assert_eq!(host.balance(), 500, "and `host` has it back");
/// ```
impl<A: Budget, B: Budget> Budget for (A, B) {
    type Account = (A::Account, B::Account);

    fn open(&self) -> Self::Account {
        (self.0.open(), self.1.open())
    }

    fn opens_late(&self) -> bool {
        self.0.opens_late() && self.1.opens_late()
    }

    fn first_success(&self) {
        self.0.first_success();
        self.1.first_success();
    }
}

impl<A: Account, B: Account> Account for (A, B) {
    type Token = (A::Token, B::Token);

    fn withdraw(&mut self, cause: Cause) -> Result<Self::Token, Exhausted> {
        // Not sent, so dropping it is giving it back.
        let first = self.0.withdraw(cause)?;
        Ok((first, self.1.withdraw(cause)?))
    }

    fn sent(&mut self, (first, second): &mut Self::Token) {
        self.0.sent(first);
        self.1.sent(second);
    }

    fn record(&mut self, outcome: Outcome) {
        self.0.record(outcome);
        self.1.record(outcome);
    }
}
