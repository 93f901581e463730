//! Retrying, for all inputs: beside a naive loop that says the same in the words of the documentation.
#![cfg(all(feature = "retry", not(loom)))]

mod support;

use std::{cell::RefCell, future::ready, num::NonZeroU32, time::Duration};

use evenkeel_backoff::{Costs, Hint, Outcome, Retry, Stop, TokenBudget, Verdict};
use proptest::prelude::*;
use support::{World, ms, spies::Stops};

/// One request: what its policy is, and how its attempts end.
#[derive(Clone, Debug)]
struct Case {
    schedule: Vec<Duration>,
    max_attempts: Option<NonZeroU32>,
    deadline: Option<Duration>,
    max_server_delay: Duration,
    tokens: u32,
    /// How long each attempt takes and what it comes to; the last goes on for ever.
    script: Vec<(Duration, Verdict)>,
}

/// What was to be seen from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    attempts: u32,
    waits: Vec<Duration>,
    stop: Stop,
    balance: u32,
}

const COSTS: Costs = Costs { transient: 14, throttled: 5, timeout: 14, hedge: 14 };

fn small() -> impl Strategy<Value = Duration> {
    prop_oneof![2 => Just(Duration::ZERO), 8 => (0..200_u64).prop_map(ms), 1 => Just(Duration::MAX)]
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let outcome = prop_oneof![
        1 => Just(Outcome::Success),
        6 => Just(Outcome::Transient),
        4 => Just(Outcome::Throttled),
        1 => Just(Outcome::Permanent),
    ];
    let hint = prop_oneof![
        6 => Just(None),
        2 => small().prop_map(|delay| Some(Hint::NotBefore(delay))),
        2 => small().prop_map(|delay| Some(Hint::Exactly(delay))),
        1 => Just(Some(Hint::Never)),
    ];
    (outcome, hint).prop_map(|(outcome, hint)| {
        let verdict = Verdict::new(outcome);
        hint.map_or(verdict, |hint| verdict.with_hint(hint))
    })
}

fn cases() -> impl Strategy<Value = Case> {
    (
        prop::collection::vec(small(), 0..6),
        prop::option::of((1..6_u32).prop_map(|n| NonZeroU32::new(n).unwrap())),
        prop::option::of(small()),
        small(),
        prop_oneof![0..60_u32, Just(500)],
        prop::collection::vec(((0..100_u64).prop_map(ms), verdicts()), 1..6),
    )
        .prop_map(|(schedule, max_attempts, deadline, max_server_delay, tokens, script)| Case {
            schedule,
            max_attempts,
            deadline,
            max_server_delay,
            tokens,
            script,
        })
}

/// The documentation, line by line.
fn naive(case: &Case) -> Seen {
    let (mut now, mut balance, mut last_cost) = (Duration::ZERO, case.tokens, None);
    let mut waits = vec![];
    let mut delays = case.schedule.iter();
    let mut attempts = 0;
    let stop = loop {
        let (takes, verdict) = case.script[(attempts as usize).min(case.script.len() - 1)];
        attempts += 1;
        now = now.saturating_add(takes);
        let cost = match verdict.outcome() {
            Outcome::Success => {
                balance = (balance + last_cost.unwrap_or(1)).min(case.tokens);
                break Stop::Success;
            }
            Outcome::Permanent => break Stop::Permanent,
            Outcome::Transient => COSTS.transient,
            Outcome::Throttled => COSTS.throttled,
        };
        let asked = match verdict.hint() {
            Some(Hint::Never) => break Stop::Server,
            Some(Hint::NotBefore(asked) | Hint::Exactly(asked)) => asked,
            None => Duration::ZERO,
        };
        if asked > case.max_server_delay {
            break Stop::ServerDelay;
        }
        if case.max_attempts.is_some_and(|max| attempts >= max.get()) {
            break Stop::Exhausted;
        }
        // A deadline that no clock can show is none.
        let deadline = case.deadline.filter(|deadline| *deadline < Duration::MAX);
        let left = deadline.map(|deadline| deadline.saturating_sub(now));
        if left.is_some_and(|left| asked >= left) {
            break Stop::Deadline;
        }
        let Some(drawn) = delays.next() else { break Stop::Exhausted };
        let wait = match verdict.hint() {
            Some(Hint::Exactly(asked)) => asked,
            Some(Hint::NotBefore(asked)) => asked.saturating_add(*drawn),
            Some(Hint::Never) | None => *drawn,
        };
        if left.is_some_and(|left| wait >= left) {
            break Stop::Deadline;
        }
        if balance < cost {
            break Stop::Budget;
        }
        balance -= cost;
        last_cost = Some(cost);
        waits.push(wait);
        now = now.saturating_add(wait);
    };
    Seen { attempts, waits, stop, balance }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_future_and_a_thread_do_what_the_documentation_says(case in cases()) {
        // A wait of centuries would have to be waited for: no deadline is left by then.
        prop_assume!(naive(&case).waits.iter().all(|wait| *wait < Duration::from_secs(1_000)));
        let expected = naive(&case);
        prop_assert_eq!(&with_a_future(&case), &expected);
        prop_assert_eq!(&with_a_thread(&case), &expected);
    }
}

