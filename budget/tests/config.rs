//! Reading budgets, maps and throttles from files: what is read, and what is refused and how.
#![cfg(all(feature = "serde", not(loom)))]

use std::{fmt::Debug, time::Duration};

use evenkeel_budget::{
    Account, AdaptiveThrottle, AnyBudget, AnySnapshot, Balance, Budget, BudgetConfig, BudgetMap, BudgetMapConfig,
    Cause, Costs, InFlightBudget, RatioBudget, ThrottleConfig, TokenBudget, Unlimited,
};
use serde::de::DeserializeOwned;

fn toml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

fn budget(text: &str) -> AnyBudget {
    toml::<BudgetConfig>(text).unwrap().build()
}

/// The settings of a budget are all in its `Debug`.
fn same(read: &AnyBudget, written: impl Into<AnyBudget>) {
    assert_eq!(format!("{read:?}"), format!("{:?}", written.into()));
}

fn refused<T: DeserializeOwned + Debug>(table: &[(&str, &str)]) {
    for (text, message) in table {
        assert_eq!(toml::<T>(text).unwrap_err(), *message, "{text:?}");
    }
}

#[test]
fn every_kind_is_read() {
    let ratio = RatioBudget::builder().ratio(0.35).min_per_second(3).ttl(Duration::from_millis(1_500)).build().unwrap();
    same(&budget("kind = 'ratio'\nratio = 0.35\nmin_per_second = 3\nttl = '1s 500ms'"), ratio);
    same(&budget("kind = 'aws'\ncapacity = 70\nrevision = '2026'"), TokenBudget::new(70, Costs::REVISION_2026));
    same(&budget("kind = 'aws'\nrevision = 'earlier'"), TokenBudget::new(500, Costs::EARLIER));
    let costs = Costs { transient: 1, throttled: 2, timeout: 3, hedge: 4 };
    let text = "kind = 'aws'\ncosts = { transient = 1, throttled = 2, timeout = 3, hedge = 4 }";
    same(&budget(text), TokenBudget::new(500, costs));
    same(&budget("kind = 'grpc'\nmax_tokens = 10\ntoken_ratio = 0.1"), TokenBudget::grpc(10.0, 0.1).unwrap());
    let in_flight = InFlightBudget::builder().share(0.5).min_concurrency(7).build().unwrap();
    same(&budget("kind = 'in_flight'\nshare = 0.5\nmin_concurrency = 7"), in_flight);
    same(&budget("kind = 'unlimited'"), Unlimited);
}

#[test]
fn what_is_left_out_is_the_default_of_the_budget() {
    same(&budget("kind = 'ratio'"), RatioBudget::default());
    same(&budget("kind = 'aws'"), TokenBudget::default());
    same(&budget("kind = 'in_flight'"), InFlightBudget::default());
    same(&BudgetConfig::default().build(), TokenBudget::default());
    assert_eq!(toml("kind = 'aws'"), Ok(BudgetConfig::default()));
}

