//! The audit: what must hold when nothing is in flight.

use std::{
    collections::HashSet,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use evenkeel_breaker::State;
use tokio::{runtime::Handle, time::sleep};

use super::{
    budgets::{RATIO, SHARE, TTL},
    clock::Time,
    ledger::Ledger,
    load::Load,
    report::{Rule, Violation},
    world::{PERMITS, World},
};

/// A request is woken a few times for each of its attempts, or, while it waits for a breaker, for each nap of 20 ms. More than
/// this in a round is a loop.
const MOST_POLLS: u64 = 1_000;
/// What the heap may grow by from the warm-up to the end. It holds the queues of the runtime and of the clocks' timers, which
/// breathe by some KiB; a leak of 32 bytes for each request is more than this within seconds.
const MOST_GROWTH: usize = 64 * 1024;

/// What does not hold after a drain.
pub(super) async fn drained<K: Time>(load: &Load<K>, began: Instant, patience: Duration) -> Vec<Violation> {
    let mut found = Found(load.take_found());
    let world = &*load.world;
    found.tasks(patience).await;
    found.leftovers(load);
    found.budgets(world, began);
    found.breakers(world);
    found.attempts(world);
    for (name, tally) in load.by_way() {
        found.unless(tally.wrong.get() == 0, Rule::Answers, || format!("{name}: {} were of others", tally.wrong.get()));
    }
    let polls = load.most_polls.load(Ordering::Relaxed);
    found.unless(polls <= MOST_POLLS, Rule::Polls, || format!("a request was polled {polls} times"));
    found.0
}

/// What does not hold of the heap after each round, the first third of which are the warm-up.
pub(super) fn heap(after: &[usize]) -> Option<Violation> {
    let (warm_up, later) = after.split_at(after.len().div_ceil(3));
    let (warm, last) = (*warm_up.iter().max()?, *later.last()?);
    let grown = last.saturating_sub(warm);
    let why = || format!("{grown} bytes more after the last round than after any of the warm-up: {after:?}");
    (grown > MOST_GROWTH).then(|| Violation { rule: Rule::Memory, why: why() })
}

struct Found(Vec<Violation>);

impl Found {
    fn unless(&mut self, holds: bool, rule: Rule, why: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation { rule, why: why() });
        }
    }

    fn same(&mut self, rule: Rule, (what, left): (&str, u64), (other, right): (&str, u64)) {
        self.unless(left == right, rule, || format!("{what}: {left}, but {other}: {right}"));
    }

    /// A task is gone a moment after it was joined.
    async fn tasks(&mut self, patience: Duration) {
        let (metrics, began) = (Handle::current().metrics(), Instant::now());
        while metrics.num_alive_tasks() > 0 && began.elapsed() < patience {
            sleep(Duration::from_millis(1)).await;
        }
        let alive = metrics.num_alive_tasks();
        self.unless(alive == 0, Rule::Tasks, || format!("{alive} are alive after the drain"));
    }

    fn leftovers<K: Time>(&mut self, load: &Load<K>) {
        let alive = load.world.alive.load(Ordering::SeqCst);
        self.unless(alive == 0, Rule::Leftovers, || format!("{alive} requests and answers are alive after the drain"));
        for (place, limit) in load.world.layered.limits.iter().enumerate() {
            let free = limit.available_permits();
            self.unless(free == PERMITS, Rule::Permits, || format!("limit {place} has {free} permits of {PERMITS}"));
        }
    }

    fn budgets<K: Time>(&mut self, world: &World<K>, began: Instant) {
        let budgets = &world.budgets;
        for (name, ledger) in budgets.books.all() {
            self.books(name, ledger);
        }
        for (name, places, ledger) in budgets.of_places() {
            let now = places.snapshot();
            let none = now.originals == 0 && now.extras == 0;
            self.unless(none, Rule::Tokens, || format!("{name}: {} and {} in flight", now.originals, now.extras));
            let most = ((ledger.peak_requests() as f64 * SHARE) as u64).max(2);
            let peak = ledger.peak_extras();
            self.unless(peak <= most, Rule::Balances, || format!("{name}: {peak} extra attempts, of {most} at most"));
        }
        for (name, tokens) in budgets.of_tokens() {
            let now = tokens.snapshot();
            let in_range = (0.0..=now.capacity).contains(&now.balance);
            self.unless(in_range, Rule::Balances, || format!("{name}: {} of {}", now.balance, now.capacity));
        }
        let exact = ("the exact budget holds", u64::from(budgets.exact.balance()));
        self.same(Rule::Balances, exact, ("by its books", budgets.exact_by_the_books()));
        self.ratio("ratio", &budgets.books.ratio, (budgets.ratio.budget().snapshot().reserve, world.clock.passed()));
        self.ratio("steady", &budgets.books.steady, (budgets.steady.snapshot().reserve, began.elapsed()));
    }

    fn books(&mut self, name: &str, ledger: &Ledger) {
        let Ledger { opened, closed, granted, sent, unsent, ended, .. } = ledger;
        self.same(Rule::Tokens, (&format!("{name}: opened"), opened.get()), ("closed", closed.get()));
        let over = ended.get() + unsent.get();
        self.same(Rule::Tokens, (&format!("{name}: granted"), granted.get()), ("dropped", over));
        self.same(Rule::Tokens, (&format!("{name}: sent"), sent.get()), ("ended", ended.get()));
    }

    /// In any stretch of a ttl it grants the reserve, and the ratio of what was paid in within two of them.
    fn ratio(&mut self, name: &str, ledger: &Ledger, (reserve, passed): (u64, Duration)) {
        let stretches = (passed.as_nanos() / TTL.as_nanos()) as f64 + 2.0;
        let most = stretches * reserve as f64 + 2.0 * RATIO * ledger.opened.get() as f64;
        let sent = ledger.sent.get();
        self.unless(sent as f64 <= most, Rule::Balances, || format!("{name}: {sent} sent, of {most} at most"));
    }

    fn breakers<K: Time>(&mut self, world: &World<K>) {
        for (name, breaker) in world.breakers() {
            let out = breaker.snapshot().probes_out;
            self.unless(out == 0, Rule::Slots, || format!("{name}: {out} probes are out"));
        }
        for (name, map) in world.maps() {
            let keys = map.snapshots();
            let out: u32 = keys.iter().map(|(_, breaker)| breaker.probes_out).sum();
            self.unless(out == 0, Rule::Slots, || format!("{name}, by key: {out} probes are out"));
            let rejects = |state| matches!(state, State::Open | State::HalfOpen | State::ForcedOpen);
            let rejecting = keys.iter().filter(|(_, breaker)| rejects(breaker.state)).count() as u64;
            let counted = map.snapshot().rejecting as u64;
            self.same(Rule::Slots, (&format!("{name}, by key: rejecting"), rejecting), ("counted", counted));
            let distinct: HashSet<_> = keys.iter().map(|(key, _)| *key).collect();
            self.same(Rule::Slots, ("keys", keys.len() as u64), ("different keys", distinct.len() as u64));
        }
    }

    /// Whatever is cancelled or panics: what is announced is made, and what is made is rejected or seen.
    fn attempts<K: Time>(&mut self, world: &World<K>) {
        let (layered, combined) = (&world.layered, &world.combined);
        let heard = &layered.heard;
        let made = layered.under_retries.called.get() + heard.attempts_unmade.get();
        self.same(Rule::Attempts, ("attempts of retries announced", heard.attempts.get()), ("made", made));
        let flights = layered.under_hedges.returned.get();
        self.same(Rule::Attempts, ("attempts of alternates announced", heard.flights.get()), ("made", flights));
        let seen: u64 = layered.providers.iter().map(super::service::Provider::returned).sum();
        let rejected = heard.rejects.get() - heard.rejects_panicked.get();
        self.same(Rule::Attempts, ("attempts of alternates made", flights), ("rejected or seen", seen + rejected));
        let operations = combined.operations.get();
        self.same(Rule::Attempts, ("attempts of hedges announced", combined.heard.flights.get()), ("made", operations));
        let extras = world.heard(|heard| heard.retries.get() + heard.paid.get()) + combined.by_hand.get();
        let paid = world.budgets.books.sum(|ledger| ledger.sent.get());
        self.same(Rule::Attempts, ("extra attempts sent", extras), ("paid for", paid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_heap_holds_after_the_warm_up_is_the_measure() {
        assert_eq!(heap(&[10_000, 90_000, 80_000, 70_000, 100_000, 95_000]), None);
        let grown = heap(&[10_000, 90_000, 80_000, 70_000, 100_000, 180_000]);
        assert_eq!(grown.map(|violation| violation.rule), Some(Rule::Memory));
        assert_eq!(heap(&[]), None);
        assert_eq!(heap(&[1]), None);
    }
}
