//! Whatever stands in a file, it is read or refused: hostile input.
#![cfg(all(feature = "serde", not(loom)))]

mod support;

use std::fmt::Debug;

use evenkeel_breaker::BreakerConfig;
use proptest::prelude::*;
use support::fail;

const FIELDS: [&str; 15] = [
    "consecutive_failures",
    "failure_rate",
    "slow_calls",
    "count_window",
    "time_window",
    "minimum_calls",
    "open_for",
    "max_hint",
    "half_open_permits",
    "half_open_successes",
    "half_open_calls",
    "probe_timeout",
    "ramp",
    "abandoned",
    "dry_run",
];

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (0_u32..20).prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[0-9]{1,20}(ns|ms|s|m|h|days|years)".prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![
            proptest::sample::select(&["threshold", "rate", "first", "cap", "failure_after"][..])
                .prop_map(str::to_owned),
            ".{0,3}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((name, inner), 0..4)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn builds_or_says_why<E: Debug + ToString>(read: Result<BreakerConfig, E>) {
    match read {
        Ok(config) => {
            let breaker = config.build();
            assert!(fail(&breaker));
            let _ = (breaker.ready_at(), breaker.try_acquire().is_ok(), breaker.snapshot());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_the_fields_is_read_or_refused(
        fields in proptest::collection::vec((proptest::sample::select(&FIELDS[..]), any_json()), 0..5),
    ) {
        let table: serde_json::Map<_, _> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        builds_or_says_why(serde_json::from_value::<BreakerConfig>(table.into()));
    }

    #[test]
    fn whatever_the_text_is_it_is_read_or_refused(text in ".{0,60}", field in proptest::sample::select(&FIELDS[..])) {
        builds_or_says_why(toml::from_str::<BreakerConfig>(&text));
        builds_or_says_why(toml::from_str::<BreakerConfig>(&format!("{field} = {text}")));
        builds_or_says_why(toml::from_str::<BreakerConfig>(&format!("{field} = '{text}'")));
        builds_or_says_why(serde_json::from_str::<BreakerConfig>(&text));
    }
}
