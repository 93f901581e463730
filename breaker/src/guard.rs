//! The probers that test instead of users' calls, and how long these hold back for them.

/// Each prober has said by when it will have shown itself. Until the last of these moments no user's call is a probe; they all
/// pass by themselves, and so a prober that has stopped for whatever reason holds nobody back for ever.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    probers: Vec<Prober>,
}

#[derive(Debug)]
struct Prober {
    number: u64,
    /// How late it may be.
    grace: u64,
    until: u64,
    /// Its last check said nothing. A prober that learns nothing holds nobody back.
    says_nothing: bool,
}

impl Guard {
    /// A prober has come, which will show itself at `due`, or at most `grace` later.
    pub(crate) fn enter(&mut self, number: u64, grace: u64, due: u64) {
        self.probers.push(Prober { number, grace, until: due.saturating_add(grace), says_nothing: false });
    }

    /// It is gone.
    pub(crate) fn leave(&mut self, number: u64) {
        self.probers.retain(|prober| prober.number != number);
    }

    /// It has shown itself, and will again at `due`.
    pub(crate) fn promise(&mut self, number: u64, due: u64) {
        for prober in self.probers.iter_mut().filter(|prober| prober.number == number && !prober.says_nothing) {
            prober.until = due.saturating_add(prober.grace);
        }
    }

    /// A check of it has ended, and said something or not.
    pub(crate) fn heard(&mut self, number: u64, says_nothing: bool) {
        for prober in self.probers.iter_mut().filter(|prober| prober.number == number) {
            prober.says_nothing = says_nothing;
            prober.until = if says_nothing { 0 } else { prober.until };
        }
    }

    /// The breaker is open until then. Probers hear of it, but when is up to their threads: each is expected at the end of the
    /// open time, unless it is busy for longer.
    pub(crate) fn opened(&mut self, end: u64) {
        for prober in self.probers.iter_mut().filter(|prober| !prober.says_nothing) {
            prober.until = prober.until.max(end.saturating_add(prober.grace));
        }
    }

    /// What that would become if the breaker opened until then.
    pub(crate) fn until_if_opened(&self, end: u64) -> u64 {
        let speaking = self.probers.iter().filter(|prober| !prober.says_nothing);
        speaking.map(|prober| prober.until.max(end.saturating_add(prober.grace))).max().unwrap_or(0)
    }

    /// From here on users' calls may be probes: the last prober is late.
    pub(crate) fn until(&self) -> u64 {
        self.probers.iter().map(|prober| prober.until).max().unwrap_or(0)
    }
}
