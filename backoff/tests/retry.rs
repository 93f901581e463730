//! The stories of a retry, in a world whose time is moved by hand.
#![cfg(all(feature = "retry", not(loom)))]

mod support;

use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
    num::NonZeroU32,
    pin::pin,
    task::Poll,
    time::Duration,
};

use evenkeel_backoff::{
    Cause, Costs, Exponential, Jitter, Linear, Observer, Retry, Stop, TokenBudget, Unlimited, Verdict,
};
use support::{Woken, World, ms, spies::Stops};

const EXACT: Exponential = Exponential::new(ms(100)).jitter(Jitter::None);

#[test]
fn it_waits_by_the_schedule_and_answers_with_the_first_success() {
    let world = World::new();
    let retry = Retry::new(EXACT.take(4), world.sleeper());
    let answer = world.run(retry.run(|attempt| ready(if attempt < 3 { Err("busy") } else { Ok(attempt) })));
    assert_eq!(answer, Ok(3));
    assert_eq!(world.slept(), [ms(100), ms(200), ms(400)]);
}

#[test]
fn the_last_error_comes_back_as_it_was() {
    let world = World::new();
    let retry = Retry::new([ms(1); 3], world.sleeper());
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(3));
}

#[test]
fn an_ok_that_is_a_failure_is_retried_and_comes_back_as_it_was() {
    let world = World::new();
    let classify = |result: &Result<u16, ()>| match result {
        Ok(500..) | Err(()) => Verdict::transient(),
        Ok(_) => Verdict::success(),
    };
    let retry = Retry::new([ms(1); 2], world.sleeper()).when(classify);
    assert_eq!(world.run(retry.run(|attempt| ready(Ok(if attempt == 0 { 503 } else { 200 })))), Ok(200));
    assert_eq!(world.run(retry.run(|_| ready(Ok(503)))), Ok(503));
}

#[test]
fn the_operation_does_not_run_before_the_first_poll() {
    let calls = Cell::new(0);
    let world = World::new();
    let retry = Retry::new([ms(1)], world.sleeper()).deadline(ms(5)).clock(world.clock());
    let run = retry.run(|_| {
        calls.set(calls.get() + 1);
        ready(Ok::<_, ()>(()))
    });
    assert_eq!((calls.get(), world.clock_reads()), (0, 0));
    world.run(run).unwrap();
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_schedule_without_end_stops_after_three_attempts_unless_told_otherwise() {
    let world = World::new();
    let attempts = |retry: &Retry<Exponential, _, _, _, _, _>| {
        world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))).unwrap_err() + 1
    };
    let retry = Retry::new(EXACT, world.sleeper()).clock(world.clock());
    assert_eq!(attempts(&retry), 3);
    assert_eq!(attempts(&retry.clone().max_attempts(NonZeroU32::new(7).unwrap())), 7);
    // 100 + 200 + 400 + 800 = 1500, and the next would end at 3100.
    assert_eq!(attempts(&retry.deadline(ms(2_000))), 5);
}

#[test]
fn a_refused_retry_has_not_slept() {
    let world = World::new();
    let stops = Stops::default();
    let retry = Retry::new([ms(10); 5], world.sleeper()).budget(TokenBudget::new(20, Costs::REVISION_2026));
    let retry = retry.observe(&stops);
    assert_eq!(world.run(retry.run(|attempt| ready(Err::<(), _>(attempt)))), Err(1));
    assert_eq!(world.slept(), [ms(10)]);
    assert_eq!(stops.0.take(), [(2, Stop::Budget)]);
}

