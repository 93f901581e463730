//! Damage on purpose: what shows that the audit would see a defect of the libraries.

use std::{
    future::{Future, pending},
    mem,
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
};

use evenkeel_budget::{Account, Budget, Cause};

use super::{
    clock::Time,
    ledger::Audited,
    load::Load,
    service::Alive,
    world::{LONGEST_OPEN, World},
};

/// One thing that is broken in every round, as a defect would break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A permit of a concurrency limit is never given back.
    Permit,
    /// The account of a request is never dropped.
    Account,
    /// What was paid for an attempt that was not sent is not given back.
    Refund,
    /// A probe is never ended.
    Probe,
    /// A breaker stays open.
    Breaker,
    /// A task never ends.
    Task,
    /// A request is never dropped.
    Request,
    /// Something stays on the heap.
    Memory,
    /// Answers are those of other requests.
    Answer,
    /// Something panics that is not meant to.
    Panic,
    /// A request is never answered.
    Wedge,
}

/// A caller beside those of the load.
pub(super) type Caller = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Sabotage {
    /// Before a round: a caller more.
    pub(super) fn before<K: Time>(self, load: &Arc<Load<K>>) -> Option<Caller> {
        match self {
            Self::Answer => load.world.combined.providers[0].lie(),
            Self::Panic => return Some(Box::pin(async { resume_unwind(Box::new("a defect")) })),
            Self::Wedge => {
                let in_flight = Alive::new(&load.tallies[0].in_flight);
                return Some(Box::pin(async move {
                    let _in_flight = in_flight;
                    pending::<()>().await;
                }));
            }
            Self::Permit
            | Self::Account
            | Self::Refund
            | Self::Probe
            | Self::Breaker
            | Self::Task
            | Self::Request
            | Self::Memory => {}
        }
        None
    }

    /// After a drain.
    pub(super) fn after<K: Time>(self, world: &World<K>) {
        let budgets = &world.budgets;
        match self {
            Self::Permit => {
                world.layered.limits[0].forget_permits(1);
            }
            Self::Account => mem::forget(Audited::new(budgets.aws.clone(), &budgets.books.aws).open()),
            Self::Refund => mem::forget(budgets.exact.open().withdraw(Cause::Transient)),
            Self::Probe => forget_probe(world),
            Self::Task => drop(tokio::spawn(pending::<()>())),
            Self::Request => mem::forget(world.request()),
            Self::Memory => {
                let _ = Box::leak(vec![0_u8; 100 * 1024].into_boxed_slice());
            }
            Self::Breaker | Self::Answer | Self::Panic | Self::Wedge => {}
        }
    }

    /// In the calm, when nothing is forced any more.
    pub(super) fn in_the_calm<K: Time>(self, world: &World<K>) {
        if self == Self::Breaker {
            world.layered.breakers[1].force_open();
        }
    }
}

fn forget_probe<K: Time>(world: &World<K>) {
    let breaker = &world.combined.breakers[0];
    breaker.reset();
    while let Ok(permit) = breaker.try_acquire() {
        permit.failure();
    }
    world.clock.past_all(LONGEST_OPEN);
    mem::forget(breaker.try_acquire());
}
