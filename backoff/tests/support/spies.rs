//! An observer and a budget that remember what they were told.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use evenkeel_backoff::{Account, Budget, Cause, Exhausted, Observer, Outcome, Stop, Unlimited};

/// The reasons that it was told.
#[derive(Default)]
pub(crate) struct Stops(pub(crate) RefCell<Vec<(u32, Stop)>>);

impl Observer for Stops {
    fn on_stop(&self, attempts: u32, stop: Stop) {
        self.0.borrow_mut().push((attempts, stop));
    }
}

/// A budget that counts what is open: (requests, extra attempts).
#[derive(Clone, Default)]
pub(crate) struct InFlight(pub(crate) Rc<Cell<(i32, i32)>>);

pub(crate) struct Open(InFlight, (i32, i32));

impl InFlight {
    pub(crate) fn open(&self, requests: i32, extra: i32) -> Open {
        let now = self.0.get();
        self.0.set((now.0 + requests, now.1 + extra));
        Open(self.clone(), (requests, extra))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let now = self.0.0.get();
        self.0.0.set((now.0 - self.1.0, now.1 - self.1.1));
    }
}

impl Budget for InFlight {
    type Account = Open;

    fn open(&self) -> Open {
        Self::open(self, 1, 0)
    }
}

/// A budget whose accounts may be opened late: (accounts, successes at the first attempt).
#[derive(Clone, Default)]
pub(crate) struct Late(pub(crate) Rc<Cell<(u32, u32)>>);

impl Budget for Late {
    type Account = Unlimited;

    fn open(&self) -> Unlimited {
        self.0.set((self.0.get().0 + 1, self.0.get().1));
        Unlimited
    }

    fn opens_late(&self) -> bool {
        true
    }

    fn first_success(&self) {
        self.0.set((self.0.get().0, self.0.get().1 + 1));
    }
}

impl Account for Open {
    type Token = Open;

    fn withdraw(&mut self, _: Cause) -> Result<Open, Exhausted> {
        assert_eq!(self.0.0.get().1, 0, "the attempt before is no longer in flight");
        Ok(self.0.open(0, 1))
    }

    fn record(&mut self, _: Outcome) {}
}
