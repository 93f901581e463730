//! One request's side of a token budget.

use std::{borrow::Borrow, fmt, mem};

use super::{Form, TokenBudget};
use crate::{Account, Cause, Exhausted, Outcome};

/// One request's side of a [`TokenBudget`]: it remembers what this request's last extra attempt cost.
pub struct TokenAccount<B: Borrow<TokenBudget> = TokenBudget> {
    budget: B,
    refund: Refund,
}

/// What a success of this request puts back.
#[derive(Clone, Copy, Debug)]
enum Refund {
    /// No retry was sent: it adds what a success is worth.
    FirstTry,
    /// The cost of the last retry that was sent.
    Last(u32),
    /// It has succeeded already. A request earns once, however many of its attempts succeed.
    Settled,
}

impl<B: Borrow<TokenBudget>> TokenAccount<B> {
    pub(super) fn new(budget: B) -> Self {
        Self { budget, refund: Refund::FirstTry }
    }
}

impl<B: Borrow<TokenBudget> + Clone> Account for TokenAccount<B> {
    type Token = Tokens<B>;

    fn withdraw(&mut self, cause: Cause) -> Result<Tokens<B>, Exhausted> {
        let TokenBudget { shared } = self.budget.borrow();
        let (granted, cost) = match shared.form {
            Form::Aws(costs) => (shared.bucket.take(costs.of(cause)), costs.of(cause)),
            Form::Grpc { .. } => (shared.is_above_half(), 0),
        };
        if !granted {
            return Err(Exhausted::new());
        }
        let refundable = match cause {
            Cause::Transient | Cause::Throttled | Cause::Timeout => true,
            Cause::Hedge => false,
        };
        Ok(Tokens { budget: self.budget.clone(), cost, refundable, sent: false })
    }

    fn sent(&mut self, token: &mut Tokens<B>) {
        let again = mem::replace(&mut token.sent, true);
        if !again && token.refundable && !matches!(self.refund, Refund::Settled) {
            self.refund = Refund::Last(token.cost);
        }
    }

    fn record(&mut self, outcome: Outcome) {
        let TokenBudget { shared } = self.budget.borrow();
        match (outcome, shared.form) {
            (Outcome::Success, form) => {
                let earned = match (self.refund, form) {
                    (Refund::Settled, _) => 0,
                    (Refund::FirstTry, Form::Aws(_)) => 1,
                    (Refund::Last(cost), Form::Aws(_)) => cost,
                    (Refund::FirstTry | Refund::Last(_), Form::Grpc { success }) => success,
                };
                shared.bucket.put(earned);
                self.refund = Refund::Settled;
            }
            (Outcome::Transient | Outcome::Throttled, Form::Grpc { .. }) => shared.bucket.lose(TokenBudget::THOUSAND),
            (Outcome::Transient | Outcome::Throttled, Form::Aws(_)) | (Outcome::Permanent, _) => {}
        }
    }
}

impl<B: Borrow<TokenBudget>> fmt::Debug for TokenAccount<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAccount").field("refund", &self.refund).finish_non_exhaustive()
    }
}

/// What one extra attempt was paid with. Dropped before it is [`sent`](Account::sent), it goes back into the bucket.
#[must_use = "dropping the tokens gives them back: keep them while the attempt is in flight"]
pub struct Tokens<B: Borrow<TokenBudget> = TokenBudget> {
    budget: B,
    cost: u32,
    refundable: bool,
    sent: bool,
}

impl<B: Borrow<TokenBudget>> Drop for Tokens<B> {
    fn drop(&mut self) {
        if !self.sent {
            self.budget.borrow().shared.bucket.put(self.cost);
        }
    }
}

impl<B: Borrow<TokenBudget>> fmt::Debug for Tokens<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("cost", &self.cost).field("sent", &self.sent).finish_non_exhaustive()
    }
}
