//! An observer that remembers what it was told.

use std::{cell::RefCell, rc::Rc};

use evenkeel_hedging::{Answer, Attempt, Cause, Observer, Outcome, Verdict};

/// Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Told(Rc<Heard>);

#[derive(Default)]
struct Heard {
    sent: RefCell<Vec<Attempt>>,
    verdicts: RefCell<Vec<(u32, usize, Outcome)>>,
    refused: RefCell<Vec<Cause>>,
    answers: RefCell<Vec<Answer>>,
}

impl Told {
    /// The attempts that were sent: (number, alternate).
    pub(crate) fn sent(&self) -> Vec<(u32, usize)> {
        self.0.sent.borrow().iter().map(|attempt| (attempt.number, attempt.alternate)).collect()
    }

    /// Why each was sent.
    pub(crate) fn causes(&self) -> Vec<Option<Cause>> {
        self.0.sent.borrow().iter().map(|attempt| attempt.cause).collect()
    }

    /// (number, alternate, outcome)
    pub(crate) fn verdicts(&self) -> Vec<(u32, usize, Outcome)> {
        self.0.verdicts.borrow().clone()
    }

    pub(crate) fn refused(&self) -> Vec<Cause> {
        self.0.refused.borrow().clone()
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.0.answers.borrow().clone()
    }
}

impl Observer for Told {
    fn on_attempt(&self, attempt: Attempt) {
        self.0.sent.borrow_mut().push(attempt);
    }

    fn on_verdict(&self, attempt: Attempt, verdict: Verdict) {
        self.0.verdicts.borrow_mut().push((attempt.number, attempt.alternate, verdict.outcome()));
    }

    fn on_refused(&self, cause: Cause) {
        self.0.refused.borrow_mut().push(cause);
    }

    fn on_answer(&self, answer: Answer) {
        self.0.answers.borrow_mut().push(answer);
    }
}
