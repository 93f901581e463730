//! What the lock guards: the machine, what a time window has gathered, and those who wait to hear of transitions.

use std::{collections::VecDeque, mem, task::Waker};

use crate::{
    machine::{Machine, Step},
    member::Member,
    transitions::Subscribers,
    waiters::Waiters,
    window::History,
};

pub(crate) struct Core {
    pub(crate) machine: Machine,
    /// What a time window has gathered.
    pub(crate) history: Option<Box<History>>,
    /// What the window's bits of the word were, when it was closed last.
    pub(crate) payload: u64,
    /// Changes of the word while it was not closed.
    pub(crate) changes: u64,
    /// Of the map that it is in.
    pub(crate) member: Option<Member>,
    /// Made when the first one comes: most breakers have none.
    listeners: Option<Box<Listeners>>,
    /// Transitions that the observer has not been told of.
    untold: VecDeque<Step>,
    /// Whether a thread is telling it.
    telling: bool,
    /// To be woken when the lock is free.
    wake: Vec<Waker>,
}

/// Who hears of transitions but the observer.
#[derive(Default)]
struct Listeners {
    subscribers: Subscribers,
    waiters: Waiters,
}

/// No more wait for an observer that does not come back; the oldest are dropped.
const MOST_UNTOLD: usize = 1_000;

impl Core {
    pub(crate) fn new(machine: Machine, history: Option<Box<History>>, member: Option<Member>) -> Self {
        Self {
            machine,
            history,
            payload: 0,
            changes: 0,
            member,
            listeners: None,
            untold: VecDeque::new(),
            telling: false,
            wake: Vec::new(),
        }
    }

    /// The machine has made a step.
    pub(crate) fn stepped(&mut self, step: Step) {
        if self.untold.len() == MOST_UNTOLD {
            self.untold.pop_front();
        }
        self.untold.push_back(step);
        if let Some(listeners) = &mut self.listeners {
            listeners.subscribers.tell(step, &mut self.wake);
        }
        self.freed();
    }

    /// Whoever waits may find a slot.
    pub(crate) fn freed(&mut self) {
        if let Some(listeners) = &mut self.listeners {
            listeners.waiters.wake_all(&mut self.wake);
        }
    }

    pub(crate) fn waiters(&mut self) -> &mut Waiters {
        &mut self.listeners.get_or_insert_default().waiters
    }

    pub(crate) fn subscribers(&mut self) -> &mut Subscribers {
        &mut self.listeners.get_or_insert_default().subscribers
    }

    /// Those to wake, when the lock is free.
    pub(crate) fn take_wake(&mut self) -> Vec<Waker> {
        mem::take(&mut self.wake)
    }

    /// The next transition to tell, for whom nobody else tells them; then this thread is the one who does.
    pub(crate) fn begin_telling(&mut self) -> Option<Step> {
        if self.telling {
            return None;
        }
        let step = self.untold.pop_front();
        self.telling = step.is_some();
        step
    }

    pub(crate) fn end_telling(&mut self) {
        self.telling = false;
    }

    /// Whether there is anything to tell, for whom nobody else tells it.
    pub(crate) fn is_to_tell(&self) -> bool {
        !self.telling && !self.untold.is_empty()
    }
}
