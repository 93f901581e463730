//! What happened, in its order: to attempts, and to the budget.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use evenkeel_hedging::{Account, Budget, Cause, Exhausted, Outcome};

use super::World;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The request's account was opened.
    Opened,
    /// The budget was asked, and granted it or not.
    Asked(Cause, bool),
    /// That attempt was sent.
    Sent(u32),
    /// The budget heard that the attempt of its grant number so much was sent.
    Paid(usize),
    /// That attempt has ended by itself.
    Ended(u32),
    /// The token of that grant was dropped.
    Freed(usize),
    /// The budget heard how an attempt ended.
    Recorded(Outcome),
    /// That attempt was dropped in flight.
    Lost(u32),
    /// The request has that attempt's result.
    Answered(u32),
    /// Its account was dropped.
    Closed,
}

/// A time in milliseconds, and what happened then.
pub(crate) type Log = Vec<(u64, Event)>;

/// Writes the log. Clones write the same one.
#[derive(Clone)]
pub(crate) struct Scribe {
    world: World,
    log: Rc<RefCell<Log>>,
}

impl Scribe {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), log: Rc::default() }
    }

    pub(crate) fn note(&self, event: Event) {
        self.log.borrow_mut().push((self.world.millis(), event));
    }

    pub(crate) fn take(&self) -> Log {
        self.log.take()
    }
}

/// A budget that notes all that it is told, and grants by a list: beyond its end, everything.
#[derive(Clone)]
pub(crate) struct SpyBudget {
    scribe: Scribe,
    grants: Rc<[bool]>,
}

pub(crate) struct SpyAccount {
    scribe: Scribe,
    grants: Rc<[bool]>,
    asked: usize,
    granted: usize,
}

pub(crate) struct SpyToken {
    scribe: Scribe,
    grant: usize,
    sent: Cell<bool>,
}

impl SpyBudget {
    pub(crate) fn new(scribe: &Scribe, grants: &[bool]) -> Self {
        Self { scribe: scribe.clone(), grants: grants.into() }
    }
}

impl Budget for SpyBudget {
    type Account = SpyAccount;

    fn open(&self) -> SpyAccount {
        self.scribe.note(Event::Opened);
        SpyAccount { scribe: self.scribe.clone(), grants: Rc::clone(&self.grants), asked: 0, granted: 0 }
    }
}

impl Account for SpyAccount {
    type Token = SpyToken;

    fn withdraw(&mut self, cause: Cause) -> Result<SpyToken, Exhausted> {
        let granted = self.grants.get(self.asked).copied().unwrap_or(true);
        self.asked += 1;
        self.scribe.note(Event::Asked(cause, granted));
        if !granted {
            return Err(Exhausted::new());
        }
        self.granted += 1;
        Ok(SpyToken { scribe: self.scribe.clone(), grant: self.granted - 1, sent: Cell::new(false) })
    }

    fn sent(&mut self, token: &mut SpyToken) {
        assert!(!token.sent.replace(true), "sent once");
        self.scribe.note(Event::Paid(token.grant));
    }

    fn record(&mut self, outcome: Outcome) {
        self.scribe.note(Event::Recorded(outcome));
    }
}

impl Drop for SpyAccount {
    fn drop(&mut self) {
        self.scribe.note(Event::Closed);
    }
}

impl Drop for SpyToken {
    fn drop(&mut self) {
        self.scribe.note(Event::Freed(self.grant));
    }
}
