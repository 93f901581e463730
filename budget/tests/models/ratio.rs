//! The ratio budget. Its window has two ticks here, of a second each, and its rings four slots.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use evenkeel_budget::{Account, Budget, Cause, RatioBudget};

use super::{model, thread};

#[test]
fn two_withdrawals_of_one_deposit_grant_one() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(0));
        let other = in_thread(&budget, |budget| budget.try_withdraw_at(at(0)).is_ok());
        let here = budget.try_withdraw_at(at(0)).is_ok();
        assert!(other.join().unwrap() ^ here);
        assert_eq!(sums(&budget, 0), (1, 1));
    });
}

#[test]
fn two_withdrawals_on_both_sides_of_a_tick_grant_one() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(0));
        let later = in_thread(&budget, |budget| budget.try_withdraw_at(at(1)).is_ok());
        let here = budget.try_withdraw_at(at(0)).is_ok();
        assert!(later.join().unwrap() ^ here);
        assert_eq!(sums(&budget, 1), (1, 1));
    });
}

#[test]
fn a_deposit_and_a_withdrawal_of_two_threads_both_count() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(0));
        let other = in_thread(&budget, |budget| budget.deposit_at(at(0)));
        assert!(budget.try_withdraw_at(at(0)).is_ok(), "there is enough for it, deposited or not");
        other.join().unwrap();
        assert_eq!(sums(&budget, 0), (2, 1));
    });
}

#[test]
fn halves_of_two_threads_are_one() {
    model(|| {
        let budget = budget(0.5, 0);
        let other = in_thread(&budget, |budget| budget.deposit_at(at(1)));
        budget.deposit_at(at(0));
        other.join().unwrap();
        assert!(budget.try_withdraw_at(at(1)).is_ok());
        assert!(budget.try_withdraw_at(at(1)).is_err());
    });
}

#[test]
fn a_deposit_while_the_ring_turns_is_not_lost() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(0));
        let other = in_thread(&budget, |budget| budget.deposit_at(at(1)));
        // That of tick 0 is forgotten in tick 2, that of tick 1 is not.
        let turns = budget.try_withdraw_at(at(2)).is_ok();
        other.join().unwrap();
        assert_eq!(sums(&budget, 2), (1, u64::from(turns)));
        assert_eq!(budget.try_withdraw_at(at(2)).is_ok(), !turns);
        assert_eq!(sums(&budget, 5).0, 0, "it is forgotten in its turn");
    });
}

#[test]
fn what_has_expired_is_granted_to_nobody() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(0));
        let in_time = in_thread(&budget, |budget| budget.try_withdraw_at(at(0)).is_ok());
        assert!(budget.try_withdraw_at(at(3)).is_err());
        // A refusal moves no time on.
        assert!(in_time.join().unwrap());
    });
}

#[test]
fn a_reserve_that_renews_is_granted_once_a_window() {
    model(|| {
        // One for two seconds.
        let budget = RatioBudget::builder().ratio(0.5).min_per_second(0).ttl(Duration::from_secs(2));
        let budget = budget.clock(|| at(0)).build().unwrap();
        [0, 0, 3, 3].into_iter().for_each(|tick| budget.deposit_at(at(tick)));
        // Those of tick 3 pay for one; those of tick 0 are past, for the time does not go back.
        let early = in_thread(&budget, |budget| budget.try_withdraw_at(at(0)).is_ok());
        let late = budget.try_withdraw_at(at(4)).is_ok();
        assert!(early.join().unwrap() ^ late);
    });
}

#[test]
fn what_the_reserve_pays_for_is_never_refused() {
    model(|| {
        let budget = budget(0.0, 5);
        budget.deposit_at(at(2));
        let other = in_thread(&budget, |budget| {
            let granted = budget.try_withdraw_at(at(2)).is_ok();
            budget.deposit_at(at(3));
            granted
        });
        assert!(budget.try_withdraw_at(at(4)).is_ok(), "there are ten");
        assert!(other.join().unwrap());
    });
}

