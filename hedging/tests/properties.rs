//! The combinator, for all delays, latencies, outcomes, hints, limits and budgets: beside a naive model.
#![cfg(not(loom))]

mod support;

use std::time::Duration;

use evenkeel_hedging::{AllFailed, Hint, Outcome, Verdict};
use proptest::{collection::vec, option, prelude::*};
use support::{
    model::{Choose, Menu, Rules, Spacing, story},
    ms,
    stage::{play, play_restless},
};

/// Chooses what was drawn before, over and over.
struct Drawn {
    choices: Vec<usize>,
    at: usize,
}

impl Choose for Drawn {
    fn choose(&mut self, of: usize) -> usize {
        self.at += 1;
        self.choices[(self.at - 1) % self.choices.len()] % of
    }
}

/// Few enough to meet often.
fn times() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..30_u64, 1 => 0..3_u64, 1 => 30..1_000_u64]
}

fn delays() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![6 => times().prop_map(Some), 1 => Just(Some(0)), 1 => Just(None)]
}

fn spacings() -> impl Strategy<Value = Spacing> {
    prop_oneof![
        vec(delays(), 0..7).prop_map(Spacing::List),
        vec(delays(), 0..7).prop_map(Spacing::Unsure),
        delays().prop_map(Spacing::Every),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let limits = (option::of(1..8_u32), 0..40_u64, any::<bool>(), option::of(any::<bool>()));
    (spacings(), limits).prop_map(|(spacing, (max_attempts, max_server_delay, elsewhere, charge_failures))| Rules {
        spacing,
        max_attempts,
        max_server_delay,
        elsewhere,
        charge_failures,
    })
}

fn hints() -> impl Strategy<Value = Option<Hint>> {
    prop_oneof![
        4 => Just(None),
        2 => times().prop_map(|delay| Some(Hint::NotBefore(ms(delay)))),
        2 => times().prop_map(|delay| Some(Hint::Exactly(ms(delay)))),
        1 => Just(Some(Hint::Exactly(Duration::ZERO))),
        1 => Just(Some(Hint::Exactly(Duration::MAX))),
        1 => Just(Some(Hint::Never)),
    ]
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    let outcomes = prop_oneof![
        2 => Just(Outcome::Success),
        1 => Just(Outcome::Permanent),
        6 => Just(Outcome::Transient),
        4 => Just(Outcome::Throttled),
    ];
    (outcomes, hints()).prop_map(|(outcome, hint)| hint.into_iter().fold(Verdict::new(outcome), Verdict::with_hint))
}

fn menus() -> impl Strategy<Value = Menu> {
    let all_failed = vec![AllFailed::Best, AllFailed::Last, AllFailed::First];
    (vec(times(), 1..12), vec(verdicts(), 1..12), any::<bool>()).prop_map(move |(latencies, verdicts, refusals)| Menu {
        latencies,
        verdicts,
        refusals,
        all_failed: all_failed.clone(),
    })
}

fn choices() -> impl Strategy<Value = Drawn> {
    vec(0..1_000_usize, 1..40).prop_map(|choices| Drawn { choices, at: 0 })
}

impl std::fmt::Debug for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.choices.fmt(f)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn sends_drops_result_and_what_the_budget_hears_are_the_models(
        rules in rules(), menu in menus(), mut choices in choices(),
    ) {
        let story = story(&rules, &menu, &mut choices);
        prop_assert_eq!(&play(&rules, &story), &story.log, "{:?}", story);
    }

    #[test]
    fn a_wake_for_nothing_changes_nothing(rules in rules(), menu in menus(), mut choices in choices()) {
        let story = story(&rules, &menu, &mut choices);
        prop_assert_eq!(&play_restless(&rules, &story), &story.log, "{:?}", story);
    }
}
