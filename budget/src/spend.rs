//! A budget, or that none was chosen: what a policy holds before it is run or made a layer.

use crate::{Budget, TokenBudget, Unlimited};

/// No budget was chosen: a combinator is bounded by its policy alone, and a layer makes itself a [`TokenBudget`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unbudgeted;

/// A [`Budget`], or [`Unbudgeted`].
pub trait Spend {
    /// The budget of a combinator.
    type Own: Budget;
    /// The budget of a layer.
    type Layered: Budget;
    /// The budget of a combinator.
    fn own(&self) -> &Self::Own;
    /// The budget of a layer.
    fn layered(self) -> Self::Layered;
}

impl<B: Budget> Spend for B {
    type Own = B;
    type Layered = B;

    fn own(&self) -> &B {
        self
    }

    fn layered(self) -> B {
        self
    }
}

impl Spend for Unbudgeted {
    type Own = Unlimited;
    type Layered = TokenBudget;

    fn own(&self) -> &Unlimited {
        &Unlimited
    }

    fn layered(self) -> TokenBudget {
        TokenBudget::default()
    }
}
