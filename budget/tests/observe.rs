//! What an observer of a budget hears, and when.
#![cfg(not(loom))]

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use evenkeel_budget::{
    Account, AnyBudget, Balance, Budget, BudgetObserver, Cause, Costs, Earns, InFlightBudget, Observed, Outcome,
    RatioBudget, TokenBudget, Unlimited,
};

/// Writes down what it hears.
#[derive(Default)]
struct Heard(RefCell<Vec<String>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        self.0.take()
    }

    fn note(&self, what: String) {
        self.0.borrow_mut().push(what);
    }
}

impl BudgetObserver for Heard {
    fn on_balance(&self, balance: f64) {
        self.note(format!("balance {balance}"));
    }

    fn on_deposit(&self, balance: f64) {
        self.note(format!("deposit {balance}"));
    }

    fn on_withdrawal(&self, cause: Cause, balance: f64) {
        self.note(format!("withdrawal {cause:?} {balance}"));
    }

    fn on_refusal(&self, cause: Cause, balance: f64) {
        self.note(format!("refusal {cause:?} {balance}"));
    }

    fn on_refund(&self, cause: Cause, balance: f64) {
        self.note(format!("refund {cause:?} {balance}"));
    }
}

fn tokens(capacity: u32) -> TokenBudget {
    TokenBudget::new(capacity, Costs::REVISION_2026)
}

/// An extra attempt for each request, and none besides.
fn one_each() -> RatioBudget {
    RatioBudget::builder().ratio(1.0).min_per_second(0).build().unwrap()
}

#[test]
fn what_is_asked_granted_refused_and_given_back_is_told() {
    let heard = Heard::default();
    let budget = Observed::new(tokens(20), &heard);
    assert_eq!(heard.take(), ["balance 20"]);
    let mut account = budget.open();
    account.record(Outcome::Transient);
    assert_eq!(heard.take(), ["balance 20"]);
    let unsent = account.withdraw(Cause::Transient).unwrap();
    assert!(account.withdraw(Cause::Timeout).is_err());
    assert_eq!(heard.take(), ["withdrawal Transient 6", "refusal Timeout 6"]);
    drop(unsent);
    assert_eq!(heard.take(), ["refund Transient 20"]);

    let mut sent = account.withdraw(Cause::Throttled).unwrap();
    account.sent(&mut sent);
    drop(sent);
    account.record(Outcome::Success);
    account.record(Outcome::Success);
    drop(account);
    let expected = ["withdrawal Throttled 15", "balance 15", "deposit 20"];
    assert_eq!(heard.take(), expected, "the second success pays nothing");
}

#[test]
fn only_a_request_that_succeeds_deposits_where_successes_pay() {
    let heard = Heard::default();
    let budget = Observed::new(tokens(500), &heard);
    heard.take();
    for outcome in [Outcome::Transient, Outcome::Throttled, Outcome::Permanent] {
        budget.open().record(outcome);
    }
    drop(budget.open());
    assert_eq!(heard.take(), ["balance 500"; 3]);
    budget.open().record(Outcome::Success);
    assert_eq!(heard.take(), ["deposit 500"], "told although the bucket is full");
}

#[test]
fn the_deposit_of_a_request_is_told_once_when_it_is_made() {
    let heard = Heard::default();
    let budget = Observed::new(one_each(), &heard);
    heard.take();

    let mut account = budget.open();
    account.record(Outcome::Permanent);
    assert_eq!(heard.take(), ["deposit 1"]);
    account.record(Outcome::Success);
    let token = account.withdraw(Cause::Transient).unwrap();
    drop((account, token));
    assert_eq!(heard.take(), ["withdrawal Transient 0", "refund Transient 1"]);

    let mut account = budget.open();
    account.record(Outcome::Throttled);
    assert_eq!(heard.take(), [""; 0]);
    let mut token = account.withdraw(Cause::Throttled).unwrap();
    account.sent(&mut token);
    drop((token, account));
    assert_eq!(heard.take(), ["deposit 1", "withdrawal Throttled 1", "balance 1"]);

    // Abandoned: paid, and only then told, when it is dropped.
    drop(budget.open());
    assert_eq!(heard.take(), ["deposit 2"]);
}

#[test]
fn a_refused_request_deposits_as_well() {
    let heard = Heard::default();
    let budget = Observed::new(RatioBudget::builder().ratio(0.0).min_per_second(0).build().unwrap(), &heard);
    let mut account = budget.open();
    assert!(account.withdraw(Cause::Hedge).is_err());
    drop(account);
    assert_eq!(heard.take(), ["balance 0", "deposit 0", "refusal Hedge 0"]);
    assert_eq!(budget.budget().snapshot().deposits, 1);
}

