//! A budget whose kind is chosen when the program runs.

use crate::{
    Account, Balance, Budget, Cause, Earns, Exhausted, InFlightAccount, InFlightBudget, InFlightSnapshot,
    InFlightToken, Outcome, RatioAccount, RatioBudget, RatioSnapshot, RatioToken, TokenAccount, TokenBudget,
    TokenSnapshot, Tokens, Unlimited,
};

/// One of the budgets, chosen at run time: from a configuration file, say (feature `serde`).
///
/// Cloning is one reference count at most; every clone is the same budget.
///
/// ```
/// use evenkeel_budget::{Account, AnyBudget, Budget, Cause, Costs, TokenBudget, Unlimited};
///
/// let budgets: [AnyBudget; 2] = [Unlimited.into(), TokenBudget::new(20, Costs::REVISION_2026).into()];
/// let granted = budgets.map(|budget| {
///     let mut account = budget.open();
///     let tokens: Vec<_> = (0..5).map_while(|_| account.withdraw(Cause::Transient).ok()).collect();
///     tokens.len()
/// });
/// assert_eq!(granted, [5, 1]);
/// ```
#[derive(Clone, Debug)]
pub struct AnyBudget(Kind<RatioBudget, TokenBudget, InFlightBudget, Unlimited>);

/// One request's side of an [`AnyBudget`].
#[derive(Debug)]
pub struct AnyAccount(Kind<RatioAccount, TokenAccount, InFlightAccount, Unlimited>);

/// One extra attempt of an [`AnyBudget`]. Only the account that granted it says that it is sent.
#[derive(Debug)]
#[must_use = "dropping the token may give the attempt back: keep it while the attempt is in flight"]
pub struct AnyToken(Kind<RatioToken, Tokens, InFlightToken, ()>);

/// The budget, the account or the token of each kind.
#[derive(Clone, Debug)]
enum Kind<R, T, I, U> {
    Ratio(R),
    Token(T),
    InFlight(I),
    Unlimited(U),
}

/// The same expression for whichever kind it is.
macro_rules! each {
    ($of:expr, $it:ident => $do:expr) => {
        match $of {
            Kind::Ratio($it) => $do,
            Kind::Token($it) => $do,
            Kind::InFlight($it) => $do,
            Kind::Unlimited($it) => $do,
        }
    };
}

/// What an [`AnyBudget`] holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnySnapshot {
    /// Of a [`RatioBudget`].
    Ratio(RatioSnapshot),
    /// Of a [`TokenBudget`].
    Token(TokenSnapshot),
    /// Of an [`InFlightBudget`].
    InFlight(InFlightSnapshot),
    /// [`Unlimited`] holds nothing.
    Unlimited,
}

impl AnyBudget {
    /// What it holds now.
    #[must_use]
    pub fn snapshot(&self) -> AnySnapshot {
        match &self.0 {
            Kind::Ratio(budget) => AnySnapshot::Ratio(budget.snapshot()),
            Kind::Token(budget) => AnySnapshot::Token(budget.snapshot()),
            Kind::InFlight(budget) => AnySnapshot::InFlight(budget.snapshot()),
            Kind::Unlimited(_) => AnySnapshot::Unlimited,
        }
    }
}

/// By reference as by value.
impl Budget for &AnyBudget {
    type Account = AnyAccount;

    fn open(&self) -> AnyAccount {
        (**self).open()
    }
}

impl Budget for AnyBudget {
    type Account = AnyAccount;

    fn open(&self) -> AnyAccount {
        AnyAccount(match &self.0 {
            Kind::Ratio(budget) => Kind::Ratio(budget.open()),
            Kind::Token(budget) => Kind::Token(budget.open()),
            Kind::InFlight(budget) => Kind::InFlight(budget.open()),
            Kind::Unlimited(budget) => Kind::Unlimited(budget.open()),
        })
    }
}

impl Balance for AnyBudget {
    fn earns(&self) -> Earns {
        each!(&self.0, budget => budget.earns())
    }

    fn balance(&self) -> f64 {
        each!(&self.0, budget => Balance::balance(budget))
    }
}

impl Account for AnyAccount {
    type Token = AnyToken;

    fn withdraw(&mut self, cause: Cause) -> Result<AnyToken, Exhausted> {
        Ok(AnyToken(match &mut self.0 {
            Kind::Ratio(account) => Kind::Ratio(account.withdraw(cause)?),
            Kind::Token(account) => Kind::Token(account.withdraw(cause)?),
            Kind::InFlight(account) => Kind::InFlight(account.withdraw(cause)?),
            Kind::Unlimited(account) => Kind::Unlimited(account.withdraw(cause)?),
        }))
    }

    fn sent(&mut self, token: &mut AnyToken) {
        match (&mut self.0, &mut token.0) {
            (Kind::Ratio(account), Kind::Ratio(token)) => account.sent(token),
            (Kind::Token(account), Kind::Token(token)) => account.sent(token),
            (Kind::InFlight(account), Kind::InFlight(token)) => account.sent(token),
            (Kind::Unlimited(account), Kind::Unlimited(token)) => account.sent(token),
            // A token of another budget is not this account's to send.
            (Kind::Ratio(_) | Kind::Token(_) | Kind::InFlight(_) | Kind::Unlimited(_), _) => {}
        }
    }

    fn record(&mut self, outcome: Outcome) {
        each!(&mut self.0, account => account.record(outcome));
    }
}

macro_rules! from_budget {
    ($($budget:ident $kind:ident)*) => {$(
        impl From<$budget> for AnyBudget {
            fn from(budget: $budget) -> Self {
                Self(Kind::$kind(budget))
            }
        }
    )*};
}

from_budget!(RatioBudget Ratio TokenBudget Token InFlightBudget InFlight Unlimited Unlimited);
