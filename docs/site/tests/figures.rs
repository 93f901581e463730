//! The figures behind the charts: of the site that has been built, as it is, or where there is none, of quick runs, roughly.

#![allow(missing_docs)]

use std::{env, fs, path::Path};

use evenkeel_lab::experiment::Experiment;
use serde_json::Value;

/// An experiment's rows.
struct Figures {
    rows: Vec<Value>,
    /// All of it: what some have beside their rows.
    json: Value,
    /// Whether they are those of the book.
    full: bool,
}

impl Figures {
    fn of(experiment: Experiment) -> Self {
        let site = env::var_os("EVENKEEL_SITE");
        let text = match &site {
            Some(site) => {
                let file = Path::new(site).join(format!("figures/{}.json", experiment.name()));
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
            }
            None => experiment.sheet(1, true).expect("an experiment that runs").json,
        };
        let json: Value = serde_json::from_str(&text).expect("JSON");
        Self { rows: json["rows"].as_array().expect("rows").clone(), json, full: site.is_some() }
    }

    /// The field of the row that has these values.
    fn get(&self, keys: &[(&str, Value)], field: &str) -> &Value {
        let row = self.rows.iter().find(|row| keys.iter().all(|(key, value)| row[key] == *value));
        &row.unwrap_or_else(|| panic!("no row with {keys:?}"))[field]
    }

    fn number(&self, keys: &[(&str, Value)], field: &str) -> f64 {
        self.get(keys, field).as_f64().unwrap_or_else(|| panic!("{field} of {keys:?} is no number"))
    }

    /// Within this share of what it must be; quick runs are not so exact.
    fn about(&self, keys: &[(&str, Value)], field: &str, expected: f64, share: f64) {
        let seen = self.number(keys, field);
        let share = if self.full { share } else { share.max(0.3) };
        assert!((seen - expected).abs() <= expected * share, "{field} of {keys:?} is {seen}, not {expected} ± {share}");
    }
}

