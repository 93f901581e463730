//! How the counters of the demo's own strategy add up, as the chapter on metrics has it: at rest, and in the middle of it.
#![allow(dead_code)] // Each test file takes what it needs.

use evenkeel_lab::demo::provider::Provider;

use crate::exposition::Exposition;

/// All series of one name, in the chapter's short form.
fn all(seen: &Exposition, name: &str) -> f64 {
    of(seen, name, &[])
}

fn of(seen: &Exposition, name: &str, labels: &[(&str, &str)]) -> f64 {
    seen.sum(&format!("evenkeel_{name}"), labels)
}

fn hedges(seen: &Exposition, name: &str) -> f64 {
    of(seen, name, &[("cause", "hedge")])
}

/// All but the hedges.
fn others(seen: &Exposition, name: &str) -> f64 {
    all(seen, name) - hedges(seen, name)
}

fn successes(seen: &Exposition, name: &str) -> f64 {
    of(seen, name, &[("outcome", "success")])
}

fn ended(seen: &Exposition, provider: Provider, how: &str) -> f64 {
    seen.sum("demo_ended_total", &[("provider", provider.name()), ("how", how)])
}

/// Exactly, when nothing is in flight. `figures` is what the demo itself says, the object of `--json`.
pub(crate) fn check_at_rest(figures: &serde_json::Value, seen: &Exposition) {
    let figure = |name: &str| figures.pointer(name).and_then(serde_json::Value::as_f64).expect(name);
    let all = |name: &str| all(seen, name);
    let sum = |name: &str, labels: &[(&str, &str)]| of(seen, name, labels);
    let hedges = |name: &str| hedges(seen, name);
    let others = |name: &str| others(seen, name);
    let successes = |name: &str| successes(seen, name);
    let (offered, answered) = (figure("/requests"), figure("/answered"));

    // The throttle is outermost.
    assert_eq!(all("throttle_requests_total"), offered);
    assert_eq!(all("throttle_requests_total") - all("throttle_rejections_total"), all("retry_requests_total"));
    assert_eq!(all("throttle_accepts_total"), answered);

    // Each attempt of the retry is a request to the alternates; each of theirs is a call that a breaker makes or rejects.
    assert_eq!(all("retry_requests_total") + all("retry_retries_total"), all("hedge_requests_total"));
    assert_eq!(sum("hedge_attempts_total", &[("cause", "first")]), all("hedge_requests_total"));
    assert_eq!(all("hedge_attempts_total"), all("breaker_calls_total") + all("breaker_rejections_total"));

    // What the breakers made was sent, and some of that arrived.
    for provider in Provider::ALL {
        let (name, place) = ([("name", provider.name())], provider.name());
        let sent = figure(&format!("/calls_by_alternate/{place}"));
        assert_eq!(sum("breaker_calls_total", &name), sent);
        assert_eq!(sum("breaker_call_seconds_count", &name), sent);
        assert!(sum("breaker_probes_total", &name) <= sent);
        let wins = sum("hedge_wins_total", &[("alternate", place)]);
        assert_eq!(wins, figure(&format!("/by_alternate/{place}")));
        let well = sum("breaker_calls_total", &[name[0], ("outcome", "success")]);
        assert!(wins <= well, "{wins}, {well}");
        assert_eq!(seen.sum("demo_sent_total", &[("provider", place)]), sent);
        check_what_arrived(provider, seen);
        // What its breaker saw dropped was given up, and so was what took too long.
        assert!(sum("breaker_abandoned_calls_total", &name) <= ended(seen, provider, "given_up"));
    }

    // Paid for are the retries and the hedges, and not who else is asked after a failure.
    let paid = |count: &dyn Fn(&str) -> f64| count("budget_withdrawals_total") - count("budget_refunds_total");
    assert_eq!(paid(&others), all("retry_retries_total"));
    assert_eq!(paid(&hedges), hedges("hedge_attempts_total"));
    assert_eq!(others("budget_refusals_total"), sum("retry_stops_total", &[("reason", "budget")]));
    assert_eq!(hedges("budget_refusals_total"), hedges("hedge_refusals_total"));
    assert_eq!(hedges("hedge_refusals_total"), all("hedge_refusals_total"));
    // Both pay in, each for its own requests.
    assert_eq!(all("budget_deposits_total"), successes("retry_verdicts_total") + successes("hedge_answers_total"));

    // How attempts and requests ended: whom its caller dropped has no verdict, no answer and no stop.
    assert_eq!(all("retry_verdicts_total"), all("hedge_answers_total"));
    assert_eq!(all("retry_verdicts_total"), all("retry_delay_seconds_count") + all("retry_stops_total"));
    assert_eq!(all("retry_delay_seconds_count"), others("budget_withdrawals_total"));
    assert_eq!(sum("retry_stops_total", &[("reason", "success")]), answered);
    assert_eq!(successes("retry_verdicts_total"), answered);
    assert!(all("retry_stops_total") <= all("retry_requests_total"));
    assert_eq!(successes("hedge_verdicts_total"), successes("hedge_answers_total"));
    assert_eq!(all("hedge_wins_total"), successes("hedge_answers_total"));
    assert!(all("hedge_verdicts_total") <= all("hedge_attempts_total"));
    assert!(all("hedge_hedges_won_total") + all("hedge_hedges_useless_total") <= hedges("hedge_attempts_total"));

    // The map counts what its breakers do.
    for (keys, each) in [
        ("breaker_key_calls_total", "breaker_calls_total"),
        ("breaker_key_rejections_total", "breaker_rejections_total"),
        ("breaker_key_transitions_total", "breaker_transitions_total"),
        ("breaker_key_held_closed_total", "breaker_held_closed_total"),
    ] {
        assert_eq!(all(keys), all(each), "{keys}");
    }
    assert_eq!((all("breaker_keys"), all("breaker_dropped_keys_total")), (0.0, 2.0), "the strategy is gone");
}