#[test]
fn failures_that_lower_the_grpc_form_show_in_its_balance() {
    let heard = Heard::default();
    let budget = Observed::new(TokenBudget::grpc(10.0, 0.5).unwrap(), &heard);
    let mut account = budget.open();
    account.record(Outcome::Transient);
    account.record(Outcome::Success);
    assert_eq!(heard.take(), ["balance 10", "balance 9", "deposit 9.5"]);
}

#[test]
fn places_are_told_when_they_are_free_again() {
    let heard = Heard::default();
    let in_flight = InFlightBudget::builder().share(0.0).min_concurrency(1).build().unwrap();
    let budget = Observed::new(in_flight, &heard);
    let mut account = budget.open();
    let token = account.withdraw(Cause::Hedge).unwrap();
    drop((token, account));
    let expected = ["balance 1", "withdrawal Hedge 0", "refund Hedge 1"];
    assert_eq!(heard.take(), expected);
}

#[test]
fn the_unlimited_is_never_paid() {
    let heard = Heard::default();
    let budget = Observed::new(AnyBudget::from(Unlimited), &heard);
    let mut account = budget.open();
    account.record(Outcome::Success);
    assert!(account.withdraw(Cause::Transient).is_ok());
    drop(account);
    assert_eq!(heard.take(), ["balance inf", "withdrawal Transient inf", "refund Transient inf"]);
}

/// As many deposits, withdrawals and refunds are told as the budget counts, for each kind of budget.
#[test]
fn what_is_told_is_what_the_budget_counts() {
    let heard = Heard::default();
    let budget = Observed::new(one_each(), &heard);
    let outcomes = [Outcome::Success, Outcome::Transient, Outcome::Throttled, Outcome::Permanent];
    for round in 0..64_usize {
        let mut account = budget.open();
        let mut token = None;
        for step in 0..round % 5 {
            account.record(outcomes[(round / 5 + step) % 4]);
            if (round + step) % 3 == 0 {
                token = account.withdraw(Cause::Transient).ok();
            }
            if let (Some(token), 0) = (&mut token, step % 2) {
                account.sent(token);
            }
        }
    }
    let heard = heard.take();
    let count = |what: &str| heard.iter().filter(|heard| heard.starts_with(what)).count() as u64;
    let snapshot = budget.budget().snapshot();
    assert_eq!(count("deposit"), 64);
    assert_eq!(snapshot.deposits, 64);
    assert_eq!(count("withdrawal") - count("refund"), snapshot.withdrawals);
    assert!(count("refund") > 0 && snapshot.withdrawals > 0);
}

#[test]
fn an_observed_budget_is_the_budget_in_it() {
    let inner = tokens(30);
    let budget = Observed::new(inner.clone(), ());
    assert_eq!((budget.earns(), Balance::balance(&budget)), (Earns::EachSuccess, 30.0));
    let other = budget.clone();
    let _token = other.open().withdraw(Cause::Transient).unwrap();
    assert_eq!((inner.balance(), budget.budget().balance()), (16, 16));
    assert_eq!(format!("{budget:?}"), format!("Observed {{ budget: {inner:?}, .. }}"));
}

#[test]
fn pairs_and_pointers_pass_on_all_that_they_hear() {
    let [first, second, third] = [(); 3].map(|()| Rc::new(Heard::default()));
    let boxed: Box<dyn BudgetObserver> = Box::new(Rc::clone(&third));
    let budget = Observed::new(tokens(14), ((), ((&*first, Rc::clone(&second)), boxed)));
    let mut account = budget.open();
    let token = account.withdraw(Cause::Transient).unwrap();
    assert!(account.withdraw(Cause::Hedge).is_err());
    drop(token);
    account.record(Outcome::Success);
    let expected = ["balance 14", "withdrawal Transient 0", "refusal Hedge 0", "refund Transient 14", "deposit 14"];
    assert_eq!([first.take(), second.take(), third.take()], [(); 3].map(|()| expected.map(str::to_owned).to_vec()));
}

