//! Reading policies from files: what is refused, and how.
#![cfg(all(feature = "serde", not(loom)))]

mod config_support;

use config_support::{json, toml};
use evenkeel_hedging::{HedgeConfig, QuantileConfig};

const DURATION: &str = "it must be a duration such as \"250ms\" or \"1m 30s\"";
const COUNT: &str = "it must be a whole number from 1 to 4294967295";
const SHARE: &str = "it must be a number above 0 and below 1";
const DELAYS: &str =
    "it must be a duration such as \"30ms\", a list of them, a table with a `quantile`, \"on_failure\" or \"at_once\"";

fn refused(text: &str, message: &str) {
    assert_eq!(toml(text).unwrap_err(), message, "{text:?}");
}

/// Of `delays`, with that message after its name and value.
fn delays_refused(value: &str, shown: &str, message: &str) {
    refused(&format!("delays = {value}"), &format!("delays{shown}: {message}"));
}

#[test]
fn delays_that_are_none_are_refused() {
    delays_refused("30", " is 30", DELAYS);
    delays_refused("0.5", " is 0.5", DELAYS);
    delays_refused("true", " is true", DELAYS);
    delays_refused("[]", " is an empty list", DELAYS);
    delays_refused("[30]", " is 30", DURATION);
    delays_refused("['1ms', ['1ms']]", " is a list", DURATION);
    assert!(json(r#"{"delays": ["1ms", null]}"#).unwrap_err().starts_with(&format!("delays is nothing: {DURATION}")));
    for text in ["soon", "at once", "-1s", "99999999999999999999s", ""] {
        let refused = toml(&format!("delays = '{text}'")).unwrap_err();
        assert!(refused.starts_with(&format!("delays is `{text}`: {DELAYS} (")), "{refused}");
        let refused = toml(&format!("delays = ['1ms', '{text}']")).unwrap_err();
        assert!(refused.starts_with(&format!("delays is `{text}`: {DURATION} (")), "{refused}");
    }
}

#[test]
fn zero_is_refused_where_it_would_be_a_hedge_at_once_and_is_mostly_meant_for_none() {
    let longer = "it must be longer than zero";
    delays_refused("'0s'", " is 0ns", &format!("{longer}, or \"at_once\""));
    delays_refused("{ quantile = 0.9, until_warm = '0ms' }", ".until_warm is 0ns", longer);
    delays_refused("{ quantile = 0.9, at_most = '0ms' }", ".at_most is 0ns", longer);
    assert!(toml("delays = { quantile = 0.9, at_least = '0ms' }\nmax_server_delay = '0s'").is_ok());
    assert!(toml("delays = ['0s', '10ms']").is_ok());
}

#[test]
fn an_estimate_is_refused_as_its_builder_does_by_the_names_of_the_file() {
    for (share, shown) in [("0", "0"), ("1", "1"), ("95", "95"), ("-0.5", "-0.5"), ("nan", "NaN"), ("inf", "inf")] {
        delays_refused(&format!("{{ quantile = {share} }}"), &format!(".quantile is {shown}"), SHARE);
        let alone = toml::from_str::<QuantileConfig>(&format!("quantile = {share}")).unwrap_err();
        assert_eq!(alone.message(), format!("quantile is {shown}: {SHARE}"));
    }
    for (rest, message) in [
        ("window = '1ms'", "window is 1ms: it must be from 2 ms to 1 h"),
        ("window = '61m'", "window is 3660s: it must be from 2 ms to 1 h"),
        ("at_least = '2s', at_most = '1s'", "at_least is 2s: it must be no longer than at_most"),
    ] {
        refused(&format!("delays = {{ quantile = 0.9, {rest} }}"), &format!("delays.{message}"));
    }
    assert!(toml("delays = { quantile = 0.9, at_least = '1s', at_most = '1s', window = '2ms' }").is_ok());
    assert!(toml("delays = { quantile = 0.9, window = '1h' }").is_ok());
}

#[test]
fn what_has_the_wrong_type_is_refused_by_name() {
    let with = |rest: &str, message: String| refused(&format!("delays = 'on_failure'\n{rest}"), &message);
    with("max_attempts = 0", format!("max_attempts is 0: {COUNT}"));
    with("max_attempts = -1", format!("max_attempts is -1: {COUNT}"));
    with("max_attempts = 2.0", format!("max_attempts is 2: {COUNT}"));
    with("max_attempts = 4294967296", format!("max_attempts is 4294967296: {COUNT}"));
    with("max_attempts = '2'", format!("max_attempts is `2`: {COUNT}"));
    with("max_server_delay = 60", format!("max_server_delay is 60: {DURATION}"));
    with("max_server_delay = ['1s']", format!("max_server_delay is a list: {DURATION}"));
    let words = "it must be one of \"best\", \"last\", \"first\"";
    with("all_failed = 'worst'", format!("all_failed is `worst`: {words}"));
    with("all_failed = 1", format!("all_failed is 1: {words}"));
    with("elsewhere = 'yes'", "elsewhere is `yes`: it must be true or false".to_owned());
    with("elsewhere = {}", "elsewhere is a table: it must be true or false".to_owned());
    with("charge_failures = 1", "charge_failures is 1: it must be true or false".to_owned());
}

#[test]
fn what_has_the_wrong_type_in_an_estimate_is_refused_by_name() {
    delays_refused("{ quantile = '0.9' }", ".quantile is `0.9`", SHARE);
    delays_refused("{ quantile = [0.9] }", ".quantile is a list", SHARE);
    let with = |rest: &str, shown: &str, message: &str| {
        delays_refused(&format!("{{ quantile = 0.9, {rest} }}"), shown, message);
    };
    with("window = 30", ".window is 30", DURATION);
    with("warm_up = 0", ".warm_up is 0", COUNT);
    with("warm_up = '100'", ".warm_up is `100`", COUNT);
    with("warm_up = 1.5", ".warm_up is 1.5", COUNT);
    with("until_warm = true", ".until_warm is true", DURATION);
    with("at_least = 0.001", ".at_least is 0.001", DURATION);
    with("at_most = { s = 1 }", ".at_most is a table", DURATION);
}

#[test]
fn what_contradicts_itself_or_has_no_effect_is_refused() {
    let list = "delays = ['10ms', '20ms']";
    refused(&format!("{list}\nmax_attempts = 4"), "max_attempts is 4: it must be at most 3, as delays has 2");
    assert!(toml(&format!("{list}\nmax_attempts = 3")).is_ok());
    let given = "max_server_delay is given: it must be left out: with elsewhere nobody heeds what a server asks for";
    refused("delays = '1ms'\nelsewhere = true\nmax_server_delay = '1s'", given);
    assert!(toml("delays = '1ms'\nelsewhere = false\nmax_server_delay = '1s'").is_ok());
}

#[test]
fn what_is_unknown_missing_or_said_twice_is_refused() {
    refused("", "delays is missing: it must be given");
    refused("delays = {}", "delays.quantile is missing: it must be given");
    assert_eq!(json(r#"{"delays": null}"#).unwrap_err(), "delays is missing: it must be given");
    let unknown = toml("delays = '1ms'\nmax_atempts = 3").unwrap_err();
    assert!(unknown.starts_with("unknown field `max_atempts`, expected one of `delays`"), "{unknown}");
    let known = "expected one of `quantile`, `window`, `warm_up`, `until_warm`, `at_least`, `at_most`";
    refused("delays = { quantile = 0.9, min = '1ms' }", &format!("unknown field `min` in delays, {known}"));
    let alone = toml::from_str::<QuantileConfig>("quantile = 0.9\nmin = '1ms'").unwrap_err();
    assert_eq!(alone.message(), format!("unknown field `min`, {known}"));
    for twice in [
        r#"{"delays": "1ms", "delays": "2ms"}"#,
        r#"{"delays": {"quantile": 0.9, "quantile": 0.5}}"#,
        r#"{"delays": {"quantile": null, "quantile": 0.5}}"#,
    ] {
        let refused = json(twice).unwrap_err();
        assert!(refused.starts_with("duplicate field `"), "{refused}");
    }
}

#[test]
fn a_list_is_neither_a_policy_nor_an_estimate() {
    for text in ["[]", r#"["30ms", 3]"#, "null", "3", r#""at_once""#] {
        let policy = serde_json::from_str::<HedgeConfig>(text).unwrap_err().to_string();
        assert!(policy.contains("expected a table"), "{policy}");
        let estimate = serde_json::from_str::<QuantileConfig>(text).unwrap_err().to_string();
        assert!(estimate.contains("expected a table"), "{estimate}");
    }
}