/// Over a network nobody but the server knows whether what was cut off, or given up, had arrived before: a hedge may lose while
/// it still connects, and what waits in the listener's backlog when that closes was never accepted. All else is exact.
fn check_what_arrived(provider: Provider, seen: &Exposition) {
    let of = |series: &str| seen.sum(series, &[("provider", provider.name())]);
    let (sent, received) = (of("demo_sent_total"), of("demo_received_total"));
    assert_eq!(of("demo_ended_total"), sent, "each attempt has one end");
    let answered = ended(seen, provider, "answered");
    let refused = ended(seen, provider, "refused");
    assert!(
        (answered..=sent - refused).contains(&received),
        "{provider:?}: {answered}, {received}, {sent} - {refused}"
    );
    if provider == Provider::Secondary {
        assert_eq!(refused + ended(seen, provider, "cut_off"), 0.0, "it is well all the time");
    }
}

/// In the middle of it, of two scrapes of which one was there before the other was asked for.
///
/// A page is no picture of one instant: its counters are read one after the other while others count. But all of `earlier` was
/// read before all of `later`, and counters only grow; so at some instant in between each was no less than in the one, and no
/// more than in the other. What is true at every instant can thus be asked of both.
///
/// Most pairs are counted in one poll of a request's task, which does not wait between the two. So at every instant they differ
/// by no more than one for each of `workers`, the threads that poll.
pub(crate) fn check_between(earlier: &Exposition, later: &Exposition, workers: f64) {
    type Count<'a> = &'a dyn Fn(&Exposition) -> f64;
    // Whoever counts the second has counted the first.
    let never_more = |what: &str, second: Count<'_>, first: Count<'_>| {
        let (second, first) = (second(earlier), first(later));
        assert!(second <= first, "{what}: {second}, later {first}");
    };
    let as_many = |what: &str, one: Count<'_>, other: Count<'_>| {
        for (one, other) in [(one(earlier), other(later)), (other(earlier), one(later))] {
            assert!(one <= other + workers, "{what}: {one}, later {other}");
        }
    };
    let at_once = |what: &str, first: Count<'_>, second: Count<'_>| {
        never_more(what, second, first);
        as_many(what, first, second);
    };

    at_once("the throttle's are rejected or the retry's", &|seen| all(seen, "throttle_requests_total"), &|seen| {
        all(seen, "throttle_rejections_total") + all(seen, "retry_requests_total")
    });
    let tries = |seen: &Exposition| all(seen, "retry_requests_total") + all(seen, "retry_retries_total");
    at_once("requests and retries are the hedge's requests", &tries, &|seen| all(seen, "hedge_requests_total"));
    at_once("each has a first attempt", &|seen| all(seen, "hedge_requests_total"), &|seen| {
        of(seen, "hedge_attempts_total", &[("cause", "first")])
    });
    let sent = |seen: &Exposition| seen.sum("demo_sent_total", &[]);
    at_once("attempts are sent or rejected", &|seen| all(seen, "hedge_attempts_total"), &|seen| {
        sent(seen) + all(seen, "breaker_rejections_total")
    });
    let hedged = |seen: &Exposition| hedges(seen, "hedge_attempts_total") + hedges(seen, "budget_refunds_total");
    at_once("hedges are paid for", &|seen| hedges(seen, "budget_withdrawals_total"), &hedged);
    never_more(
        "retries are paid for, and wait",
        &|seen| all(seen, "retry_retries_total") + others(seen, "budget_refunds_total"),
        &|seen| others(seen, "budget_withdrawals_total"),
    );

    for provider in Provider::ALL {
        let (what, labels) = (provider.name(), [("provider", provider.name())]);
        let sent = |seen: &Exposition| seen.sum("demo_sent_total", &labels);
        let ended_all = |seen: &Exposition| seen.sum("demo_ended_total", &labels);
        let received = |seen: &Exposition| seen.sum("demo_received_total", &labels);
        let calls = |seen: &Exposition| of(seen, "breaker_calls_total", &[("name", provider.name())]);
        // What is sent and has not ended is in flight.
        never_more(what, &ended_all, &sent);
        as_many(what, &calls, &ended_all);
        never_more(what, &|seen| ended(seen, provider, "answered"), &received);
        never_more(what, &|seen| received(seen) + ended(seen, provider, "refused"), &sent);
    }

    let answers = |seen: &Exposition| all(seen, "hedge_answers_total");
    let verdicts = |seen: &Exposition| all(seen, "retry_verdicts_total");
    as_many("answers are verdicts of the retry", &answers, &verdicts);
    as_many("after which it stops or waits", &verdicts, &|seen| {
        all(seen, "retry_delay_seconds_count") + all(seen, "retry_stops_total")
    });
    as_many("successes are won", &|seen| successes(seen, "hedge_answers_total"), &|seen| all(seen, "hedge_wins_total"));
    as_many("the map counts as its breakers", &|seen| all(seen, "breaker_key_calls_total"), &|seen| {
        all(seen, "breaker_calls_total")
    });
}
