//! Reading policies from files: what is read, and what it does.
#![cfg(all(feature = "serde", not(loom)))]

mod config_support;
mod support;

use std::time::Duration;

use config_support::{json, passed, toml, turn_to};
use evenkeel_hedging::{
    AllFailed, AnyDelays, AtOnce, DEFAULT_MAX_SERVER_DELAY, Delays, Every, Hedge, HedgeConfig, NEVER, OnFailure,
    Quantile, QuantileBuilder, QuantileConfig, Verdict,
};
use support::{World, ms};

type Results = &'static [(u64, Result<(), Verdict>)];

/// When each attempt was sent, whose result was the answer, and when. Attempts take so many milliseconds.
fn way(text: &str, results: Results) -> (Vec<u64>, Result<u32, (u32, Verdict)>, u64) {
    let world = World::new();
    let judge =
        |result: &Result<u32, (u32, Verdict)>| result.map_or_else(|(_, verdict)| verdict, |_| Verdict::success());
    let hedge = toml(text).unwrap().policy(world.sleeper()).when(judge);
    let mut sent = Vec::new();
    let millis = || world.elapsed().as_millis() as u64;
    let answer = world.run(hedge.run(|attempt| {
        sent.push(millis());
        let (takes, result) = results[attempt as usize];
        let sleep = world.sleep(ms(takes));
        async move {
            sleep.await;
            result.map(|()| attempt).map_err(|verdict| (attempt, verdict))
        }
    }));
    (sent, answer, millis())
}

const SLOW: Results = &[(1_000, Ok(())); 5];

#[test]
fn every_field_is_read_from_toml_and_json_alike() {
    let all = "
        max_attempts = 3
        max_server_delay = '1m 30s'
        all_failed = 'first'
        elsewhere = false
        charge_failures = false
        delays = { quantile = 0.9, window = '1m', warm_up = 20, until_warm = '500ms', at_least = '1ms', at_most = '2s' }
    ";
    let same = r#"{
        "max_attempts": 3, "max_server_delay": "90s", "all_failed": "first", "elsewhere": false, "charge_failures": false,
        "delays": {"quantile": 0.9, "window": "60s", "warm_up": 20, "until_warm": "500000us", "at_least": "1000us",
                   "at_most": "2s"}
    }"#;
    assert_eq!(json(same), toml(all));
    let nulls = r#"{"delays": {"quantile": 0.5, "window": null}, "max_attempts": null, "elsewhere": null}"#;
    assert_eq!(json(nulls), toml("delays = { quantile = 0.5 }"), "what is empty is left out");
}

#[test]
fn each_kind_of_delays_sends_as_it_says() {
    let sent = |text: &str| way(text, SLOW).0;
    assert_eq!(sent("delays = '30ms'"), [0, 30]);
    assert_eq!(sent("delays = '30ms'\nmax_attempts = 4"), [0, 30, 60, 90]);
    assert_eq!(sent("delays = ['10ms', '1s 1ms', '1ms']"), [0, 10], "the first answers before the third is due");
    assert_eq!(sent("delays = ['10ms', '20ms', '0ms']"), [0, 10, 30, 30]);
    assert_eq!(sent("delays = 'at_once'\nmax_attempts = 3"), [0, 0, 0]);
    assert_eq!(sent("delays = 'on_failure'"), [0]);
    assert_eq!(sent("delays = { quantile = 0.95 }"), [0], "it is not warm");
    assert_eq!(sent("delays = { quantile = 0.95, until_warm = '40ms' }\nmax_attempts = 3"), [0, 40, 80]);
}

#[test]
fn max_attempts_cuts_a_list_short_and_turns_hedging_off() {
    assert_eq!(way("delays = ['10ms', '20ms']\nmax_attempts = 2", SLOW).0, [0, 10]);
    for rest in
        ["delays = ['10ms', '20ms']", "delays = '1ms'", "delays = 'at_once'\nelsewhere = true\nmax_server_delay = '1s'"]
    {
        assert_eq!(way(&format!("{rest}\nmax_attempts = 1"), SLOW).0, [0], "{rest}");
    }
}

#[test]
fn a_hint_is_followed_up_to_the_longest_delay_and_not_elsewhere() {
    const BUSY: Results = &[(1, Err(Verdict::throttled().not_before(Duration::from_secs(2)))), (1, Ok(()))];
    assert_eq!(way("delays = 'on_failure'", BUSY).0, [0, 2_001]);
    assert_eq!(way("delays = 'on_failure'\nmax_server_delay = '2s'", BUSY).0, [0, 2_001]);
    assert_eq!(way("delays = 'on_failure'\nmax_server_delay = '1999ms'", BUSY).0, [0]);
    assert_eq!(way("delays = 'on_failure'\nelsewhere = true", BUSY).0, [0, 1]);
    assert_eq!(way("delays = 'on_failure'\nelsewhere = false", BUSY).0, [0, 2_001]);
}

#[test]
fn whose_failure_is_the_answer_is_read() {
    const FAIL: Results =
        &[(30, Err(Verdict::transient())), (10, Err(Verdict::throttled())), (40, Err(Verdict::transient()))];
    // The second fails first, with the best result; the first fails next, and the third last.
    let answer = |all_failed| way(&format!("delays = ['1ms', '1ms']\n{all_failed}"), FAIL).1.unwrap_err().0;
    assert_eq!(answer("all_failed = 'best'"), 1);
    assert_eq!(answer("all_failed = 'last'"), 2);
    assert_eq!(answer("all_failed = 'first'"), 0);
    assert_eq!(answer(""), answer("all_failed = 'best'"));
}

