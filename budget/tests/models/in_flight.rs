//! The budget of places.

use evenkeel_budget::{Account, Budget, Cause, InFlightBudget};

use super::{model, thread};

#[test]
fn two_threads_with_one_place_between_them_have_one_extra_attempt_in_flight() {
    model(|| {
        let budget = budget(0.0, 1);
        let mut account = budget.open();
        let other = in_thread(&budget, |budget| budget.open().withdraw(Cause::Hedge));
        let here = account.withdraw(Cause::Hedge);
        let there = other.join().unwrap();
        assert!(here.is_ok() ^ there.is_ok());
        assert_eq!(budget.snapshot().extras, 1);
    });
}

#[test]
fn an_original_that_ends_takes_its_share_with_it() {
    model(|| {
        // A place for each original.
        let budget = budget(1.0, 0);
        let (mut stays, ends) = (budget.open(), budget.open());
        let first = stays.withdraw(Cause::Transient).unwrap();
        let end = thread::spawn(move || drop(ends));
        let second = stays.withdraw(Cause::Transient);
        if second.is_err() {
            assert_eq!(budget.snapshot().originals, 1, "it was refused because the other had ended");
        }
        end.join().unwrap();
        assert!(stays.withdraw(Cause::Transient).is_err());
        drop((first, second));
        assert!(stays.withdraw(Cause::Transient).is_ok());
    });
}

#[test]
fn a_place_that_is_left_is_there_for_another_thread_and_all_are_free_in_the_end() {
    model(|| {
        let budget = budget(0.0, 1);
        let mut account = budget.open();
        let token = account.withdraw(Cause::Transient).unwrap();
        let other = in_thread(&budget, |budget| budget.open().withdraw(Cause::Transient).is_ok());
        drop(token);
        let next = other.join().unwrap() || account.withdraw(Cause::Transient).is_ok();
        assert!(next);
        drop(account);
        let snapshot = budget.snapshot();
        assert_eq!((snapshot.originals, snapshot.extras), (0, 0));
    });
}

#[test]
fn two_requests_that_end_at_once_both_leave() {
    model(|| {
        let budget = budget(1.0, 0);
        let other = in_thread(&budget, |budget| budget.open().withdraw(Cause::Transient).is_ok());
        assert!(budget.open().withdraw(Cause::Transient).is_ok());
        assert!(other.join().unwrap());
        let snapshot = budget.snapshot();
        assert_eq!((snapshot.originals, snapshot.extras), (0, 0));
    });
}

fn budget(share: f64, min_concurrency: u32) -> InFlightBudget {
    InFlightBudget::builder().share(share).min_concurrency(min_concurrency).build().unwrap()
}

fn in_thread<T: Send + 'static>(
    budget: &InFlightBudget,
    f: impl FnOnce(&InFlightBudget) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let budget = budget.clone();
    thread::spawn(move || f(&budget))
}
