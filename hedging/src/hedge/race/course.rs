//! How far a request has come: its first attempt alone, or what follows when that is late or has failed.

use std::pin::Pin;

use evenkeel_budget::Cause;
use pin_project_lite::pin_project;

use super::{
    super::{
        flights::{Flight, Flights},
        kept::Kept,
        launch::Launch,
        policy::{Policy, Token},
        session::Session,
    },
    Output, Parts, Race,
    next::Due,
};
use crate::Delays;

type Started<P> = <<P as Policy>::Delays as Delays>::Started;
type InFlight<P, L> = Flight<<L as Launch>::Future, Token<P>>;

pin_project! {
    /// How far it has come. Nearly every request is one attempt that answers at once, or after one more poll; what only
    /// others need is neither made nor dropped for the first of these.
    #[project = CourseProjected]
    pub(super) enum Course<P: Policy, L: Launch> {
        // The first attempt, which was neither found pending nor has failed.
        Alone { stage: Stage },
        Open {
            #[pin]
            due: Due<P::Sleep, Token<P>>,
            // Those beside the one in place.
            more: Vec<Pin<Box<InFlight<P, L>>>>,
            // Of the first attempt: from when it is found pending until its end has been told.
            started: Option<Started<P>>,
            // The best of the attempts that have failed.
            kept: Option<Kept<Output<L>>>,
            // Why attempts are to be sent after the one that is due: one for each failure, in their order.
            owed: Vec<Cause>,
            hedges: u32,
        },
    }
}

/// What has become of the first attempt, while it is alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Unsent,
    Sent,
    Answered,
}

/// A request whose course is open, part by part.
pub(super) struct View<'a, P: Policy, L: Launch> {
    pub(super) policy: &'a P,
    pub(super) launch: &'a mut L,
    pub(super) session: &'a mut Option<Session<P>>,
    pub(super) flights: Flights<'a, L::Future, Token<P>>,
    pub(super) due: Pin<&'a mut Due<P::Sleep, Token<P>>>,
    pub(super) started: &'a mut Option<Started<P>>,
    pub(super) kept: &'a mut Option<Kept<Output<L>>>,
    pub(super) owed: &'a mut Vec<Cause>,
    pub(super) hedges: &'a mut u32,
}

impl<P: Policy, L: Launch> Course<P, L> {
    #[inline]
    const fn open(due: Due<P::Sleep, Token<P>>, started: Option<Started<P>>) -> Self {
        Self::Open { due, more: Vec::new(), started, kept: None, owed: Vec::new(), hedges: 0 }
    }

    /// Whether nothing goes on that must be ended in a certain order, or told of.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Alone { .. } => true,
            Self::Open { due, more, started, .. } => {
                matches!(due, Due::Answered) && more.is_empty() && started.is_none()
            }
        }
    }
}

impl<P: Policy, L: Launch> Race<P, L> {
    /// The first attempt was polled, and unless it has ended it is found pending: the first delay begins.
    #[inline]
    pub(super) fn found_pending(self: Pin<&mut Self>) {
        let Parts { first, mut course, policy, launch, session } = self.project();
        let Course::Alone { stage } = *course else { return };
        if stage == Stage::Answered {
            return course.set(Course::open(Due::Answered, None));
        }
        let is_pending = first.is_some();
        let due = Due::of_delay(policy, launch, session, is_pending);
        // Last, and right before it is kept: if one of them panics, all is as it was.
        let started = is_pending.then(|| policy.delays().start());
        course.set(Course::open(due, started));
    }

    /// Its parts. If the first attempt was alone, it is so no longer.
    #[inline]
    pub(super) fn open(self: Pin<&mut Self>) -> View<'_, P, L> {
        let Parts { first, mut course, policy, launch, session } = self.project();
        if let Course::Alone { .. } = *course {
            course.set(Course::open(Due::Unarmed, None));
        }
        match course.project() {
            CourseProjected::Alone { .. } => unreachable!("it was opened"),
            CourseProjected::Open { due, more, started, kept, owed, hedges } => {
                let flights = Flights { first, more };
                View { policy, launch, session, flights, due, started, kept, owed, hedges }
            }
        }
    }
}
