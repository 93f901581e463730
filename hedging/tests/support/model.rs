//! What the combinator must do, worked out naively: a list of what comes, sorted by time, and the rules of gRFC A6 for
//! each entry. It shares nothing with the crate but its words.

use evenkeel_hedging::{AllFailed, Cause, Hint, Outcome, Verdict};

use super::spies::{Event, Log};

/// When further attempts are due, in milliseconds; none is never by time.
#[derive(Clone, Debug)]
pub(crate) enum Spacing {
    List(Vec<Option<u64>>),
    /// The same, by an iterator that does not know how long it is.
    Unsure(Vec<Option<u64>>),
    Every(Option<u64>),
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) spacing: Spacing,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) max_server_delay: u64,
    pub(crate) elsewhere: bool,
    pub(crate) charge_failures: Option<bool>,
}

impl Rules {
    pub(crate) fn new(spacing: Spacing) -> Self {
        Self { spacing, max_attempts: None, max_server_delay: 1_000, elsewhere: false, charge_failures: None }
    }

    fn attempts(&self) -> u32 {
        let max = self.max_attempts.unwrap_or(u32::MAX);
        match &self.spacing {
            Spacing::List(list) | Spacing::Unsure(list) => max.min(u32::try_from(list.len()).unwrap() + 1),
            Spacing::Every(_) => self.max_attempts.unwrap_or(2),
        }
    }

    /// The delay after attempt `number`.
    fn delay(&self, number: u32) -> Option<u64> {
        match &self.spacing {
            Spacing::List(list) | Spacing::Unsure(list) => list.get(number as usize).copied().flatten(),
            Spacing::Every(delay) => *delay,
        }
    }

    fn charges(&self, cause: Cause) -> bool {
        cause == Cause::Hedge || self.charge_failures.unwrap_or(!self.elsewhere)
    }
}

/// What may come. Each is chosen only when it is needed, so that no two stories are the same.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    pub(crate) latencies: Vec<u64>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) refusals: bool,
    pub(crate) all_failed: Vec<AllFailed>,
}

/// Answers with a number below `of`.
pub(crate) trait Choose {
    fn choose(&mut self, of: usize) -> usize;
}

/// What was chosen, and what must follow from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) latencies: Vec<u64>,
    pub(crate) verdicts: Vec<Option<Verdict>>,
    pub(crate) grants: Vec<bool>,
    pub(crate) all_failed: AllFailed,
    pub(crate) log: Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Ends(u32),
    Due(Why, Cause),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    ItIsLate,
    OneHasFailed,
    AServerSaidSo,
}

struct Simulation<'a, C> {
    rules: &'a Rules,
    menu: &'a Menu,
    choose: &'a mut C,
    story: Story,
    now: u64,
    agenda: Vec<(u64, Entry)>,
    /// By attempt: the grant that paid for it.
    paid: Vec<Option<usize>>,
    failed: Vec<(u32, Outcome)>,
    by_time: bool,
    forbidden: bool,
}

/// The story that `choose` chooses.
pub(crate) fn story<C: Choose>(rules: &Rules, menu: &Menu, choose: &mut C) -> Story {
    Simulation {
        rules,
        menu,
        choose,
        story: Story::default(),
        now: 0,
        agenda: vec![],
        paid: vec![],
        failed: vec![],
        by_time: true,
        forbidden: false,
    }
    .tell()
}

