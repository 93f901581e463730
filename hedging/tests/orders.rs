//! Every order in which up to four attempts can end, beside a naive model: exactly its sends, drops and result, and
//! exactly what it tells the budget.
#![cfg(not(loom))]

mod support;

use evenkeel_hedging::{AllFailed, Verdict};
use support::{
    model::{Choose, Menu, Rules, Spacing, story},
    ms,
    stage::play,
};

/// Goes through all choices, as an odometer does.
#[derive(Default)]
struct Each {
    path: Vec<(usize, usize)>,
    at: usize,
}

impl Choose for Each {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.path.len() {
            self.path.push((0, of));
        }
        self.at += 1;
        self.path[self.at - 1].0
    }
}

impl Each {
    /// On to the next story, if there is one.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.path.pop() {
            if choice + 1 < of {
                self.path.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// How many stories there are, each of which went as it must.
fn all_go_as_they_must(rules: &Rules, menu: &Menu) -> u32 {
    let mut each = Each::default();
    let mut stories = 0;
    loop {
        let story = story(rules, menu, &mut each);
        let played = play(rules, &story);
        assert!(played == story.log, "{rules:?}\n{story:#?}\nplayed: {played:#?}");
        stories += 1;
        if !each.next() {
            println!("{stories} stories of {rules:?}");
            return stories;
        }
    }
}

const SUCCESS: Verdict = Verdict::success();
const PERMANENT: Verdict = Verdict::permanent();
const TRANSIENT: Verdict = Verdict::transient();
const THROTTLED: Verdict = Verdict::throttled();

const AT_ONCE: Verdict = THROTTLED.not_before(ms(0));
const SOON: Verdict = THROTTLED.exactly(ms(7));
const LATER: Verdict = TRANSIENT.not_before(ms(12));
const TOO_LATE: Verdict = THROTTLED.not_before(ms(1_001));

fn menu(latencies: &[u64], verdicts: &[Verdict]) -> Menu {
    let all_failed = vec![AllFailed::Best, AllFailed::Last, AllFailed::First];
    Menu { latencies: latencies.to_vec(), verdicts: verdicts.to_vec(), refusals: false, all_failed }
}

fn every(delay: u64, attempts: u32) -> Rules {
    Rules { max_attempts: Some(attempts), ..Rules::new(Spacing::Every(Some(delay))) }
}

#[test]
fn four_attempts_at_once() {
    let menu = menu(&[0, 1, 2, 3, 4], &[SUCCESS, PERMANENT, TRANSIENT, THROTTLED]);
    assert!(all_go_as_they_must(&every(0, 4), &menu) > 10_000);
}

#[test]
fn four_attempts_that_are_spaced() {
    // When any other is sent or ends, between any two of those, and after all.
    let menu = menu(&[0, 5, 10, 15, 20, 25, 30, 35, 50], &[SUCCESS, PERMANENT, TRANSIENT]);
    assert!(all_go_as_they_must(&every(10, 4), &menu) > 10_000);
}

#[test]
fn three_attempts_whose_servers_ask_for_all_that_they_can() {
    let verdicts = [SUCCESS, PERMANENT, TRANSIENT, THROTTLED, AT_ONCE, SOON, LATER, TOO_LATE, TRANSIENT.never()];
    let rules = Rules::new(Spacing::List(vec![Some(10); 2]));
    assert!(all_go_as_they_must(&rules, &menu(&[0, 5, 10, 17], &verdicts)) > 10_000);
}

#[test]
fn four_attempts_two_of_which_wait_for_a_server() {
    let rules = Rules::new(Spacing::Unsure(vec![Some(0), Some(10), Some(10)]));
    assert!(all_go_as_they_must(&rules, &menu(&[5, 12], &[SUCCESS, TRANSIENT, AT_ONCE, SOON, LATER])) > 10_000);
}

#[test]
fn four_attempts_each_after_a_failure() {
    let rules = Rules { max_attempts: Some(4), ..Rules::new(Spacing::Every(None)) };
    let verdicts = [SUCCESS, PERMANENT, TRANSIENT, AT_ONCE, SOON, TRANSIENT.never()];
    assert!(all_go_as_they_must(&rules, &menu(&[0, 5], &verdicts)) > 1_000);
}

#[test]
fn four_attempts_that_go_elsewhere() {
    let verdicts = [SUCCESS, PERMANENT, SOON, TRANSIENT.never()];
    let rules = Rules { elsewhere: true, ..Rules::new(Spacing::List(vec![Some(10), None, Some(0)])) };
    assert!(all_go_as_they_must(&rules, &menu(&[0, 5, 10, 15], &verdicts)) > 1_000);
}

#[test]
fn a_budget_that_refuses_at_any_time() {
    let menu = Menu { refusals: true, ..menu(&[0, 5, 10, 20], &[SUCCESS, TRANSIENT, SOON]) };
    assert!(all_go_as_they_must(&every(10, 4), &menu) > 10_000);
    let menu = Menu { refusals: true, latencies: vec![1, 2, 3], ..menu };
    assert!(all_go_as_they_must(&every(0, 4), &menu) > 1_000);
    let rules = Rules { charge_failures: Some(false), ..every(2, 3) };
    assert!(all_go_as_they_must(&rules, &menu) > 1_000);
}
