//! The bounds of the policy calculator, held against the real budgets with every kind of luck.

#![allow(missing_docs)]

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use evenkeel_budget::{Account, Budget, BudgetConfig, Cause, Outcome};
use evenkeel_lab::{
    clock::Clock,
    plan::{Bounds, Load, Policy},
    rng::Rng,
};

const ATTEMPTS: u32 = 4;
/// Of one client, in half a minute.
const REQUESTS: u32 = 300;

const BUDGETS: [&str; 8] = [
    "kind = \"aws\"\nrevision = \"earlier\"",
    "kind = \"aws\"\ncapacity = 28",
    "kind = \"aws\"\ncapacity = 10\ncosts = { transient = 3, throttled = 1, timeout = 2, hedge = 1 }",
    "kind = \"aws\"\ncapacity = 0\ncosts = { transient = 1, throttled = 1, timeout = 1, hedge = 1 }",
    "kind = \"grpc\"\nmax_tokens = 10\ntoken_ratio = 0.1",
    "kind = \"grpc\"\nmax_tokens = 61.5\ntoken_ratio = 0.789",
    "kind = \"ratio\"\nratio = 0.1\nmin_per_second = 0",
    "kind = \"ratio\"\nratio = 0.5\nmin_per_second = 1\nttl = \"4s\"",
];

fn bounds(budget: &str) -> Bounds {
    let retry = "[retry]\nschedule = { kind = \"constant\", first = \"1ms\" }\nmax_attempts = 4\n";
    let policy = Policy::parse("it", &format!("{retry}[budget]\n{budget}\n")).expect("it is legal");
    let load = Load::new(10.0, NonZeroU32::MIN, Duration::from_secs(30)).expect("a load");
    assert_eq!(load.asked(), f64::from(REQUESTS));
    Bounds::of(&policy, &load)
}

thread_local! {
    /// Of this test.
    static CLOCK: Clock = Clock::new();
}

fn now() -> Instant {
    CLOCK.with(|clock| clock.reader()())
}

/// Attempts for each request, of requests that overlap; `fails` says whether the attempt of that number does.
fn sent(budget: &str, rng: &mut Rng, mut fails: impl FnMut(&mut Rng, u32) -> bool) -> f64 {
    let config: BudgetConfig = toml::from_str(budget).expect("it is legal");
    let budget = config.build_with_clock(now);
    let mut attempts = 0_u32;
    let mut under_way = Vec::new();
    let mut begun = 0;
    while begun < REQUESTS || !under_way.is_empty() {
        if begun < REQUESTS && (under_way.is_empty() || rng.chance(0.4)) {
            CLOCK.with(|clock| clock.set(Duration::from_millis(100) * begun));
            begun += 1;
            attempts += 1;
            under_way.push((budget.open(), 1));
        }
        let number = (rng.unit() * under_way.len() as f64) as usize;
        let (account, sent) = &mut under_way[number];
        let failed = fails(rng, *sent);
        account.record(if failed { Outcome::Transient } else { Outcome::Success });
        let cause = [Cause::Transient, Cause::Throttled, Cause::Timeout][(rng.unit() * 3.0) as usize];
        let token = if failed && *sent < ATTEMPTS { account.withdraw(cause).ok() } else { None };
        match token {
            Some(mut token) => {
                account.sent(&mut token);
                (*sent, attempts) = (*sent + 1, attempts + 1);
            }
            None => drop(under_way.swap_remove(number)),
        }
    }
    f64::from(attempts) / f64::from(REQUESTS)
}

#[test]
fn whatever_fails_no_budget_grants_more_than_the_bound() {
    for budget in BUDGETS {
        let most = bounds(budget).amplification_if_some_fail.expect("four attempts");
        let mut worst = 1.0_f64;
        for case in 0..60 {
            let rng = &mut Rng::keyed(&[case]);
            let share = rng.unit();
            let first = rng.unit();
            // A share of all, or one of first attempts and one of the others.
            let fails = |rng: &mut Rng, sent: u32| rng.chance(if sent == 1 && case % 2 == 0 { first } else { share });
            worst = worst.max(sent(budget, rng, fails));
        }
        // The service that answers each second attempt, and no first one.
        worst = worst.max(sent(budget, &mut Rng::keyed(&[1]), |_, sent| sent == 1));
        // To the thousandth.
        assert!(worst <= most + 0.000_5, "{budget}: {worst} is more than {most}");
        assert!(worst - 1.0 >= 0.6 * (most - 1.0), "{budget}: {worst} is far from {most}");
    }
}

#[test]
fn when_every_attempt_fails_it_is_the_lower_bound_that_holds() {
    for budget in BUDGETS {
        let most = bounds(budget).amplification.expect("four attempts");
        let worst = sent(budget, &mut Rng::keyed(&[2]), |_, _| true);
        assert!(worst <= most + 0.000_5, "{budget}: {worst} is more than {most}");
    }
}

#[test]
fn a_part_of_failures_passes_what_is_granted_when_all_fail() {
    let budget = BUDGETS[0];
    let half = sent(budget, &mut Rng::keyed(&[3]), |_, sent| sent == 1);
    assert!(half > bounds(budget).amplification.expect("four attempts"), "{half}");
}