#[test]
fn what_is_left_out_is_the_policys_default() {
    let read = |text: &str| format!("{:?}", toml(text).unwrap().policy(()));
    let own = |hedge: Hedge<AnyDelays, ()>| format!("{hedge:?}");
    assert_eq!(read("delays = '1s'"), own(Hedge::new(Every(ms(1_000)).into(), ())));
    assert_eq!(read("delays = ['1s']"), own(Hedge::new([ms(1_000)].into(), ())));
    assert_eq!(read("delays = 'on_failure'"), own(Hedge::new(OnFailure.into(), ())));
    assert_eq!(read("delays = 'at_once'"), own(Hedge::new(AtOnce.into(), ())));
    assert_eq!(read("delays = { quantile = 0.99 }"), own(Hedge::new(Quantile::p99().into(), ())));
    // Not the same as if it were said: elsewhere, failures are free unless it is.
    let hedge = || Hedge::new(OnFailure.into(), ());
    assert_eq!(read("delays = 'on_failure'\ncharge_failures = true"), own(hedge().charge_failures(true)));
    assert_eq!(read("delays = 'on_failure'\ncharge_failures = false"), own(hedge().charge_failures(false)));
    assert_ne!(own(hedge()), own(hedge().charge_failures(true)));
    let said = format!(
        "delays = 'on_failure'\nmax_server_delay = '{}s'\nall_failed = 'best'\nelsewhere = false",
        DEFAULT_MAX_SERVER_DELAY.as_secs()
    );
    assert_eq!(read(&said), own(hedge().all_failed(AllFailed::Best)), "as it is documented");
}

/// What the estimate makes of 200 requests of 1 to 200 ms, one each 100 ms.
fn behaves(builder: QuantileBuilder) -> Vec<Option<Duration>> {
    turn_to(Duration::ZERO);
    let quantile = builder.clock(passed as fn() -> _).build().unwrap();
    let mut seen = vec![quantile.session().next()];
    for millis in 1..=200 {
        turn_to(ms(millis * 100));
        quantile.record(ms(millis));
        seen.extend([quantile.threshold(), quantile.session().nth(3)]);
    }
    seen
}

#[test]
fn each_setting_of_an_estimate_is_the_builders() {
    let read = |rest: &str| {
        let text = format!("quantile = 0.75\n{rest}");
        behaves(toml::from_str::<QuantileConfig>(&text).unwrap().builder())
    };
    let few = std::num::NonZeroU32::new(7).unwrap();
    let own = || Quantile::builder(0.75);
    let each = [
        ("", own()),
        ("window = '2s'\nwarm_up = 7", own().window(ms(2_000)).warm_up(few)),
        ("warm_up = 7", own().warm_up(few)),
        ("until_warm = '3ms'", own().until_warm(ms(3))),
        ("at_least = '120ms'", own().at_least(ms(120))),
        ("at_most = '90ms'", own().at_most(ms(90))),
        ("at_least = '100ms'\nat_most = '100ms'", own().at_least(ms(100)).at_most(ms(100))),
    ];
    let behaviours: Vec<_> = each
        .into_iter()
        .map(|(text, builder)| {
            let expected = behaves(builder);
            assert_eq!(read(text), expected, "{text:?}");
            expected
        })
        .collect();
    for (place, one) in behaviours.iter().enumerate() {
        assert!(!behaviours[..place].contains(one), "the {place}th has an effect");
    }
    assert_eq!(behaviours[0][0], Some(NEVER));
}

#[test]
fn an_estimate_that_is_built_has_the_settings_and_is_a_new_one() {
    let config: QuantileConfig =
        toml::from_str("quantile = 0.5\nwarm_up = 2\nwindow = '10s'\nat_least = '3s'").unwrap();
    let [one, other] = [config.build(), config.build()];
    one.record_at(ms(80), passed());
    assert_eq!(one.threshold(), None);
    one.record_at(ms(80), passed() + ms(4_000));
    assert_eq!((one.snapshot().count, one.threshold()), (2, Some(ms(3_000))));
    assert_eq!(other.snapshot().count, 0);
}

#[test]
fn each_policy_has_an_estimate_of_its_own_and_its_clones_share_it() {
    let config = toml("delays = { quantile = 0.5, warm_up = 1 }").unwrap();
    let (one, other) = (config.policy(()), config.policy(()));
    let clone = one.clone();
    clone.delays().quantile().unwrap().record(ms(80));
    let threshold = |hedge: &Hedge<AnyDelays, ()>| hedge.delays().quantile().unwrap().threshold();
    assert!(threshold(&one).is_some_and(|threshold| threshold.abs_diff(ms(80)) < ms(2)));
    assert_eq!(threshold(&other), None);
    assert!(toml("delays = '1ms'").unwrap().policy(()).delays().quantile().is_none());
}

#[test]
fn the_clock_of_a_policy_is_the_one_it_was_given() {
    let config = toml("delays = { quantile = 0.5, warm_up = 1, window = '10s' }").unwrap();
    turn_to(Duration::ZERO);
    let world = World::new();
    let hedge = config.policy_with_clock(world.sleeper(), passed);
    let answer = world.run(hedge.run(async |_| {
        world.sleep(ms(1)).await; // it waits, and is timed
        turn_to(ms(1_500));
        Ok::<_, ()>(())
    }));
    assert_eq!(answer, Ok(()));
    let threshold = hedge.delays().quantile().unwrap().threshold().unwrap();
    assert!(threshold.abs_diff(ms(1_500)) < ms(30), "{threshold:?}");
}

#[test]
fn what_was_read_goes_to_any_thread() {
    fn is<T: Send + Sync + Unpin + 'static>() {}
    is::<HedgeConfig>();
    is::<QuantileConfig>();
    is::<Hedge<AnyDelays, fn(Duration)>>();
}
