//! The stories of a retry that is dropped, or panics: what is released, and when.
#![cfg(all(feature = "retry", not(loom)))]

mod support;

use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use evenkeel_backoff::{Retry, TokenBudget, Verdict};
use support::{Flag, Woken, World, ms, spies::InFlight};

#[test]
fn a_retry_that_is_cancelled_in_its_sleep_costs_nothing() {
    let world = World::new();
    let budget = TokenBudget::default();
    let retry = Retry::new([ms(10)], world.sleeper()).budget(budget.clone());
    {
        let mut run = pin!(retry.run(|_| ready(Err::<(), ()>(()))));
        assert!(Woken::new().poll(run.as_mut()).is_pending());
        assert_eq!(budget.balance(), budget.capacity() - 14, "paid before the sleep");
    }
    assert_eq!(budget.balance(), budget.capacity());
}

#[test]
fn a_retry_that_is_cancelled_in_flight_stays_paid() {
    let world = World::new();
    let budget = TokenBudget::default();
    let retry = Retry::new([Duration::ZERO], world.sleeper()).budget(budget.clone());
    {
        let mut run = pin!(retry.run(|attempt| async move {
            if attempt > 0 {
                pending::<()>().await;
            }
            Err::<(), ()>(())
        }));
        let woken = Woken::new();
        assert!(woken.poll(run.as_mut()).is_pending());
        assert!(woken.poll(run.as_mut()).is_pending());
    }
    assert_eq!(budget.balance(), budget.capacity() - 14, "the service had the load");
}

#[test]
fn the_failed_response_and_the_attempt_are_dropped_before_the_sleep() {
    let world = World::new();
    let dropped = Rc::new(Cell::new(false));
    let future_dropped = Rc::new(Cell::new(false));
    let retry = {
        let (dropped, future_dropped, sleeper) = (dropped.clone(), future_dropped.clone(), world.sleeper());
        Retry::new([ms(10)], move |delay| {
            assert!(dropped.get() && future_dropped.get(), "still held when the sleep begins");
            sleeper(delay)
        })
    };
    let mut run = pin!(retry.run(|_| {
        let (response, attempt) = (Flag(dropped.clone()), Flag(future_dropped.clone()));
        async move {
            let _attempt = attempt;
            Err::<(), _>(response)
        }
    }));
    assert!(Woken::new().poll(run.as_mut()).is_pending());
    assert_eq!(world.slept(), [ms(10)]);
}

#[test]
fn the_failed_result_of_a_thread_is_dropped_before_the_sleep() {
    let dropped = Rc::new(Cell::new(false));
    let retry = Retry::new([ms(10)], |_| assert!(dropped.get(), "still held when the sleep begins"));
    let _ = retry.run_blocking(|_| Err::<(), _>(Flag(dropped.clone())));
}

#[test]
fn a_classifier_that_panics_leaves_the_budget_as_a_drop_would() {
    let world = World::new();
    let budget = TokenBudget::default();
    let calls = Cell::new(0);
    let retry = Retry::new([Duration::ZERO; 2], world.sleeper()).budget(budget.clone());
    let retry = retry.when(|_: &Result<(), ()>| {
        calls.set(calls.get() + 1);
        assert!(calls.get() < 2, "the classifier's own bug");
        Verdict::transient()
    });
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run(retry.run(|_| ready(Err::<(), ()>(()))))));
    assert!(outcome.is_err());
    assert_eq!(budget.balance(), budget.capacity() - 14, "one retry was sent");
    calls.set(-100);
    assert_eq!(world.run(retry.run(|_| ready(Err::<(), ()>(())))), Err(()), "and the policy works on");
}

#[test]
fn an_operation_that_panics_gives_back_nothing_that_was_sent_and_holds_nothing() {
    let world = World::new();
    let in_flight = InFlight::default();
    let retry = Retry::new([Duration::ZERO; 2], world.sleeper()).budget(in_flight.clone());
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        world.run(retry.run(|attempt| async move {
            assert!(attempt == 0, "the operation's own bug");
            Err::<(), ()>(())
        }))
    }));
    assert!(outcome.is_err());
    assert_eq!(in_flight.0.get(), (0, 0));
}

#[test]
fn the_budget_sees_each_attempt_once_and_holds_its_token_while_it_is_in_flight() {
    let world = World::new();
    let in_flight = InFlight::default();
    let seen = RefCell::new(vec![]);
    let retry = Retry::new([ms(1); 2], world.sleeper()).budget(in_flight.clone());
    let answer = world.run(retry.run(|attempt| {
        seen.borrow_mut().push(in_flight.0.get());
        ready(if attempt < 2 { Err(()) } else { Ok(()) })
    }));
    assert_eq!(answer, Ok(()));
    assert_eq!(*seen.borrow(), [(1, 0), (1, 1), (1, 1)], "(requests, extra attempts)");
    assert_eq!(in_flight.0.get(), (0, 0));
}

#[test]
fn dropped_at_any_await_it_leaves_the_budget_as_if_the_rest_had_not_been_meant() {
    for polls in 0..8 {
        let world = World::new();
        let in_flight = InFlight::default();
        let retry = Retry::new([ms(10), Duration::ZERO, ms(10)], world.sleeper()).budget(in_flight.clone());
        let sleep = world.sleeper();
        let mut run = Box::pin(retry.run(|_| {
            let sleep = sleep(ms(1));
            async move {
                sleep.await;
                Err::<(), ()>(())
            }
        }));
        let woken = Woken::new();
        for _ in 0..polls {
            let _ = woken.poll(run.as_mut());
            world.advance(ms(10));
        }
        drop(run);
        assert_eq!(in_flight.0.get(), (0, 0), "dropped after {polls} polls");
    }
}

#[test]
#[should_panic(expected = "polled after it has answered")]
fn polled_after_it_has_answered_it_panics() {
    let world = World::new();
    let retry = Retry::new([ms(1)], world.sleeper());
    let mut run = pin!(retry.run(|_| ready(Ok::<_, ()>(()))));
    let woken = Woken::new();
    assert!(woken.poll(run.as_mut()).is_ready());
    let _ = woken.poll(run.as_mut());
}
