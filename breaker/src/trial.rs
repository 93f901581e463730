//! Half-open: which probes are out, and how the others ended.

use crate::{Outcome, machine::Settings};

/// The probes of one half-open period.
#[derive(Debug)]
pub(crate) struct Trial {
    permits: u32,
    /// Needed to close.
    successes: u32,
    /// That may fail.
    spare: u32,
    out: Vec<Probe>,
    next: u32,
    succeeded: u32,
    failed: u32,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    id: u32,
    deadline: u64,
    /// Its call has not begun.
    reserved: bool,
}

impl Trial {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { permits, successes, calls, .. } = settings;
        let spare = calls.saturating_sub(successes);
        Self { permits, successes, spare, out: Vec::new(), next: 0, succeeded: 0, failed: 0 }
    }

    fn has_slot(&self) -> bool {
        self.out.len() < self.permits as usize
    }

    /// When there is a slot: at once, or when the first probe is out for too long.
    pub(crate) fn ready_at(&self) -> u64 {
        if self.has_slot() { 0 } else { self.deadline().unwrap_or(0) }
    }

    /// Whether there is no slot, and the next timeout is one failure too many: then it opens, and frees none.
    pub(crate) fn times_out_next(&self) -> bool {
        let deadline = self.deadline();
        let fails = |probe: &&Probe| Some(probe.deadline) == deadline && !probe.reserved;
        let at_once = self.out.iter().filter(fails).count() as u32;
        !self.has_slot() && self.failed.saturating_add(at_once) > self.spare
    }

    /// When the first of those that are out is out for too long.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.out.iter().map(|probe| probe.deadline).min()
    }

    /// A probe takes a slot, which is free.
    pub(crate) fn begin(&mut self, deadline: u64) -> u32 {
        debug_assert!(self.has_slot());
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        self.out.push(Probe { id, deadline, reserved: false });
        id
    }

    /// The call of a probe does not begin yet. Should its time be out before, its slot is free, and it has not failed.
    #[cfg(feature = "tower")]
    pub(crate) fn reserve(&mut self, id: u32) {
        self.out.iter_mut().filter(|probe| probe.id == id).for_each(|probe| probe.reserved = true);
    }

    /// The call of a probe begins, and has until then; false if it has its slot no more.
    #[cfg(feature = "tower")]
    pub(crate) fn start(&mut self, id: u32, deadline: u64) -> bool {
        let probe = self.out.iter_mut().find(|probe| probe.id == id);
        probe.map(|probe| (probe.reserved, probe.deadline) = (false, deadline)).is_some()
    }

    /// Counts those as failed whose time is out by `now`, until they are too many: then it is when that was.
    pub(crate) fn time_out(&mut self, now: u64) -> Option<u64> {
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) {
            let first = self.out.iter().position(|probe| probe.deadline == deadline);
            let probe = self.out.remove(first.unwrap_or(0));
            self.failed += u32::from(!probe.reserved);
            if self.has_failed() {
                return Some(deadline);
            }
        }
        None
    }

    /// A probe gives its slot back; false if it had none any more.
    pub(crate) fn end(&mut self, id: u32, outcome: Outcome) -> bool {
        let Some(place) = self.out.iter().position(|probe| probe.id == id) else { return false };
        self.out.remove(place);
        match outcome {
            Outcome::Success => self.succeeded += 1,
            Outcome::Failure => self.failed += 1,
            Outcome::Ignored => {}
        }
        true
    }

    /// Whether that probe has its slot still.
    pub(crate) fn is_out(&self, id: u32) -> bool {
        self.out.iter().any(|probe| probe.id == id)
    }

    pub(crate) const fn has_succeeded(&self) -> bool {
        self.succeeded >= self.successes
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed > self.spare
    }

    /// Probes that are out, that succeeded, and that failed.
    pub(crate) fn counts(&self) -> (u32, u32, u32) {
        (self.out.len() as u32, self.succeeded, self.failed)
    }
}