#[test]
fn two_threads_that_begin_a_tick_forget_nothing_that_was_withdrawn_in_it() {
    model(|| {
        let budget = budget(0.0, 1);
        let other = in_thread(&budget, |budget| budget.try_withdraw_at(at(1)).is_ok());
        assert!(budget.try_withdraw_at(at(1)).is_ok());
        assert!(other.join().unwrap());
        assert!(budget.try_withdraw_at(at(2)).is_err(), "two for two seconds");
        assert!(budget.try_withdraw_at(at(3)).is_ok());
    });
}

#[test]
fn two_threads_that_begin_a_tick_lose_no_deposit_made_in_it() {
    model(|| {
        let budget = budget(1.0, 0);
        let other = in_thread(&budget, |budget| budget.deposit_at(at(1)));
        budget.deposit_at(at(1));
        other.join().unwrap();
        assert_eq!(sums(&budget, 2).0, 2);
        assert_eq!(sums(&budget, 3).0, 0);
    });
}

#[test]
fn a_thread_that_is_late_by_more_than_the_ring_neither_waits_nor_takes_too_much() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(at(2));
        let jumps = in_thread(&budget, |budget| {
            budget.deposit_at(at(9));
            budget.try_withdraw_at(at(9)).is_ok()
        });
        let late = budget.try_withdraw_at(at(2)).is_ok();
        let jumped = jumps.join().unwrap();
        assert!(jumped || late, "only the late one can have taken the deposit of tick 9 from it");
        // That of tick 2 is past, and so is its withdrawal; that of tick 9 was taken by one of the two.
        assert_eq!(sums(&budget, 9), (1, 1));
    });
}

#[test]
fn a_refund_and_a_withdrawal_lose_nothing() {
    model(|| {
        let budget = budget(1.0, 0);
        let mut cancelled = budget.open();
        let token = cancelled.withdraw(Cause::Transient).unwrap();
        let other = in_thread(&budget, |budget| budget.try_withdraw_at(at(0)).is_ok());
        drop(token);
        // The other came after the drop, or before it, and then it waits for the next.
        let next = other.join().unwrap() || budget.try_withdraw_at(at(0)).is_ok();
        assert!(next);
        assert!(budget.try_withdraw_at(at(0)).is_err(), "granted once, not twice");
    });
}

#[test]
fn a_refusal_hides_no_deposit_made_beside_it() {
    model(|| {
        let budget = budget(1.0, 0);
        assert!(budget.try_withdraw_at(at(0)).is_err());
        // Refused before the deposit, but remembered after it perhaps.
        let other = in_thread(&budget, |budget| (0..2).filter(|_| budget.try_withdraw_at(at(0)).is_ok()).count());
        budget.deposit_at(at(0));
        let here = usize::from(budget.try_withdraw_at(at(0)).is_ok());
        assert_eq!(here + other.join().unwrap(), 1, "whoever asks after the deposit finds it");
    });
}

#[test]
fn a_refusal_hides_nothing_that_is_given_back_beside_it() {
    model(|| {
        let budget = budget(1.0, 0);
        let mut cancelled = budget.open();
        let token = cancelled.withdraw(Cause::Transient).unwrap();
        assert!(budget.try_withdraw_at(at(0)).is_err());
        let other = in_thread(&budget, |budget| budget.try_withdraw_at(at(0)).is_ok());
        drop(token);
        let here = budget.try_withdraw_at(at(0)).is_ok();
        assert!(here ^ other.join().unwrap(), "whoever asks after the drop finds it");
    });
}

#[test]
fn a_refusal_in_an_earlier_tick_hides_nothing_in_a_later_one() {
    model(|| {
        // One a second: two for two seconds, and the first of them is past in the fourth.
        let budget = budget(0.0, 1);
        assert!(budget.try_withdraw_at(at(1)).is_ok());
        assert!(budget.try_withdraw_at(at(2)).is_ok());
        assert!(budget.try_withdraw_at(at(2)).is_err());
        // Who is late is refused, and remembers that perhaps when the time has moved on; or is taken for one of then.
        let late = in_thread(&budget, |budget| budget.try_withdraw_at(at(2)).is_ok());
        let here = budget.try_withdraw_at(at(3)).is_ok();
        assert!(here ^ late.join().unwrap());
        assert!(budget.try_withdraw_at(at(3)).is_err());
    });
}