#[test]
fn an_observer_may_ask_the_budget_that_it_watches() {
    struct Asks(TokenBudget, AtomicU32);

    impl BudgetObserver for Asks {
        fn on_withdrawal(&self, _: Cause, balance: f64) {
            assert_eq!(f64::from(self.0.balance()), balance);
            // More than it looks: it may even use it.
            drop(self.0.open().withdraw(Cause::Throttled));
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    let inner = tokens(500);
    let asks = Arc::new(Asks(inner.clone(), AtomicU32::new(0)));
    let budget = Observed::new(inner, Arc::clone(&asks));
    assert!(budget.open().withdraw(Cause::Transient).is_ok());
    assert_eq!(asks.1.load(Ordering::Relaxed), 1);
}

/// Panics whenever it hears of anything but the beginning.
struct Panics;

impl BudgetObserver for Panics {
    fn on_deposit(&self, _: f64) {
        panic!("on deposit");
    }

    fn on_withdrawal(&self, _: Cause, _: f64) {
        panic!("on withdrawal");
    }

    fn on_refusal(&self, _: Cause, _: f64) {
        panic!("on refusal");
    }

    fn on_refund(&self, _: Cause, _: f64) {
        panic!("on refund");
    }
}

// Hazard 58.
#[test]
fn an_observer_that_panics_takes_nothing_from_the_budget() {
    let panics = |f: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(f)).is_err();

    // The grant that it was told of is given back, and the success counts.
    let budget = Observed::new(tokens(15), Panics);
    let mut account = budget.open();
    assert!(panics(&mut || drop(account.withdraw(Cause::Transient))));
    assert_eq!(budget.budget().balance(), 15);
    let mut other = budget.budget().open();
    let mut paid = other.withdraw(Cause::Transient).unwrap();
    other.sent(&mut paid);
    assert_eq!(budget.budget().balance(), 1);
    assert!(panics(&mut || drop(account.withdraw(Cause::Transient))), "of the refusal");
    assert!(panics(&mut || account.record(Outcome::Success)));
    assert_eq!(budget.budget().balance(), 2);
    account.record(Outcome::Success);
    drop(account);
    assert_eq!(budget.budget().balance(), 2, "it is not paid, nor told, again");

    // A deposit at the end is made before it is told.
    let budget = Observed::new(one_each(), Panics);
    let account = RefCell::new(Some(budget.open()));
    assert!(panics(&mut || drop(account.take())));
    assert_eq!(budget.budget().snapshot().deposits, 1);
}

/// Panics only when a refund is told.
struct PanicsOnRefund;

impl BudgetObserver for PanicsOnRefund {
    fn on_refund(&self, _: Cause, _: f64) {
        panic!("on refund");
    }
}

// Hazards 56 and 58: out of a drop a second panic would abort the program.
#[test]
fn an_observer_may_panic_while_its_thread_unwinds() {
    let budget = Observed::new(tokens(20), PanicsOnRefund);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _token = budget.open().withdraw(Cause::Transient).unwrap();
        panic!("in a callback");
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in a callback"));
    assert_eq!(budget.budget().balance(), 20);

    let token = budget.open().withdraw(Cause::Transient).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(token)));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on refund"));
    assert_eq!(budget.budget().balance(), 20, "given back before it was told");

    let budget = Observed::new(one_each(), Panics);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _account = budget.open();
        panic!("in a callback");
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in a callback"));
    assert_eq!(budget.budget().snapshot().deposits, 1);
}

#[test]
fn threads_tell_each_event_once() {
    #[derive(Default)]
    struct Counts([AtomicU32; 4]);

    impl BudgetObserver for Counts {
        fn on_deposit(&self, _: f64) {
            self.0[0].fetch_add(1, Ordering::Relaxed);
        }

        fn on_withdrawal(&self, _: Cause, _: f64) {
            self.0[1].fetch_add(1, Ordering::Relaxed);
        }

        fn on_refusal(&self, _: Cause, _: f64) {
            self.0[2].fetch_add(1, Ordering::Relaxed);
        }

        fn on_refund(&self, _: Cause, _: f64) {
            self.0[3].fetch_add(1, Ordering::Relaxed);
        }
    }

    let budget = Observed::new(tokens(28), Counts::default());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    let mut account = budget.open();
                    drop(account.withdraw(Cause::Transient));
                    account.record(Outcome::Success);
                }
            });
        }
    });
    let [deposits, withdrawals, refusals, refunds] =
        budget.observer().0.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert_eq!((deposits, withdrawals + refusals), (40_000, 40_000));
    assert_eq!(withdrawals, refunds);
    assert_eq!(budget.budget().balance(), 28);
}

#[test]
fn what_is_given_back_while_a_thread_unwinds_is_told() {
    let heard = Heard::default();
    let budget = Observed::new(tokens(20), &heard);
    heard.take();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _token = budget.open().withdraw(Cause::Transient).unwrap();
        panic!("in the request");
    }));
    assert!(panicked.is_err());
    assert_eq!(heard.take(), ["withdrawal Transient 6", "refund Transient 20"]);
}
