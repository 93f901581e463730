//! Whatever stands in a file, it is read or refused; and what is read means what was written.
#![cfg(all(feature = "serde", not(loom)))]

mod config_support;
mod support;

use std::{fmt::Debug, time::Duration};

use config_support::{passed, toml, turn_to};
use evenkeel_hedging::{Delays, Hedge, HedgeConfig, QuantileConfig};
use proptest::{collection::vec, option, prelude::*, sample::select};
use support::{World, ms};

const FIELDS: [&str; 6] = ["delays", "max_attempts", "max_server_delay", "all_failed", "elsewhere", "charge_failures"];
const OF_AN_ESTIMATE: [&str; 6] = ["quantile", "window", "warm_up", "until_warm", "at_least", "at_most"];

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (0_u32..20).prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        (0.0..1.0).prop_map(Into::into),
        "[0-9]{1,20}(ns|ms|s|m|h|days|years)".prop_map(Into::into),
        select(&["on_failure", "at_once", "best", "first", "last"][..]).prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![4 => select(&OF_AN_ESTIMATE[..]).prop_map(str::to_owned), 1 => ".{0,3}"];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((name, inner), 0..4).prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn table<T>(fields: Vec<(&str, T)>) -> serde_json::Value
where
    serde_json::Value: From<T>,
{
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A policy can be made of it and used, whatever it is.
fn works_or_says_why<E: Debug + ToString>(read: Result<HedgeConfig, E>) {
    match read {
        Ok(config) => {
            let world = World::new();
            let hedge = config.policy(world.sleeper());
            let _ = hedge.delays().session().take(3).count();
            let answer = world.run(hedge.run(async |attempt| if attempt < 2 { Err(attempt) } else { Ok(attempt) }));
            assert!(answer.is_err_and(|last| last < 2) || answer == Ok(2));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn builds_or_says_why<E: Debug + ToString>(read: Result<QuantileConfig, E>) {
    match read {
        Ok(config) => {
            let quantile = config.build();
            (0..10).for_each(|millis| quantile.record(ms(millis)));
            let _ = (quantile.threshold(), quantile.snapshot());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

proptest! {
    #[test]
    fn whatever_stands_in_the_fields_is_read_or_refused(
        delays in any_json(),
        fields in vec((select(&FIELDS[..]), any_json()), 0..3),
    ) {
        let fields: Vec<_> = [("delays", delays)].into_iter().chain(fields).collect();
        works_or_says_why(serde_json::from_value::<HedgeConfig>(table(fields)));
    }

    #[test]
    fn whatever_stands_in_an_estimate_is_read_or_refused(
        share in 0.0..1.0,
        fields in vec((select(&OF_AN_ESTIMATE[1..]), any_json()), 0..4),
    ) {
        let estimate: Vec<_> = [("quantile", serde_json::Value::from(share))].into_iter().chain(fields).collect();
        builds_or_says_why(serde_json::from_value::<QuantileConfig>(table(estimate.clone())));
        works_or_says_why(serde_json::from_value::<HedgeConfig>(table(vec![("delays", table(estimate))])));
    }

    #[test]
    fn whatever_the_text_is_it_is_read_or_refused(text in ".{0,60}", field in select(&FIELDS[..])) {
        works_or_says_why(toml::from_str::<HedgeConfig>(&text));
        builds_or_says_why(toml::from_str::<QuantileConfig>(&text));
        works_or_says_why(serde_json::from_str::<HedgeConfig>(&text));
        for line in [format!("{field} = {text}"), format!("{field} = '{text}'")] {
            works_or_says_why(toml::from_str::<HedgeConfig>(&line));
            works_or_says_why(toml::from_str::<HedgeConfig>(&format!("delays = '1ms'\n{line}")));
        }
    }

    #[test]
    fn a_policy_that_is_written_down_is_the_one_that_is_read(
        delays in vec(0_u64..100_000, 1..5),
        attempts in option::of(1_u32..5),
        server in option::of(0_u64..100_000),
        elsewhere: bool,
        charge in option::of(any::<bool>()),
    ) {
        let list: Vec<_> = delays.iter().map(|millis| format!("'{millis}ms'")).collect();
        let mut text = format!("delays = [{}]\nelsewhere = {elsewhere}\n", list.join(", "));
        let times: Vec<Duration> = delays.iter().copied().map(ms).collect();
        let mut own = Hedge::new(evenkeel_hedging::AnyDelays::from(times), ());
        if elsewhere {
            own = own.elsewhere();
        }
        if let Some(attempts) = attempts {
            text += &format!("max_attempts = {attempts}\n");
            own = own.max_attempts(attempts.try_into().unwrap());
        }
        if let Some(server) = server {
            text += &format!("max_server_delay = '{server}ms'\n");
            own = own.max_server_delay(ms(server));
        }
        if let Some(charge) = charge {
            text += &format!("charge_failures = {charge}\n");
            own = own.charge_failures(charge);
        }
        let off = attempts == Some(1);
        let too_many = attempts.is_some_and(|attempts| attempts as usize > delays.len() + 1);
        let refused = !off && (too_many || elsewhere && server.is_some());
        let read = toml(&text);
        prop_assert_eq!(read.is_err(), refused, "{}: {:?}", text, read);
        if let Ok(config) = read {
            prop_assert_eq!(format!("{:?}", config.policy(())), format!("{own:?}"));
        }
    }

    #[test]
    fn an_estimate_that_is_written_down_is_the_one_that_is_read(
        share in 1_u32..100,
        warm_up in 1_u32..50,
        until_warm in 1_u64..1_000,
        (at_least, more) in (0_u64..1_000, 1_u64..1_000),
        took in 1_u64..3_000,
    ) {
        let (share, at_most) = (f64::from(share) / 100.0, at_least + more);
        let text = format!(
            "quantile = {share:?}\nwarm_up = {warm_up}\nuntil_warm = '{until_warm}ms'\nat_least = '{at_least}ms'\n\
             at_most = '{at_most}ms'"
        );
        turn_to(Duration::ZERO);
        let config: QuantileConfig = toml::from_str(&text).unwrap();
        let quantile = config.builder().clock(passed).build().unwrap();
        for _ in 1..warm_up {
            quantile.record(ms(took));
        }
        prop_assert_eq!(quantile.threshold(), None);
        prop_assert_eq!(quantile.session().next(), Some(ms(until_warm)));
        quantile.record(ms(took));
        let threshold = quantile.threshold().unwrap();
        let expected = ms(took).clamp(ms(at_least), ms(at_most));
        prop_assert!(threshold.abs_diff(expected) <= expected.mul_f64(0.035), "{threshold:?} {expected:?}");
    }
}
