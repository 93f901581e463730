//! A budget whose kind is chosen when the program runs.

use std::borrow::Borrow;

use crate::{
    Account, Balance, Budget, Cause, Earns, Exhausted, InFlightAccount, InFlightBudget, InFlightSnapshot,
    InFlightToken, Outcome, RatioAccount, RatioBudget, RatioHandle, RatioSnapshot, RatioToken, TokenAccount,
    TokenBudget, TokenSnapshot, Tokens, Unlimited,
};

/// One of the budgets, chosen at run time: from a configuration file, say (feature `serde`).
///
/// Cloning is one reference count at most; every clone is the same budget. A reference to it is a budget as well, whose accounts
/// count no references.
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
pub struct AnyAccount<H: AnyHandle = AnyBudget>(AccountOf<H>);

/// One extra attempt of an [`AnyBudget`]. Only the account that granted it says that it is sent.
#[derive(Debug)]
#[must_use = "dropping the token may give the attempt back: keep it while the attempt is in flight"]
pub struct AnyToken<H: AnyHandle = AnyBudget>(TokenOf<H>);

// Every kind's own, for one handle.
type AccountOf<H> = Kind<
    RatioAccount<<H as AnyHandle>::Ratio>,
    TokenAccount<<H as AnyHandle>::Token>,
    InFlightAccount<<H as AnyHandle>::InFlight>,
    Unlimited,
>;
type TokenOf<H> = Kind<
    RatioToken<<H as AnyHandle>::Ratio>,
    Tokens<<H as AnyHandle>::Token>,
    InFlightToken<<H as AnyHandle>::InFlight>,
    (),
>;

/// An [`AnyBudget`], by value or by reference, and so the one in it: what its accounts hold.
#[doc(hidden)]
pub trait AnyHandle: sealed::Sealed {
    type Ratio: RatioHandle;
    type Token: Borrow<TokenBudget> + Clone;
    type InFlight: Borrow<InFlightBudget> + Clone;
}

mod sealed {
    #[allow(unnameable_types)] // That is what seals it.
    pub trait Sealed {}
    impl Sealed for super::AnyBudget {}
    impl Sealed for &super::AnyBudget {}
}

impl AnyHandle for AnyBudget {
    type Ratio = RatioBudget;
    type Token = TokenBudget;
    type InFlight = InFlightBudget;
}

impl<'a> AnyHandle for &'a AnyBudget {
    type Ratio = &'a RatioBudget;
    type Token = &'a TokenBudget;
    type InFlight = &'a InFlightBudget;
}

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

/// By reference: its accounts and tokens count no references.
impl<'a> Budget for &'a AnyBudget {
    type Account = AnyAccount<&'a AnyBudget>;

    #[inline]
    fn open(&self) -> Self::Account {
        AnyAccount(match &self.0 {
            Kind::Ratio(budget) => Kind::Ratio(Budget::open(&budget)),
            Kind::Token(budget) => Kind::Token(Budget::open(&budget)),
            Kind::InFlight(budget) => Kind::InFlight(Budget::open(&budget)),
            Kind::Unlimited(budget) => Kind::Unlimited(budget.open()),
        })
    }

    fn opens_late(&self) -> bool {
        (**self).opens_late()
    }

    fn first_success(&self) {
        (**self).first_success();
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

    fn opens_late(&self) -> bool {
        each!(&self.0, budget => budget.opens_late())
    }

    fn first_success(&self) {
        each!(&self.0, budget => budget.first_success());
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

impl<H: AnyHandle> Account for AnyAccount<H> {
    type Token = AnyToken<H>;

    fn withdraw(&mut self, cause: Cause) -> Result<AnyToken<H>, Exhausted> {
        Ok(AnyToken(match &mut self.0 {
            Kind::Ratio(account) => Kind::Ratio(account.withdraw(cause)?),
            Kind::Token(account) => Kind::Token(account.withdraw(cause)?),
            Kind::InFlight(account) => Kind::InFlight(account.withdraw(cause)?),
            Kind::Unlimited(account) => Kind::Unlimited(account.withdraw(cause)?),
        }))
    }

    fn sent(&mut self, token: &mut AnyToken<H>) {
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