fn named(name: &str) -> [(&'static str, Value); 1] {
    [("strategy", name.into())]
}

#[test]
fn jitter_is_the_table_of_aws_within_five_per_cent() {
    let figures = Figures::of(Experiment::Jitter);
    let published = [
        ("none", 2_027.0, 2_421.0),
        ("exponential", 62_862.0, 1_853.0),
        ("equal", 6_658.0, 812.0),
        ("full", 4_879.0, 797.0),
        ("decorrelated", 4_530.0, 1_002.0),
    ];
    for (strategy, completion, calls) in published {
        let keys = [("strategy", strategy.into()), ("clients", 100.into())];
        figures.about(&keys, "completion_ms", completion, 0.05);
        figures.about(&keys, "calls", calls, 0.05);
    }
}

#[test]
fn an_outage_is_survived_with_a_budget_and_never_without() {
    let figures = Figures::of(Experiment::Outage);
    let of = |strategy: &str, field: &str| figures.number(&named(strategy), field);
    for strategy in ["naive", "exponential", "jittered"] {
        assert!(figures.get(&named(strategy), "recovery_ms").is_null(), "{strategy}");
        assert!(of(strategy, "goodput_after") < 0.02 && of(strategy, "peak_load") > 5.0, "{strategy}");
        figures.about(&named(strategy), "outage_amplification", 4.0, 0.03);
    }
    for (strategy, recovery) in [("none", 8_000.0), ("budget", 9_000.0), ("breaker", 12_000.0)] {
        assert!(of(strategy, "recovery_ms") <= recovery, "{strategy}");
        assert!(of(strategy, "goodput_after") > 0.68, "{strategy}");
    }
    assert!(of("budget", "outage_amplification") < 1.4);
    assert!(of("breaker", "outage_amplification") < 0.8);
    assert!(!figures.full || figures.rows.iter().all(|row| row["clients"] == 10_000));
}

#[test]
fn in_an_overload_retries_cost_all_and_a_throttle_keeps_nine_tenths() {
    let figures = Figures::of(Experiment::Overload);
    let of = |strategy: &str, offered: f64, field| {
        figures.number(&[("strategy", strategy.into()), ("offered", offered.into())], field)
    };
    assert!(of("jittered", 4.0, "goodput") < 0.02 && of("jittered", 4.0, "load") > 14.0);
    assert!((of("none", 4.0, "goodput") - 0.67).abs() < 0.05 && (of("budget", 4.0, "goodput") - 0.67).abs() < 0.06);
    for offered in [2.0, 4.0, 10.0] {
        for strategy in ["breaker", "throttle", "both"] {
            assert!(of(strategy, offered, "goodput") > 0.85, "{strategy} at {offered}");
        }
        assert!((1.5..=2.0).contains(&of("throttle", offered, "load")));
    }
}

#[test]
fn one_bad_replica_of_ten_is_got_around_by_hedges_at_once_and_by_breakers_for_good() {
    let figures = Figures::of(Experiment::SlowReplica);
    let of =
        |strategy: &str, field| figures.number(&[("strategy", strategy.into()), ("scenario", "slow".into())], field);
    assert!(of("none", "p99_ms") > 600.0 && of("retry", "p99_ms") > 600.0, "a slow one is no failure");
    assert!(of("hedge", "p99_ms") < 200.0 && (0.07..=0.14).contains(&of("hedge", "extra_load")));
    assert!(of("hedge", "to_bad") > 0.07 && of("breaker", "to_bad") < 0.04);
    assert!(of("all", "p99_ms") < 110.0 && of("all", "to_bad") < 0.03 && of("all", "extra_load") < 0.09);
    assert!((of("all-unheard", "to_bad") - of("hedge", "to_bad")).abs() < 0.02, "a breaker that hears nothing");
    let answered = |strategy: &str, scenario: &str| {
        figures.number(&[("strategy", strategy.into()), ("scenario", scenario.into())], "answered")
    };
    for scenario in ["hangs", "fails"] {
        assert!((answered("none", scenario) - 0.9).abs() < 0.02, "a tenth is lost: {scenario}");
        assert!(answered("all", scenario) > 0.999, "{scenario}");
    }
}

#[test]
fn every_experiment_is_drawn_in_a_chapter() {
    let chapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src");
    let chapters = fs::read_dir(chapters).expect("the chapters").flatten().map(|entry| entry.path());
    let text: String = chapters.flat_map(fs::read_to_string).collect();
    for experiment in Experiment::ALL {
        assert!(text.contains(&format!("{{{{#charts {}", experiment.name())), "no charts of {}", experiment.name());
    }
}

#[test]
fn budgets_bound_what_retries_add() {
    let figures = Figures::of(Experiment::Budgets);
    let expected = [
        ("none", [1.11, 1.74, 3.00]),
        ("ratio", [1.11, 1.30, 1.30]),
        ("grpc", [1.01, 1.00, 1.00]),
        ("aws-5", [1.11, 1.20, 1.00]),
        ("aws-14", [1.11, 1.07, 1.00]),
    ];
    for (budget, attempts) in expected {
        for (rate, expected) in [0.1, 0.5, 1.0].into_iter().zip(attempts) {
            let keys = [("budget", budget.into()), ("failure_rate", rate.into())];
            let seen = figures.number(&keys, "attempts_per_request");
            assert!((seen - expected).abs() < if figures.full { 0.02 } else { 0.05 }, "{keys:?}: {seen}");
        }
    }
}

#[test]
fn a_throttle_of_k_2_sends_twice_what_is_accepted() {
    let figures = Figures::of(Experiment::Throttle);
    for k in [1.1, 1.5, 2.0, 3.0] {
        let keys = [("k", k.into()), ("offered", 10.0.into())];
        figures.about(&keys, "sent", k, 0.03);
        figures.about(&keys, "served", 1.0, 0.01);
    }
}

#[test]
fn a_window_opens_a_breaker_after_as_many_failures_whatever_was_before() {
    let figures = Figures::of(Experiment::Breaker);
    let failures = |window: &str, rule: &str, successes: u32| {
        let keys = [("window", window.into()), ("rule", rule.into()), ("warmup_successes", successes.into())];
        figures.number(&keys, "failures_to_open") as u32
    };
    for successes in [1, 100, 10_000] {
        assert_eq!(failures("none", "consecutive", successes), 10);
    }
    assert_eq!([100, 10_000].map(|successes| failures("count", "failure_rate", successes)), [50, 50]);
    assert_eq!([100, 10_000].map(|successes| failures("time", "failure_rate", successes)), [41, 41]);
    assert_eq!(failures("cumulative", "failure_rate", 10_000), 10_000);
}

#[test]
fn hedging_cuts_the_tail_at_the_price_that_is_published() {
    let figures = Figures::of(Experiment::Hedging);
    let keys = |policy: &str| [("policy", policy.into()), ("scenario", "headline".into())];
    for (policy, p99, p999, extra) in
        [("none", 64.4, 102.9, 0.0), ("p90", 15.6, 44.9, 0.1), ("p90x2", 15.5, 22.7, 0.105)]
    {
        figures.about(&keys(policy), "p99_ms", p99, 0.05);
        if figures.full {
            figures.about(&keys(policy), "p999_ms", p999, 0.05);
            figures.about(&keys(policy), "extra_load", extra, 0.05);
        }
    }
    let extra = figures.number(&keys("p95"), "extra_load");
    assert!(!figures.full || (extra - 0.05).abs() <= 0.01, "{extra}");
}

/// What `breaker.md` says in words of its tables: "Rules and windows" and "Recovery".
#[test]
fn a_slow_call_is_a_failure_and_a_time_window_is_a_little_quicker_and_open_times_that_grow_spare_calls() {
    let figures = Figures::of(Experiment::Breaker);
    let row = |window: &str, rule: &str, successes: u32, field: &str| {
        let keys = [("window", window.into()), ("rule", rule.into()), ("warmup_successes", successes.into())];
        figures.number(&keys, field)
    };
    for successes in [1, 100, 10_000] {
        for window in ["count", "time"] {
            let opens = |rule: &str| row(window, rule, successes, "failures_to_open");
            // "… opens after as many as that half fail: what hangs is both."
            assert_eq!(opens("slow_rate"), opens("failure_rate"), "{window}");
            // "Failures in a row are the quickest, whatever was before."
            assert_eq!(opens("any"), row("none", "consecutive", successes, "failures_to_open"));
        }
    }
    // "The time window is here a little quicker than the count window."
    let took = |window: &str| row(window, "failure_rate", 10_000, "time_to_open_ms");
    assert!(took("time") < took("count") && took("time") > 0.8 * took("count"));

    let cycles = figures.json["flapping"].as_array().expect("cycles");
    let cycles = |open_times: &'static str| cycles.iter().filter(move |cycle| cycle["open_times"] == open_times);
    let of = |cycle: &Value, field: &str| cycle[field].as_f64().expect("a number");
    let wasted = |open_times| -> Vec<f64> { cycles(open_times).map(|cycle| of(cycle, "calls_wasted")).collect() };
    let first = wasted("restarting")[0];
    // "… as many calls in vain in the last cycle as in the first"; "few left after ten cycles, … grown to minutes"; "the
    // price … nearly all is rejected by then". A quick run has fewer cycles.
    assert!(wasted("restarting").iter().all(|calls| (calls - first).abs() < 1.0));
    if figures.full {
        for cycle in cycles("growing").filter(|cycle| of(cycle, "cycle") >= 10.0 && cycle["after_calm"] == false) {
            assert!(of(cycle, "calls_wasted") < first / 5.0 && of(cycle, "open_time_ms") > 100_000.0, "{cycle}");
            assert!(of(cycle, "rejected_while_up") > 85.0, "of a hundred: {cycle}");
        }
    }
}

/// What `hedging.md` says in words of its tables: "When the next one is sent" and "A brown-out, and the budget".
#[test]
fn what_hedges_buy_and_cost_is_as_the_chapter_says() {
    let figures = Figures::of(Experiment::Hedging);
    if !figures.full {
        return; // its shares are of single requests in a quick run
    }
    let of = |scenario: &str, policy: &str, field: &str| {
        figures.number(&[("policy", policy.into()), ("scenario", scenario.into())], field)
    };
    let part = |scenario: &str, policy: &str| of(scenario, policy, "p99_ms") / of(scenario, "none", "p99_ms");
    assert!((of("headline", "none", "requests") - 400_000.0).abs() < 2_000.0, "\"sends 400,000 requests\"");
    // "With 2 % slow either brings the p99 to a third; with 10 % slow … takes off a third where p90 takes off more than half."
    assert!(["p90", "p95"].iter().all(|policy| (0.25..0.36).contains(&part("tail-2", policy))));
    assert!((0.64..0.75).contains(&part("tail-10", "p95")) && part("tail-10", "p90") < 0.5);
    // "The extra load is what was asked for, whatever the tail"; tower's is "more than 5 %, and the more the heavier the tail".
    let mut before = 0.06;
    for tail in ["tail-2", "headline", "tail-10"] {
        assert!((of(tail, "p95", "extra_load") - 0.05).abs() < 0.001 && of(tail, "tower-p95", "extra_load") > before);
        before = of(tail, "tower-p95", "extra_load");
    }
    // "A third attempt … Beside p90 it is half a percent more load, for half the time; beside p95 … it takes off a fifth."
    let third = |two: &str, three: &str, field: &str| (of("headline", two, field), of("headline", three, field));
    let (two, three) = third("p90", "p90x2", "extra_load");
    assert!((three - two - 0.005).abs() < 0.001, "{two} {three}");
    let (two, three) = third("p90", "p90x2", "p999_ms");
    assert!((three / two - 0.5).abs() < 0.05, "{two} {three}");
    let (two, three) = third("p95", "p95x2", "p999_ms");
    assert!((three / two - 0.8).abs() < 0.05, "{two} {three}");
    // "If the requests are slow and not the attempts … every latency with hedges is that of none, … for nothing."
    for policy in ["p90", "p95", "p95x2"] {
        for field in ["p50_ms", "p95_ms", "p99_ms", "p999_ms"] {
            assert_eq!(of("correlated", policy, field), of("correlated", "none", field), "{policy}");
        }
        assert!(of("correlated", policy, "extra_load") > 0.049, "{policy}");
    }
    // "p95 is not touched by it, p90 is cut, and its p99 is worse than that of p95."
    assert_eq!(of("headline", "p95-tokens", "extra_load"), of("headline", "p95", "extra_load"));
    assert!(of("headline", "p90-tokens", "p99_ms") > of("headline", "p95", "p99_ms"));
    // "A ratio budget may spend in one second what it saved in ten: … nearly all of them. A token budget has no such second.
    // A fixed delay never learns." "Within a window … hedges are 5 % again."
    let details = figures.json["details"].as_array().expect("details");
    let brown_out = |policy: &str, field: &str| {
        let detail = details.iter().find(|detail| detail["scenario"] == "brown-out" && detail["policy"] == policy);
        detail.expect("that policy")[field].as_f64().expect("a number")
    };
    assert!(brown_out("p95", "extra_in_first_s") > 0.85 && brown_out("p95-tokens", "extra_in_first_s") < 0.15);
    assert!(brown_out("fixed-10ms-no-budget", "extra_later") > 0.99);
    assert!((brown_out("p95", "extra_later") - 0.05).abs() < 0.003);
}

/// What `experiments.md` says in words of its tables.
#[test]
fn retries_take_from_others_and_who_does_not_jitter_is_slowest_and_a_bad_replica_costs_a_hedge_twice() {
    let figures = Figures::of(Experiment::Overload);
    let goodput = |strategy: &str, offered: f64| {
        figures.number(&[("strategy", strategy.into()), ("offered", offered.into())], "goodput")
    };
    // "… has less to give at its capacity than without any, and nothing at three times as much."
    let three = if figures.full { 3.0 } else { 4.0 };
    assert!(goodput("jittered", 1.0) < goodput("none", 1.0) - 0.05 && goodput("jittered", three) < 0.02);
    // "… at ten times the load refusing them takes all that the service has."
    assert!(goodput("budget", 10.0) < 0.02 && goodput("none", 10.0) < 0.02);

    let figures = Figures::of(Experiment::Jitter);
    let of =
        |strategy: &str, field: &str| figures.number(&[("strategy", strategy.into()), ("clients", 100.into())], field);
    // "Backoff without jitter is the slowest by far, and saves few of the calls."
    assert!(of("exponential", "completion_ms") > 5.0 * of("equal", "completion_ms"));
    assert!((0.65..0.9).contains(&(of("exponential", "calls") / of("none", "calls"))));
    // "Full jitter needs the fewest calls … Decorrelated … a little sooner, for a quarter more calls; … `Equal` takes longer
    // and saves nothing."
    let sooner = of("decorrelated", "completion_ms") / of("full", "completion_ms");
    let more = of("decorrelated", "calls") / of("full", "calls");
    assert!(!figures.full || ((0.85..1.0).contains(&sooner) && (1.2..1.3).contains(&more)), "{sooner} {more}");
    if figures.full {
        let fewest = ["none", "exponential", "equal", "decorrelated"].map(|strategy| of(strategy, "calls"));
        assert!(fewest.iter().all(|calls| *calls > of("full", "calls")), "{fewest:?}");
        assert!(of("equal", "completion_ms") > of("full", "completion_ms"));
    }

    let figures = Figures::of(Experiment::SlowReplica);
    // "… the extra load is twice that of fair weather."
    let keys = [("strategy", "hedge".into()), ("scenario", "slow".into())];
    let details = figures.json["details"].as_array().expect("details");
    let hedge = details.iter().find(|row| keys.iter().all(|(key, value): &(&str, Value)| row[*key] == *value));
    let calm = hedge.expect("that row")["calm_extra_load"].as_f64().expect("a number");
    let times = figures.number(&keys, "extra_load") / calm;
    assert!(times > 1.5 && (!figures.full || times < 2.6), "{times}");
}

/// What `budget.md` says in words of its table: "Which one suits whom".
#[test]
fn budgets_take_nothing_away_while_they_are_not_needed() {
    let figures = Figures::of(Experiment::Budgets);
    let answered = |budget: &str, rate: f64| {
        figures.number(&[("budget", budget.into()), ("failure_rate", rate.into())], "success_share")
    };
    // "Up to a failure rate of a fifth all but the gRPC form are as good as no budget"; that is "no help against … one in ten".
    for budget in ["ratio", "aws-5", "aws-14", "in-flight"] {
        assert!((answered(budget, 0.2) - answered("none", 0.2)).abs() < 0.01, "{budget}");
    }
    assert!(answered("grpc", 0.1) < answered("none", 0.1) - 0.05);
    // "… the ratio stays at its share …, and answers more of them." "The places of `InFlightBudget` bind nothing here."
    assert!(answered("ratio", 0.5) > answered("aws-14", 0.5) + 0.05);
    assert_eq!(answered("in-flight", 0.9), answered("none", 0.9));
}