impl<C: Choose> Simulation<'_, C> {
    fn tell(mut self) -> Story {
        self.note(Event::Opened);
        self.send(None);
        let mut answer = None;
        while answer.is_none() && !self.agenda.is_empty() {
            // Those that end come before what is due, and the older before the younger.
            self.agenda.sort_by_key(|(time, entry)| match entry {
                Entry::Ends(number) => (*time, 0, *number),
                Entry::Due(..) => (*time, 1, 0),
            });
            let (time, entry) = self.agenda.remove(0);
            self.now = time;
            match entry {
                Entry::Ends(number) => answer = self.ends(number),
                Entry::Due(_, cause) => self.due(cause),
            }
        }
        let answer = answer.unwrap_or_else(|| self.kept());
        self.note(Event::Answered(answer));
        self.note(Event::Closed);
        self.story
    }

    fn note(&mut self, event: Event) {
        self.story.log.push((self.now, event));
    }

    fn may_send(&self) -> bool {
        !self.forbidden && (self.paid.len() as u32) < self.rules.attempts()
    }

    fn send(&mut self, grant: Option<usize>) {
        let number = self.paid.len() as u32;
        self.paid.push(grant);
        self.note(Event::Sent(number));
        if let Some(grant) = grant {
            self.note(Event::Paid(grant));
        }
        let latency = self.menu.latencies[self.choose.choose(self.menu.latencies.len())];
        self.story.latencies.push(latency);
        self.story.verdicts.push(None);
        self.agenda.push((self.now + latency, Entry::Ends(number)));
        // Those that are owed for failures come first, and the spacing goes on from the last of them.
        let is_last = !self.agenda.iter().any(|(_, entry)| matches!(entry, Entry::Due(..)));
        if let (true, true, true, Some(delay)) = (is_last, self.by_time, self.may_send(), self.rules.delay(number)) {
            self.agenda.push((self.now + delay, Entry::Due(Why::ItIsLate, Cause::Hedge)));
        }
    }

    fn ends(&mut self, number: u32) -> Option<u32> {
        let verdict = self.menu.verdicts[self.choose.choose(self.menu.verdicts.len())];
        self.story.verdicts[number as usize] = Some(verdict);
        self.note(Event::Ended(number));
        self.free(number);
        self.note(Event::Recorded(verdict.outcome()));
        let cause = match verdict.outcome() {
            Outcome::Success | Outcome::Permanent => {
                self.lose_the_others();
                return Some(number);
            }
            Outcome::Transient => Cause::Transient,
            Outcome::Throttled => Cause::Throttled,
        };
        self.failed.push((number, verdict.outcome()));
        let asked = match verdict.hint() {
            _ if self.rules.elsewhere => None,
            None => None,
            Some(Hint::NotBefore(delay) | Hint::Exactly(delay)) => {
                Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
            }
            Some(Hint::Never) => Some(u64::MAX),
        };
        match asked {
            Some(asked) if asked > self.rules.max_server_delay => {
                self.forbidden = true;
                self.agenda.retain(|(_, entry)| matches!(entry, Entry::Ends(_)));
            }
            _ if !self.may_send() => {}
            None | Some(0) => {
                let holds = |why| why == Why::OneHasFailed || (why == Why::AServerSaidSo && asked.is_none());
                self.agenda.retain(|(_, entry)| !matches!(entry, Entry::Due(why, _) if !holds(*why)));
                if !self.agenda.iter().any(|(_, entry)| matches!(entry, Entry::Due(Why::AServerSaidSo, _))) {
                    self.agenda.push((self.now, Entry::Due(Why::OneHasFailed, cause)));
                }
            }
            Some(asked) => {
                self.agenda.retain(|(_, entry)| matches!(entry, Entry::Ends(_)));
                self.agenda.push((self.now + asked, Entry::Due(Why::AServerSaidSo, cause)));
            }
        }
        None
    }

    fn due(&mut self, cause: Cause) {
        if !self.may_send() {
            return;
        }
        if !self.rules.charges(cause) {
            return self.send(None);
        }
        let granted = !self.menu.refusals || self.choose.choose(2) == 0;
        self.note(Event::Asked(cause, granted));
        self.story.grants.push(granted);
        if granted {
            self.send(Some(self.story.grants.iter().filter(|granted| **granted).count() - 1));
        } else {
            self.by_time = false;
            self.agenda.retain(|(_, entry)| matches!(entry, Entry::Ends(_)));
        }
    }

    fn free(&mut self, number: u32) {
        if let Some(grant) = self.paid[number as usize] {
            self.note(Event::Freed(grant));
        }
    }

    fn lose_the_others(&mut self) {
        for number in (0..self.paid.len() as u32).rev() {
            if self.agenda.iter().any(|(_, entry)| *entry == Entry::Ends(number)) {
                self.note(Event::Lost(number));
                self.free(number);
            }
        }
    }

    fn kept(&mut self) -> u32 {
        self.story.all_failed = self.menu.all_failed[self.choose.choose(self.menu.all_failed.len())];
        let last = self.failed.last().unwrap().0;
        match self.story.all_failed {
            AllFailed::Last => last,
            AllFailed::First => 0,
            AllFailed::Best => {
                let throttled = self.failed.iter().rev().find(|(_, outcome)| *outcome == Outcome::Throttled);
                throttled.map_or(last, |(number, _)| *number)
            }
        }
    }
}