#[test]
fn an_exhausted_schedule_and_a_permanent_failure_cost_nothing() {
    let world = World::new();
    let budget = TokenBudget::default();
    let retry = Retry::new([Duration::ZERO; 0], world.sleeper()).budget(budget.clone());
    world.run(retry.run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    let retry = Retry::new([ms(1); 5], world.sleeper()).budget(budget.clone());
    let retry = retry.when(|_: &Result<(), ()>| Verdict::permanent());
    world.run(retry.run(|_| ready(Err::<(), ()>(())))).unwrap_err();
    assert_eq!((world.slept(), budget.balance()), (vec![], budget.capacity()));
}

#[test]
fn a_delay_of_zero_goes_through_no_timer_and_yields_once() {
    let world = World::new();
    let retry = Retry::new([Duration::ZERO; 3], world.sleeper());
    let mut run = pin!(retry.run(|attempt| ready(Err::<(), _>(attempt))));
    let woken = Woken::new();
    for _ in 0..3 {
        assert_eq!((woken.poll(run.as_mut()), woken.take()), (Poll::Pending, 1), "others have a turn, and it is woken");
    }
    assert_eq!(woken.poll(run.as_mut()), Poll::Ready(Err(3)));
    assert_eq!(world.slept(), []);
}

#[test]
fn a_pending_retry_is_woken_by_its_sleep_alone() {
    let world = World::new();
    let retry = Retry::new([ms(10)], world.sleeper()).attempt_timeout(ms(50), || 9).clock(world.clock());
    let mut run = pin!(retry.run(|attempt| async move {
        if attempt == 1 {
            pending::<()>().await;
        }
        Err::<(), u32>(attempt)
    }));
    let woken = Woken::new();
    assert!(woken.poll(run.as_mut()).is_pending());
    assert_eq!(woken.take(), 0, "nothing wakes it before the sleep has ended");
    world.advance(ms(10));
    assert_eq!(woken.take(), 1);
    assert!(woken.poll(run.as_mut()).is_pending());
    assert_eq!(woken.take(), 0);
    world.advance(ms(50));
    assert_eq!(woken.take(), 1);
    assert_eq!(woken.poll(run.as_mut()), Poll::Ready(Err(9)));
}

#[test]
fn the_observer_hears_each_step_after_the_budget_is_settled() {
    struct Story(RefCell<Vec<String>>, TokenBudget);
    impl Observer for Story {
        fn on_attempt(&self, attempt: u32) {
            self.0.borrow_mut().push(format!("attempt {attempt}, {} left", self.1.balance()));
        }
        fn on_verdict(&self, attempt: u32, verdict: Verdict) {
            self.0.borrow_mut().push(format!("{attempt} was {:?}, {} left", verdict.outcome(), self.1.balance()));
        }
        fn on_retry(&self, attempt: u32, cause: Cause, delay: Duration) {
            self.0.borrow_mut().push(format!("{attempt} in {delay:?}: {cause:?}"));
        }
        fn on_stop(&self, attempts: u32, stop: Stop) {
            self.0.borrow_mut().push(format!("{attempts}: {stop}"));
        }
    }
    let world = World::new();
    let budget = TokenBudget::default();
    let story = Story(RefCell::default(), budget.clone());
    let retry = Retry::new([ms(7)], world.sleeper()).budget(budget).observe((&story, ()));
    world.run(retry.run(|attempt| ready(if attempt == 0 { Err(()) } else { Ok(()) }))).unwrap();
    assert_eq!(
        *story.0.borrow(),
        [
            "attempt 0, 500 left",
            "0 was Transient, 486 left",
            "1 in 7ms: Transient",
            "attempt 1, 486 left",
            "1 was Success, 500 left",
            "2: success",
        ]
    );
}

#[test]
fn a_thread_retries_as_a_future_does() {
    let slept = RefCell::new(vec![]);
    let budget = TokenBudget::default();
    let sleep = |delay| slept.borrow_mut().push(delay);
    let schedule = Linear::new(ms(10), ms(5)).jitter(Jitter::None).take(3);
    let retry = Retry::new(schedule, sleep).budget(budget.clone());
    assert_eq!(retry.run_blocking(Err::<(), _>), Err(3));
    assert_eq!(*slept.borrow(), [ms(10), ms(15), ms(20)]);
    assert_eq!(budget.balance(), 500 - 3 * 14);
    let retry = Retry::new([Duration::ZERO; 2], |_| unreachable!("no sleep of zero"));
    assert_eq!(retry.run_blocking(Err::<(), _>), Err(2));
}

#[test]
fn one_policy_serves_many_requests_and_results_of_many_types() {
    let world = World::new();
    let retry = Retry::new([ms(1)], world.sleeper()).budget(Unlimited);
    assert_eq!(world.run(retry.run(|_| ready(Ok::<_, ()>(1)))), Ok(1));
    assert_eq!(world.run(retry.run(|_| ready(Err::<(), _>("no")))), Err("no"));
}