#[test]
fn a_refund_leaves_with_its_withdrawal() {
    model(|| {
        let budget = budget(1.0, 0);
        let mut cancelled = budget.open();
        let token = cancelled.withdraw(Cause::Transient).unwrap();
        let turns = in_thread(&budget, |budget| budget.deposit_at(at(2)));
        drop(token);
        turns.join().unwrap();
        // A refund that stayed for longer would be worth a second one here.
        assert!(budget.try_withdraw_at(at(2)).is_ok());
        assert!(budget.try_withdraw_at(at(2)).is_err());
    });
}

#[test]
fn in_the_middle_of_ticks_no_more_is_granted_than_deposited() {
    model(|| {
        let budget = budget(1.0, 0);
        budget.deposit_at(half(1));
        let other = in_thread(&budget, |budget| {
            budget.deposit_at(half(3));
            budget.try_withdraw_at(half(3)).is_ok()
        });
        let here = budget.try_withdraw_at(half(4)).is_ok();
        let granted = u64::from(here) + u64::from(other.join().unwrap());
        assert_eq!(sums(&budget, 2).1, granted, "none of them is past at two seconds");
        let next = budget.try_withdraw_at(half(4)).is_ok();
        assert!((1..=2).contains(&(granted + u64::from(next))));
    });
}

#[test]
fn a_refund_that_meets_the_turn_of_a_tick_is_worth_one() {
    model(|| {
        // Two for two seconds: one is sent, and one is given back.
        let budget = budget(0.0, 1);
        let (mut sent, mut cancelled) = (budget.open(), budget.open());
        let mut token = sent.withdraw_at(half(1)).unwrap();
        sent.sent(&mut token);
        let unsent = cancelled.withdraw_at(half(1)).unwrap();
        let other = in_thread(&budget, |budget| budget.try_withdraw_at(half(3)).is_ok());
        drop(unsent);
        let here = budget.try_withdraw_at(half(4)).is_ok();
        assert!(other.join().unwrap() ^ here);
        assert!(budget.try_withdraw_at(half(4)).is_err());
        drop((sent, cancelled, token));
    });
}

#[test]
fn requests_of_two_threads_pay_for_one_retry_between_them() {
    model(|| {
        let budget = budget(0.5, 0);
        let retried = |budget: &Budgeted| {
            let mut account = budget.open();
            account.withdraw(Cause::Transient).map(|mut token| account.sent(&mut token)).is_ok()
        };
        let other = in_thread(&budget, move |budget| retried(budget));
        let here = retried(&budget);
        assert!(here ^ other.join().unwrap(), "whoever comes second finds a whole");
    });
}

type Budgeted = RatioBudget<fn() -> Instant>;

/// A window of two seconds, whose own clock stands at its beginning.
fn budget(ratio: f64, min_per_second: u32) -> Budgeted {
    let builder = RatioBudget::builder().ratio(ratio).min_per_second(min_per_second).ttl(Duration::from_secs(2));
    let clock: fn() -> Instant = || at(0);
    builder.clock(clock).build().unwrap()
}

/// So many half ticks after the origin.
fn half(halves: u32) -> Instant {
    at(0) + Duration::from_millis(500) * halves
}

/// The beginning of a tick.
fn at(tick: u64) -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    // Not a time, but a place to count from.
    #[allow(clippy::disallowed_methods)]
    let origin = *ORIGIN.get_or_init(Instant::now);
    origin + Duration::from_secs(tick)
}

fn sums<C: Fn() -> Instant>(budget: &RatioBudget<C>, tick: u64) -> (u64, u64) {
    let snapshot = budget.snapshot_at(at(tick));
    (snapshot.deposits, snapshot.withdrawals)
}

fn in_thread<C, T>(
    budget: &RatioBudget<C>,
    f: impl FnOnce(&RatioBudget<C>) -> T + Send + 'static,
) -> thread::JoinHandle<T>
where
    C: Fn() -> Instant + Send + Sync + 'static,
    T: Send + 'static,
{
    let budget = budget.clone();
    thread::spawn(move || f(&budget))
}