fn attempts_of(case: &Case, attempt: u32) -> (Duration, Verdict) {
    case.script[(attempt as usize).min(case.script.len() - 1)]
}

/// The policy with the limits of the case.
fn limited<W, C, B, O, K>(
    case: &Case,
    retry: Retry<Vec<Duration>, W, C, B, O, K>,
) -> Retry<Vec<Duration>, W, C, B, O, K> {
    let mut retry = retry.max_server_delay(case.max_server_delay);
    if let Some(max) = case.max_attempts {
        retry = retry.max_attempts(max);
    }
    if let Some(total) = case.deadline {
        retry = retry.deadline(total);
    }
    retry
}

fn with_a_future(case: &Case) -> Seen {
    let world = World::new();
    let stops = Stops::default();
    let budget = TokenBudget::new(case.tokens, COSTS);
    let retry =
        Retry::new(case.schedule.clone(), world.sleeper()).when(|result: &Result<(), Verdict>| result.unwrap_err());
    let retry = limited(case, retry.budget(budget.clone()).observe(&stops).clock(world.clock()));
    let _ = world.run(retry.run(|attempt| {
        let (takes, verdict) = attempts_of(case, attempt);
        world.advance(takes);
        ready(Err(verdict))
    }));
    seen(case, &stops, world.slept(), budget.balance())
}

fn with_a_thread(case: &Case) -> Seen {
    let world = World::new();
    let stops = Stops::default();
    let slept = RefCell::new(vec![]);
    let budget = TokenBudget::new(case.tokens, COSTS);
    let sleep = |delay| {
        slept.borrow_mut().push(delay);
        world.advance(delay);
    };
    let retry = Retry::new(case.schedule.clone(), sleep).when(|result: &Result<(), Verdict>| result.unwrap_err());
    let retry = limited(case, retry.budget(budget.clone()).observe(&stops).clock(world.clock()));
    let _ = retry.run_blocking(|attempt| {
        let (takes, verdict) = attempts_of(case, attempt);
        world.advance(takes);
        Err(verdict)
    });
    seen(case, &stops, slept.take(), budget.balance())
}

/// Waits of zero go through no sleeper: they are put back where the naive loop has them.
fn seen(case: &Case, stops: &Stops, slept: Vec<Duration>, balance: u32) -> Seen {
    let [(attempts, stop)] = stops.0.take()[..] else { panic!("it stops once") };
    let waits = naive(case).waits;
    let (zeros, others): (Vec<_>, Vec<_>) = waits.iter().copied().partition(Duration::is_zero);
    let waits = if slept == others { waits } else { slept };
    assert!(zeros.len() < attempts as usize);
    Seen { attempts, waits, stop, balance }
}