#[test]
fn it_is_read_from_json_as_well() {
    let text = r#"{"kind": "ratio", "ratio": 1, "ttl": "1m"}"#;
    let read: BudgetConfig = serde_json::from_str(text).unwrap();
    assert_eq!(toml("kind = 'ratio'\nratio = 1.0\nttl = '60s'"), Ok(read));
    let refused = |text| serde_json::from_str::<BudgetConfig>(text).unwrap_err().to_string();
    assert_eq!(refused(r#"{"kind": "in_flight", "share": -0.5}"#), "share is -0.5: it must be a number from 0 to 1000");
    assert!(refused(r#"{"kind": "aws", "capcity": 5}"#).starts_with("unknown field `capcity`"));
}

#[test]
fn each_call_of_build_makes_a_budget_of_its_own() {
    let config: BudgetConfig = toml("kind = 'aws'\ncapacity = 14").unwrap();
    let [spent, fresh] = [config.build(), config.build()];
    let _token = spent.open().withdraw(Cause::Transient).unwrap();
    assert_eq!((spent.balance(), fresh.balance()), (0.0, 14.0));
}

#[test]
fn a_value_out_of_its_range_is_refused_by_name() {
    refused::<BudgetConfig>(&[
        ("kind = 'ratio'\nratio = -0.1", "ratio is -0.1: it must be a number from 0 to 1000"),
        ("kind = 'ratio'\nratio = nan", "ratio is NaN: it must be a number from 0 to 1000"),
        ("kind = 'ratio'\nttl = '61s'", "ttl is 61s: it must be from 1 s to 60 s"),
        ("kind = 'ratio'\nttl = '999ms'", "ttl is 999ms: it must be from 1 s to 60 s"),
        ("kind = 'grpc'\nmax_tokens = 0\ntoken_ratio = 0.1", "max_tokens is 0: it must be from 0.001 to 1000"),
        ("kind = 'grpc'\nmax_tokens = 10\ntoken_ratio = inf", "token_ratio is inf: it must be from 0.001 to 1000"),
        ("kind = 'in_flight'\nshare = 1001", "share is 1001: it must be a number from 0 to 1000"),
    ]);
}

#[test]
fn what_is_no_duration_is_refused_by_name() {
    for text in ["soon", "-1s", "99999999999999999999s", ""] {
        let refused = toml::<BudgetConfig>(&format!("kind = 'ratio'\nttl = '{text}'")).unwrap_err();
        let expected = format!("ttl is `{text}`: it must be a duration such as \"10s\" or \"1m 30s\" (");
        assert!(refused.starts_with(&expected), "{refused}");
    }
    let must = "it must be a duration such as \"10s\" or \"1m 30s\"";
    refused::<BudgetConfig>(&[("kind = 'ratio'\nttl = 10", &format!("ttl is 10: {must}"))]);
}

#[test]
fn what_has_the_wrong_type_is_refused_by_name() {
    let whole = "it must be a whole number from 0 to 4294967295";
    refused::<BudgetConfig>(&[
        ("kind = 'ratio'\nmin_per_second = -1", &format!("min_per_second is -1: {whole}")),
        ("kind = 'ratio'\nmin_per_second = 1.5", &format!("min_per_second is 1.5: {whole}")),
        ("kind = 'aws'\ncapacity = 4294967296", &format!("capacity is 4294967296: {whole}")),
        ("kind = 'aws'\ncapacity = '5'", &format!("capacity is `5`: {whole}")),
        (
            "kind = 'aws'\ncosts = { transient = -1, throttled = 1, timeout = 1, hedge = 1 }",
            &format!("transient is -1: {whole}"),
        ),
        ("kind = 'ratio'\nratio = '0.2'", "ratio is `0.2`: it must be a number"),
        ("kind = 1", "kind is 1: it must be one of \"ratio\", \"aws\", \"grpc\", \"in_flight\", \"unlimited\""),
    ]);
    refused::<BudgetMapConfig>(&[(
        "capacity = -1\nbudget = { kind = 'aws' }",
        &format!("capacity is -1: it must be a whole number from 0 to {}", usize::MAX),
    )]);
    refused::<ThrottleConfig>(&[("k = '2'", "k is `2`: it must be a number")]);
    same(&budget("kind = 'aws'\nrevision = 2026"), TokenBudget::default());
}

#[test]
fn a_list_is_no_budget() {
    for json in [r#"["ratio", 0.2, 5, "10s", null, null, null, null, null, null, null]"#, "null", "3"] {
        let refused = serde_json::from_str::<BudgetConfig>(json).unwrap_err().to_string();
        assert!(refused.contains("expected a table"), "{refused}");
    }
}

#[test]
fn a_budget_that_is_read_has_the_clock_that_it_is_given() {
    use std::sync::atomic::{AtomicU64, Ordering};

    static SECONDS: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[allow(clippy::disallowed_methods)] // A place to count from.
    let clock = || *START.get_or_init(std::time::Instant::now) + Duration::from_secs(SECONDS.load(Ordering::Relaxed));
    let config: BudgetConfig = toml("kind = 'ratio'\nmin_per_second = 1\nttl = '1s'\nratio = 0").unwrap();
    let budget = config.build_with_clock(clock);
    let sends = || {
        let mut account = budget.open();
        account.withdraw(Cause::Transient).map(|mut token| account.sent(&mut token)).is_ok()
    };
    assert_eq!([sends(), sends()], [true, false]);
    SECONDS.store(2, Ordering::Relaxed);
    assert_eq!([sends(), sends()], [true, false]);
    assert!(matches!(budget.snapshot(), AnySnapshot::Ratio(snapshot) if snapshot.withdrawals == 1));
}

#[test]
fn a_field_of_another_kind_is_refused() {
    let fields = [
        ("ratio", "ratio", "0.1"),
        ("ratio", "min_per_second", "1"),
        ("ratio", "ttl", "'10s'"),
        ("aws", "capacity", "10"),
        ("aws", "revision", "'2026'"),
        ("aws", "costs", "{ transient = 1, throttled = 1, timeout = 1, hedge = 1 }"),
        ("grpc", "max_tokens", "10"),
        ("grpc", "token_ratio", "0.1"),
        ("in_flight", "share", "0.1"),
        ("in_flight", "min_concurrency", "1"),
    ];
    for kind in ["ratio", "aws", "grpc", "in_flight", "unlimited"] {
        for (_, field, value) in fields.iter().filter(|(of, ..)| *of != kind) {
            let own = if kind == "grpc" { "max_tokens = 10\ntoken_ratio = 0.1\n" } else { "" };
            refused::<BudgetConfig>(&[(
                &format!("kind = '{kind}'\n{own}{field} = {value}"),
                &format!("{field} is given: it must be left out: kind \"{kind}\" does not have it"),
            )]);
        }
    }
}

#[test]
fn what_is_missing_unknown_or_said_twice_is_refused() {
    let costs = "costs = { transient = 1, throttled = 1, timeout = 1, hedge = 1 }";
    refused::<BudgetConfig>(&[
        ("ratio = 0.1", "missing field `kind`"),
        (
            "kind = 'leaky'",
            "kind is `leaky`: it must be one of \"ratio\", \"aws\", \"grpc\", \"in_flight\", \"unlimited\"",
        ),
        ("kind = 'grpc'\ntoken_ratio = 0.1", "max_tokens is missing: it must be given for kind \"grpc\""),
        ("kind = 'grpc'\nmax_tokens = 10", "token_ratio is missing: it must be given for kind \"grpc\""),
        ("kind = 'aws'\nrevision = '2025'", "revision is `2025`: it must be one of \"2026\", \"earlier\""),
        (
            &format!("kind = 'aws'\nrevision = 'earlier'\n{costs}"),
            "revision is given: it must be left out: costs are given as well",
        ),
        ("kind = 'aws'\ncosts = { transient = 1, throttled = 1, timeout = 1 }", "missing field `hedge`"),
        (
            "kind = 'aws'\ncosts = { transient = 1, throttled = 1, timeout = 1, hedge = 1, sum = 4 }",
            "unknown field `sum`, expected one of `transient`, `throttled`, `timeout`, `hedge`",
        ),
    ]);
    for kind in ["ratio", "aws", "grpc", "in_flight", "unlimited"] {
        let refused = toml::<BudgetConfig>(&format!("kind = '{kind}'\nratios = 0.1")).unwrap_err();
        assert!(refused.starts_with("unknown field `ratios`, expected one of `kind`"), "{refused}");
    }
}

#[test]
fn a_map_is_read() {
    let read: BudgetMapConfig =
        toml("capacity = 2\nidle_after = '1m'\nbudget = { kind = 'aws', capacity = 14 }").unwrap();
    let map: BudgetMap<String, AnyBudget> = read.build();
    assert_eq!((map.capacity().get(), map.idle_after()), (2, Duration::from_secs(60)));
    let _token = map.budget("acme").open().withdraw(Cause::Transient).unwrap();
    assert_eq!((map.budget("acme").balance(), map.budget("umbrella").balance()), (0.0, 14.0));

    let read: BudgetMapConfig = toml("capacity = 1\nbudget = { kind = 'unlimited' }").unwrap();
    assert_eq!(read.build::<u64>().idle_after(), BudgetMap::DEFAULT_IDLE_AFTER);
}

#[test]
fn a_map_that_makes_no_sense_is_refused() {
    let budget = "budget = { kind = 'aws' }";
    refused::<BudgetMapConfig>(&[
        (&format!("capacity = 0\n{budget}"), "capacity is 0: it must be at least 1"),
        (&format!("capacity = 1\nidle_after = '999ms'\n{budget}"), "idle_after is 999ms: it must be at least 1 s"),
        (
            &format!("capacity = 1\nsize = 1\n{budget}"),
            "unknown field `size`, expected one of `capacity`, `idle_after`, `budget`",
        ),
        (budget, "missing field `capacity`"),
        ("capacity = 1", "missing field `budget`"),
        ("capacity = 1\nbudget = { kind = 'ratio', ttl = '0s' }", "ttl is 0ns: it must be from 1 s to 60 s"),
    ]);
}

#[test]
fn a_throttle_is_read() {
    let all: ThrottleConfig = toml("k = 1.5\nwindow = '1m'\nmax_rejection = 0.9").unwrap();
    let none: ThrottleConfig = toml("").unwrap();
    assert_eq!(none, ThrottleConfig::default());
    let built = AdaptiveThrottle::builder().k(1.5).window(Duration::from_secs(60)).max_rejection(0.9).build();
    assert_eq!(format!("{:?}", all.build()), format!("{:?}", built.unwrap()));
    let default = AdaptiveThrottle::builder().build();
    assert_eq!(format!("{:?}", none.build()), format!("{:?}", default.unwrap()));
}

#[test]
fn a_throttle_that_makes_no_sense_is_refused() {
    for (text, message) in [
        ("k = nan", "k is NaN: it must be "),
        ("window = '0s'", "window is 0ns: it must be "),
        ("max_rejection = 1.5", "max_rejection is 1.5: it must be "),
        ("window = 'long'", "window is `long`: it must be a duration"),
        ("priority = 1", "unknown field `priority`, expected one of `k`, `window`, `max_rejection`"),
    ] {
        let refused = toml::<ThrottleConfig>(text).unwrap_err();
        assert!(refused.starts_with(message), "{text:?} was refused with {refused:?}");
    }
}
