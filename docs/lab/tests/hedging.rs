//! What hedging is to cut off the tail and to cost, by its published figures and as relations.

#![allow(missing_docs)]

use evenkeel_lab::hedging::{Hedging, Paying, Plan, Policy, Row, Run, Scenario};

fn plan(seed: u64, scenario: Scenario, policies: &[(Hedging, Paying)]) -> Plan {
    let cases = policies.iter().map(|&(hedge, budget)| (scenario, Policy { hedge, budget })).collect();
    Plan { requests: 20_000, per_second: 100.0, cases, ..Plan::new(seed) }
}

fn runs(seed: u64, scenario: Scenario, policies: &[(Hedging, Paying)]) -> Vec<Run> {
    plan(seed, scenario, policies).runs()
}

fn unlimited<const N: usize>(hedges: [Hedging; N]) -> [(Hedging, Paying); N] {
    hedges.map(|hedge| (hedge, Paying::Unlimited))
}

/// Relative.
fn is_within(tolerance: f64, seen: f64, expected: f64) -> bool {
    (seen / expected - 1.0).abs() <= tolerance
}

/// Fewer, for `tower::hedge` goes through its histogram for each request.
fn few(seed: u64, scenario: Scenario, hedges: &[Hedging]) -> Vec<Run> {
    let policies: Vec<_> = hedges.iter().map(|&hedge| (hedge, Paying::Unlimited)).collect();
    Plan { requests: 8_000, per_second: 40.0, ..plan(seed, scenario, &policies) }.runs()
}

#[test]
fn the_headline_is_the_table_of_the_book() {
    let expected =
        [(Hedging::None, 64.4, 102.9, 0.0), (Hedging::P90, 15.6, 44.9, 0.100), (Hedging::P90x2, 15.5, 22.7, 0.105)];
    let policies = expected.map(|(hedge, ..)| (hedge, Paying::Unlimited));
    let long = Plan { requests: 200_000, per_second: 200.0, ..plan(1, Scenario::Headline, &policies) };
    for (row, (_, p99, p999, extra)) in long.rows().into_iter().zip(expected) {
        assert!(row.requests >= 199_000, "{row:?}");
        assert!(is_within(0.05, row.p99_ms, p99) && is_within(0.1, row.p999_ms, p999), "{row:?}");
        assert!((row.extra_load - extra).abs() <= 0.05 * extra, "{row:?}");
    }
}

#[test]
fn the_share_that_is_hedged_is_the_policys_whatever_the_tail() {
    for scenario in [Scenario::Headline, Scenario::Tail2, Scenario::Tail10, Scenario::Correlated] {
        for row in plan(2, scenario, &unlimited([Hedging::P90, Hedging::P95])).rows() {
            let share = if row.policy == "p90" { 0.1 } else { 0.05 };
            assert!((row.extra_load - share).abs() < 0.01, "{row:?}");
        }
    }
}

#[test]
fn the_share_of_tower_is_higher_than_it_was_told_and_rises_with_the_tail() {
    let shares = [Scenario::Tail2, Scenario::Headline, Scenario::Tail10]
        .map(|scenario| few(3, scenario, &[Hedging::TowerP95])[0].row.extra_load);
    assert!(shares[0] > 0.06 && shares[2] < 0.2 && shares.is_sorted_by(|less, more| less + 0.01 < *more), "{shares:?}");
}

#[test]
fn hedges_of_requests_that_are_slow_themselves_are_load_for_nothing() {
    let rows = plan(4, Scenario::Correlated, &unlimited([Hedging::None, Hedging::P90, Hedging::P95x2])).rows();
    for row in &rows[1..] {
        assert_eq!((row.p50_ms, row.p99_ms, row.p999_ms), (rows[0].p50_ms, rows[0].p99_ms, rows[0].p999_ms));
        assert!(row.extra_load > 0.05, "{row:?}");
    }
}

#[test]
fn a_failure_is_no_answer_here_and_is_one_for_tower() {
    let all = [Hedging::None, Hedging::P95, Hedging::P95x2, Hedging::TowerP95];
    let failed: Vec<f64> = few(5, Scenario::Failing, &all).iter().map(|run| run.detail.failed).collect();
    assert!((failed[0] - 0.1).abs() < 0.01, "a tenth of the attempts fails: {failed:?}");
    assert!((failed[1] - 0.01).abs() < 0.004, "of both: {failed:?}");
    assert!(failed[2] < 0.003, "of all three: {failed:?}");
    assert!(failed[3] > failed[0] + 0.002, "a hedge may fail, too: {failed:?}");
}

#[test]
fn in_a_brown_out_the_budget_keeps_the_extra_load_at_its_ratio() {
    let hedges = [Hedging::Fixed10Ms, Hedging::P90x2, Hedging::P95];
    for run in runs(6, Scenario::BrownOut, &hedges.map(|hedge| (hedge, Paying::Ratio))) {
        let detail = run.detail;
        assert!((0.15..=0.2).contains(&detail.extra_in_first_10_s), "it is needed, and holds: {detail:?}");
        assert!(run.row.extra_load <= 0.2 && detail.extra_later <= 0.2, "{run:?}");
    }
}

