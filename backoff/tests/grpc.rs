//! Stories about gRPC: what each code and each pushback says.
#![cfg(all(feature = "retry", not(loom)))]

#[cfg(feature = "tower")]
mod support;

use std::{cell::RefCell, time::Duration};

use evenkeel_backoff::{
    Account, Budget, Cause, Hint, Outcome, Retry, TokenBudget, Verdict,
    grpc::{self, Classifier},
};
use proptest::prelude::*;

const OK: i32 = 0;
const RESOURCE_EXHAUSTED: i32 = 8;
const ABORTED: i32 = 10;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;

const PERMANENT: [i32; 10] = [3, 5, 6, 7, 9, ABORTED, 11, 12, 15, 16];

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn each_code_means_what_the_table_says() {
    for code in (-2..=20).chain([i32::MIN, i32::MAX]) {
        let expected = match code {
            OK => Verdict::success(),
            RESOURCE_EXHAUSTED => Verdict::throttled().maybe_processed(),
            _ if PERMANENT.contains(&code) => Verdict::permanent(),
            // Unknown is as `UNKNOWN`.
            _ => Verdict::transient(),
        };
        assert_eq!(grpc::status(code, None), expected, "{code}");
    }
}

#[test]
fn pushback_says_exactly_when() {
    for (value, milliseconds) in [("0", 0), ("250", 250), ("2147483647", 2_147_483_647), ("007", 7)] {
        let expected = Verdict::transient().exactly(ms(milliseconds));
        assert_eq!(grpc::status(INTERNAL, Some(value.as_bytes())), expected, "{value}");
    }
}

#[test]
fn pushback_that_is_negative_or_unreadable_says_never() {
    let unreadable = ["-1", "-2147483648", "", " ", "2147483648", "1.5", "1s", "soon", " 5", "5 ", "+5", "0x5", "١"];
    for value in unreadable.map(str::as_bytes).into_iter().chain([&b"\xff\xfe"[..]]) {
        assert_eq!(grpc::status(UNAVAILABLE, Some(value)), Verdict::transient().never(), "{value:?}");
    }
}

#[test]
fn pushback_does_not_make_a_permanent_failure_transient() {
    for code in PERMANENT {
        assert_eq!(grpc::status(code, Some(b"100")), Verdict::permanent().exactly(ms(100)), "{code}");
        assert_eq!(grpc::status(code, Some(b"-1")), Verdict::permanent().never(), "{code}");
    }
    assert_eq!(grpc::status(OK, Some(b"-1")), Verdict::success(), "nor a success anything else");
}

#[test]
fn an_unavailable_service_that_names_a_time_has_refused_at_the_door() {
    assert_eq!(grpc::status(UNAVAILABLE, Some(b"0")), Verdict::throttled().exactly(Duration::ZERO));
    assert!(!grpc::status(UNAVAILABLE, None).is_unprocessed(), "else all but the answer may have been done");
    assert!(!grpc::status(INTERNAL, Some(b"5")).is_unprocessed(), "and what broke in the middle had begun");
}

#[test]
fn what_is_exhausted_is_unprocessed_only_if_it_names_a_time() {
    for (pushback, unprocessed) in [(None, false), (Some(&b"-1"[..]), false), (Some(b"+5"), false), (Some(b"5"), true)]
    {
        let verdict = grpc::status(RESOURCE_EXHAUSTED, pushback);
        assert_eq!((verdict.outcome(), verdict.is_unprocessed()), (Outcome::Throttled, unprocessed), "{pushback:?}");
    }
}

#[cfg(feature = "tower")]
#[test]
fn a_call_that_may_not_be_made_twice_is_sent_once_if_its_answer_may_have_been_too_large() {
    use std::{cell::Cell, future::ready, rc::Rc};

    use evenkeel_backoff::Repeat;
    use support::World;
    use tower::{ServiceBuilder, ServiceExt};

    let sent = |pushback: Option<&'static [u8]>| {
        let (world, sent) = (World::new(), Rc::new(Cell::new(0)));
        let retry = Retry::new([ms(1); 3], world.sleeper())
            .when(move |_: &Result<(), i32>| grpc::status(RESOURCE_EXHAUSTED, pushback));
        let count = Rc::clone(&sent);
        let service =
            ServiceBuilder::new().layer(retry.layer().replay(|_: &()| Repeat::IfUnprocessed)).service_fn(move |()| {
                count.set(count.get() + 1);
                ready(Err::<(), _>(RESOURCE_EXHAUSTED))
            });
        assert!(world.run(service.oneshot(())).is_err());
        sent.get()
    };
    assert_eq!((sent(None), sent(Some(b"5"))), (1, 4));
}

