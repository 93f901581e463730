//! Keyed breakers from a configuration file.
#![cfg(all(feature = "serde", not(loom)))]

use std::time::Duration;

use evenkeel_breaker::{BreakerMap, BreakerMapConfig, State};

#[test]
fn every_field_is_read_from_toml_and_json_alike() {
    let toml = "capacity = 7\nmax_open = 0.25\nidle_after = '90s'\n[breaker]\nconsecutive_failures = 2";
    let json = r#"{ "capacity": 7, "max_open": 0.25, "idle_after": "90s", "breaker": { "consecutive_failures": 2 } }"#;
    let config: BreakerMapConfig = toml::from_str(toml).unwrap();
    assert_eq!(config, serde_json::from_str(json).unwrap());
    let breakers: BreakerMap<&str> = config.build();
    assert_eq!((breakers.capacity().get(), breakers.max_open()), (7, 0.25));
    assert_eq!(breakers.idle_after(), Duration::from_secs(90));
    let breaker = breakers.breaker(&"a");
    (0..2).for_each(|_| breaker.try_acquire().unwrap().failure());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn what_is_left_out_is_as_the_builder_has_it() {
    let breakers: BreakerMap<String> = toml::from_str::<BreakerMapConfig>("capacity = 1").unwrap().build();
    assert_eq!(breakers.max_open(), BreakerMap::DEFAULT_MAX_OPEN);
    assert_eq!(breakers.idle_after(), BreakerMap::DEFAULT_IDLE_AFTER);
}

#[test]
fn what_makes_no_sense_is_refused_with_field_value_and_range() {
    let refused = |text: &str| toml::from_str::<BreakerMapConfig>(text).unwrap_err().message().to_owned();
    for (text, says) in [
        ("capacity = 0", "capacity is 0: it must be a whole number, at least 1"),
        ("capacity = -1", "capacity is -1: it must be a whole number, at least 1"),
        ("capacity = 'many'", "capacity is `many`: it must be a whole number, at least 1"),
        ("capacity = 1\nmax_open = 0", "max_open is 0: it must be a number above 0 and at most 1"),
        ("capacity = 1\nmax_open = nan", "max_open is NaN: it must be a number above 0 and at most 1"),
        ("capacity = 1\nidle_after = '10ms'", "idle_after is 10ms: it must be at least 1 s"),
        (
            "capacity = 1\n[breaker]\nconsecutive_failures = 0",
            "consecutive_failures is 0: it must be a whole number from 1 to 1000",
        ),
    ] {
        assert_eq!(refused(text), says);
    }
    assert!(refused("capacity = 1\nmax_opn = 1").starts_with("unknown field `max_opn`"));
    assert!(refused("max_open = 1").starts_with("missing field `capacity`"));
}