#[test]
fn without_a_budget_a_brown_out_is_hedged_until_the_estimate_knows_it() {
    let all = [Hedging::Fixed10Ms, Hedging::P95, Hedging::TowerP95];
    let details: Vec<_> = few(7, Scenario::BrownOut, &all).iter().map(|run| run.detail).collect();
    assert!(details.iter().all(|detail| detail.extra_in_first_s > 0.6), "{details:?}");
    let [fixed, estimated, tower] = details[..] else { panic!("three") };
    assert!(fixed.extra_in_first_10_s > 0.99 && fixed.extra_later > 0.99, "{fixed:?}");
    assert!((0.25..0.5).contains(&estimated.extra_in_first_10_s), "{estimated:?}");
    assert!((estimated.extra_later - 0.05).abs() < 0.01, "{estimated:?}");
    assert!(tower.extra_in_first_10_s > 0.99, "its period is not over: {tower:?}");
    assert!((0.06..0.2).contains(&tower.extra_later), "{tower:?}");
}

#[test]
fn the_budget_of_a_layer_pays_for_p95_and_for_a_part_of_p90() {
    let tokens = [Hedging::P90, Hedging::P95].map(|hedge| (hedge, Paying::Tokens));
    let rows = plan(8, Scenario::Headline, &tokens).rows();
    assert!(is_within(0.03, rows[0].extra_load, 1.0 / 14.0), "{:?}", rows[0]);
    assert!((rows[1].extra_load - 0.05).abs() < 0.005, "{:?}", rows[1]);
    assert_eq!((rows[0].policy, rows[1].policy), ("p90-tokens", "p95-tokens"));
}

#[test]
fn a_client_that_begins_hedges_when_it_knows_what_is_late() {
    let all = [Hedging::P95, Hedging::TowerP95, Hedging::TowerP95Eager];
    let details: Vec<_> = few(9, Scenario::Headline, &all).iter().map(|run| run.detail).collect();
    let first = |place: usize| details[place].first_second_attempt_s.unwrap_or(f64::NAN);
    assert!((2.0..5.0).contains(&first(0)), "after 100 requests: {details:?}");
    assert!((30.0..31.0).contains(&first(1)) && details[1].extra_in_start < 0.001, "after its period: {details:?}");
    assert!(details[2].extra_in_start > 0.99, "a delay of nothing: {details:?}");
}

#[test]
fn hedging_makes_no_request_slower_at_any_share() {
    let hedges = [Hedging::None, Hedging::P95, Hedging::P90, Hedging::P90x2];
    let rows = plan(10, Scenario::Headline, &unlimited(hedges)).rows();
    for pair in rows.windows(2) {
        let all = |row: &Row| [row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.p999_ms];
        let [less, more] = [all(&pair[0]), all(&pair[1])];
        assert!(less.iter().zip(more).all(|(less, more)| more <= *less), "{pair:?}");
    }
}

#[test]
fn the_rows_replay_by_their_seed() {
    let of = |seed| {
        let all = [Hedging::P90x2, Hedging::TowerP90];
        few(seed, Scenario::Headline, &all).iter().map(|run| run.row).collect::<Vec<_>>()
    };
    assert_eq!(of(11), of(11));
    assert_ne!(of(11), of(12));
}

#[test]
fn the_plan_of_the_book_has_every_policy_in_the_headline_and_in_the_brown_out() {
    let plan = Plan::new(1);
    assert!(plan.requests > 201_000, "about so many: none is below 200,000");
    for scenario in [Scenario::Headline, Scenario::BrownOut] {
        let of = plan.cases.iter().filter(|(of, _)| *of == scenario);
        let names: Vec<&str> = of.map(|(_, policy)| policy.name(scenario)).collect();
        assert_eq!(names[..6], ["none", "fixed-10ms", "p90", "p90x2", "p95", "p95x2"]);
        assert!(names.contains(&"tower-p95"));
    }
    let mut names: Vec<_> = plan.cases.iter().map(|(scenario, policy)| (scenario, policy.name(*scenario))).collect();
    names.sort_by_key(|(scenario, policy)| (scenario.name(), *policy));
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a row has its name to itself");
}

#[test]
fn the_sheet_shows_each_row_as_json_and_in_the_table_and_replays() {
    let plan = Plan {
        requests: 3_000,
        per_second: 20.0,
        ..plan(13, Scenario::BrownOut, &unlimited([Hedging::None, Hedging::TowerP95]))
    };
    let sheet = plan.sheet().expect("ranges to draw");
    assert_eq!(sheet, plan.sheet().expect("the same"));

    let json: serde_json::Value = serde_json::from_str(&sheet.json).expect("one object");
    let (rows, details) = (json["rows"].as_array().expect("rows"), json["details"].as_array().expect("details"));
    assert_eq!((rows.len(), details.len()), (2, 2));
    for ((json, detail), run) in rows.iter().zip(details).zip(plan.runs()) {
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(9));
        assert_eq!((&json["policy"], &json["scenario"]), (&run.row.policy.into(), &"brown-out".into()));
        assert_eq!(json["requests"], run.row.requests);
        // A reader of JSON may be off by the last bit.
        let is = |name: &str, figure: f64| json[name].as_f64().is_some_and(|read| (read - figure).abs() < 1e-9);
        assert!(is("p50_ms", run.row.p50_ms) && is("p999_ms", run.row.p999_ms), "{json} is not {:?}", run.row);
        assert!(is("extra_load", run.row.extra_load), "{json} is not {:?}", run.row);
        assert_eq!(detail["failed"], run.detail.failed);
        assert!(sheet.text.contains(&format!(" {:.1} |", run.row.p99_ms)), "{}", sheet.text);
    }
    assert!(sheet.svg.contains("none") && sheet.svg.contains("tower-p95"));
}