#[test]
fn an_aborted_call_is_tried_again_by_option() {
    let aborted = Classifier::new().aborted_is_transient();
    assert_eq!(aborted.status(ABORTED, None), Verdict::transient());
    assert_eq!(grpc::status(ABORTED, None), Verdict::permanent());
    for code in (-2..=20).filter(|&code| code != ABORTED) {
        assert_eq!(aborted.status(code, None), grpc::status(code, None), "{code}");
    }
}

#[test]
fn a_call_that_may_not_be_made_twice_is_made_again_only_when_it_was_refused_with_a_time() {
    let strict = Classifier::new().aborted_is_transient().only_unprocessed();
    for code in (-2..=20).filter(|&code| code != OK) {
        for pushback in [None, Some(&b"-1"[..]), Some(b"100")] {
            let refused = matches!(code, UNAVAILABLE | RESOURCE_EXHAUSTED) && pushback == Some(b"100");
            let expected = if refused { Outcome::Throttled } else { Outcome::Permanent };
            assert_eq!(strict.status(code, pushback).outcome(), expected, "{code} {pushback:?}");
        }
    }
    assert_eq!(strict.status(OK, None), Verdict::success());
}

type Failure = (i32, Option<&'static str>);

/// A call that fails with each of these in turn, and then succeeds: the waits before each further attempt.
fn waits(retries: usize, failures: &[Failure]) -> (Result<(), i32>, Vec<Duration>) {
    let slept = RefCell::new(Vec::new());
    let retry = Retry::new(vec![ms(7); retries], |delay| slept.borrow_mut().push(delay)).when(
        |result: &Result<(), Failure>| match result {
            Ok(()) => grpc::status(OK, None),
            Err((code, pushback)) => grpc::status(*code, pushback.map(str::as_bytes)),
        },
    );
    let answer = retry.run_blocking(|attempt| failures.get(attempt as usize).map_or(Ok(()), |failure| Err(*failure)));
    (answer.map_err(|(code, _)| code), slept.into_inner())
}

#[test]
fn a_delay_is_the_servers_once_and_then_the_schedules_again() {
    let failures = [(UNAVAILABLE, Some("20")), (UNAVAILABLE, None)];
    assert_eq!(waits(5, &failures), (Ok(()), vec![ms(20), ms(7)]));
}

#[test]
fn pushback_adds_no_attempt_to_those_of_the_schedule() {
    let failures = [(UNAVAILABLE, Some("20")); 3];
    assert_eq!(waits(2, &failures), (Err(UNAVAILABLE), vec![ms(20), ms(20)]));
}

#[test]
fn a_call_that_the_server_does_not_want_again_ends_with_its_status() {
    assert_eq!(waits(5, &[(INTERNAL, Some("-1"))]), (Err(INTERNAL), vec![]));
    assert_eq!(waits(5, &[(ABORTED, Some("20"))]), (Err(ABORTED), vec![]));
}

#[test]
fn what_might_be_tried_again_empties_the_budget_and_what_is_the_callers_fault_does_not() {
    let budget = TokenBudget::grpc(4.0, 1.0).unwrap();
    let mut account = budget.open();
    for code in PERMANENT {
        account.record(grpc::status(code, None).outcome());
    }
    assert_eq!(budget.balance(), 4);
    for (code, pushback) in [(UNAVAILABLE, None), (RESOURCE_EXHAUSTED, Some(&b"-1"[..]))] {
        assert!(account.withdraw(Cause::Transient).is_ok());
        account.record(grpc::status(code, pushback).outcome());
    }
    assert!(account.withdraw(Cause::Transient).is_err(), "2 of 4 is not more than half");
}

proptest! {
    /// Nothing that a server sends panics, is waited for longer than an `i32` of milliseconds, or changes what a code says.
    #[test]
    fn any_code_with_any_pushback_is_judged_by_the_code(code: i32, pushback: Option<Vec<u8>>) {
        let plain = grpc::status(code, None);
        let verdict = grpc::status(code, pushback.as_deref());
        let door = code == UNAVAILABLE && matches!(verdict.hint(), Some(Hint::Exactly(_)));
        prop_assert_eq!(verdict.outcome(), if door { Outcome::Throttled } else { plain.outcome() });
        let may_be = door || code == RESOURCE_EXHAUSTED && matches!(verdict.hint(), Some(Hint::Exactly(_)));
        prop_assert_eq!(verdict.is_unprocessed(), may_be);
        prop_assert_eq!(verdict.hint().is_some(), pushback.is_some() && code != OK);
        if let Some(Hint::Exactly(delay)) = verdict.hint() {
            prop_assert!(delay <= ms(i32::MAX.unsigned_abs().into()));
        }
    }

    #[test]
    fn every_32_bit_integer_is_understood(milliseconds: i32) {
        let hint = grpc::status(INTERNAL, Some(milliseconds.to_string().as_bytes())).hint();
        prop_assert_eq!(hint, Some(u64::try_from(milliseconds).map_or(Hint::Never, |delay| Hint::Exactly(ms(delay)))));
    }
}
