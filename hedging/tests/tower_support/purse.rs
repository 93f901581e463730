//! A budget that says what it holds, and who holds something of it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use evenkeel_hedging::{Account, Budget, Cause, Exhausted, Outcome};

/// So many extra attempts. Clones are the same purse.
#[derive(Clone, Default)]
pub(crate) struct Purse(Rc<Held>);

#[derive(Default)]
struct Held {
    coins: Cell<u32>,
    requests: Cell<i32>,
    tokens: Cell<i32>,
    asked: RefCell<Vec<Cause>>,
}

pub(crate) struct Open(Purse);

pub(crate) struct Token {
    purse: Purse,
    sent: bool,
}

impl Purse {
    pub(crate) fn of(coins: u32) -> Self {
        let purse = Self::default();
        purse.0.coins.set(coins);
        purse
    }

    pub(crate) fn coins(&self) -> u32 {
        self.0.coins.get()
    }

    /// Tokens that are held.
    pub(crate) fn tokens(&self) -> i32 {
        self.0.tokens.get()
    }

    /// Whether no request is open, and no token is held.
    pub(crate) fn is_idle(&self) -> bool {
        (self.0.requests.get(), self.0.tokens.get()) == (0, 0)
    }

    /// For what it was asked.
    pub(crate) fn asked(&self) -> Vec<Cause> {
        self.0.asked.borrow().clone()
    }
}

impl Budget for Purse {
    type Account = Open;

    fn open(&self) -> Open {
        self.0.requests.set(self.0.requests.get() + 1);
        Open(self.clone())
    }
}

impl Account for Open {
    type Token = Token;

    fn withdraw(&mut self, cause: Cause) -> Result<Token, Exhausted> {
        let held = &self.0.0;
        held.asked.borrow_mut().push(cause);
        held.coins.set(held.coins.get().checked_sub(1).ok_or(Exhausted::new())?);
        held.tokens.set(held.tokens.get() + 1);
        Ok(Token { purse: self.0.clone(), sent: false })
    }

    fn sent(&mut self, token: &mut Token) {
        token.sent = true;
    }

    fn record(&mut self, _: Outcome) {}
}

impl Drop for Open {
    fn drop(&mut self) {
        let held = &self.0.0;
        held.requests.set(held.requests.get() - 1);
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let held = &self.purse.0;
        held.tokens.set(held.tokens.get() - 1);
        if !self.sent {
            held.coins.set(held.coins.get() + 1);
        }
    }
}
