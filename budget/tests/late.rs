//! An account that is opened late leaves its budget as one that is opened at once.
#![cfg(not(loom))]

mod support;

use std::{cell::RefCell, rc::Rc};

use evenkeel_budget::{
    Account, AnyBudget, Balance, Budget, BudgetObserver, Cause, Costs, InFlightBudget, LateAccount, Observed, Outcome,
    RatioBudget, TokenBudget, Unlimited,
};
use proptest::{collection::vec, prelude::*};

use support::Time;

#[test]
fn a_request_that_succeeds_at_once_opens_none() {
    let budget = Opened::default();
    let mut account = LateAccount::begin(&budget);
    account.record(&budget, Outcome::Success);
    drop(account);
    assert_eq!(budget.take(), ["first success"]);
}

#[test]
fn it_is_opened_once_when_there_is_something_to_say_or_to_ask() {
    let budget = Opened::default();
    drop(LateAccount::begin(&budget));
    assert_eq!(budget.take(), [""; 0]);

    let mut account = LateAccount::begin(&budget);
    account.record(&budget, Outcome::Transient);
    assert!(account.of(&budget).withdraw(Cause::Transient).is_ok());
    account.record(&budget, Outcome::Success);
    assert_eq!(budget.take(), ["opened", "Transient", "withdrawn", "Success"]);

    let mut hedged = LateAccount::begin(&budget);
    assert!(hedged.of(&budget).withdraw(Cause::Hedge).is_ok());
    hedged.record(&budget, Outcome::Success);
    assert_eq!(budget.take(), ["opened", "withdrawn", "Success"]);
}

#[test]
fn a_request_that_succeeds_twice_earns_once() {
    let budget = TokenBudget::new(20, Costs::REVISION_2026);
    let paid = |budget: &TokenBudget| {
        let mut account = budget.open();
        account.withdraw(Cause::Hedge).map(|mut token| account.sent(&mut token)).is_ok()
    };
    assert!(paid(&budget));
    let mut account = LateAccount::begin(&budget);
    account.record(&budget, Outcome::Success);
    account.record(&budget, Outcome::Success);
    assert_eq!(budget.balance(), 7);
}

#[test]
fn where_a_request_counts_from_its_beginning_it_is_opened_at_once() {
    let budget = InFlightBudget::default();
    let account = LateAccount::begin(&budget);
    assert_eq!(budget.snapshot().originals, 1);
    drop(account);
    assert_eq!(budget.snapshot().originals, 0);

    let budget = RatioBudget::default();
    drop(LateAccount::begin(&budget));
    assert_eq!(budget.snapshot().deposits, 1, "it was meant, whatever became of it");
}

#[test]
fn a_pair_opens_late_where_both_do() {
    let (tokens, ratio) = (TokenBudget::default(), RatioBudget::default());
    assert!((&tokens, &Unlimited).opens_late());
    assert!(!(&tokens, &ratio).opens_late() && !(&ratio, &tokens).opens_late());
}

/// A budget that says what is done with it.
#[derive(Clone, Default)]
struct Opened(Rc<RefCell<Vec<String>>>);

impl Opened {
    fn note(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

impl Budget for Opened {
    type Account = Self;

    fn open(&self) -> Self {
        self.note("opened");
        self.clone()
    }

    fn opens_late(&self) -> bool {
        true
    }

    fn first_success(&self) {
        self.note("first success");
    }
}

impl Account for Opened {
    type Token = ();

    fn withdraw(&mut self, _: Cause) -> Result<(), evenkeel_budget::Exhausted> {
        self.note("withdrawn");
        Ok(())
    }

    fn record(&mut self, outcome: Outcome) {
        self.note(format!("{outcome:?}"));
    }
}

/// All that an observer hears.
impl BudgetObserver for Opened {
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

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The request ends, and another one begins.
    Next,
    Record(Outcome),
    /// Asks, and sends what is granted or does not; and keeps it for as long as the request lasts, or does not.
    Withdraw(Cause, bool, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop::sample::select(vec![
        Outcome::Success,
        Outcome::Success,
        Outcome::Transient,
        Outcome::Throttled,
        Outcome::Permanent,
    ]);
    let cause = prop::sample::select(vec![Cause::Transient, Cause::Throttled, Cause::Timeout, Cause::Hedge]);
    prop_oneof![
        2 => Just(Step::Next),
        4 => outcome.prop_map(Step::Record),
        3 => (cause, any::<bool>(), any::<bool>()).prop_map(|(cause, send, keep)| Step::Withdraw(cause, send, keep)),
    ]
}

/// One request's side, opened at once or late.
trait Side<B: Budget> {
    fn begin(budget: &B) -> Self;
    fn account(&mut self, budget: &B) -> &mut B::Account;
    fn record(&mut self, budget: &B, outcome: Outcome);
}

struct AtOnce<A>(A);

impl<B: Budget> Side<B> for AtOnce<B::Account> {
    fn begin(budget: &B) -> Self {
        Self(budget.open())
    }

    fn account(&mut self, _: &B) -> &mut B::Account {
        &mut self.0
    }

    fn record(&mut self, _: &B, outcome: Outcome) {
        self.0.record(outcome);
    }
}

impl<B: Budget> Side<B> for LateAccount<B::Account> {
    fn begin(budget: &B) -> Self {
        Self::begin(budget)
    }

    fn account(&mut self, budget: &B) -> &mut B::Account {
        self.of(budget)
    }

    fn record(&mut self, budget: &B, outcome: Outcome) {
        self.record(budget, outcome);
    }
}

/// What was granted and what was held after each step.
fn told<B: Budget, S: Side<B>>(budget: &B, held: impl Fn() -> Vec<f64>, steps: &[Step]) -> Vec<(bool, Vec<f64>)> {
    let (mut request, mut tokens) = (S::begin(budget), vec![]);
    let mut told = vec![];
    for step in steps {
        let mut granted = false;
        match *step {
            Step::Next => {
                tokens.clear();
                request = S::begin(budget);
            }
            Step::Record(outcome) => request.record(budget, outcome),
            Step::Withdraw(cause, send, keep) => {
                if let Ok(mut token) = request.account(budget).withdraw(cause) {
                    granted = true;
                    if send {
                        request.account(budget).sent(&mut token);
                    }
                    if keep {
                        tokens.push(token);
                    }
                }
            }
        }
        told.push((granted, held()));
    }
    drop((request, tokens));
    told.push((false, held()));
    told
}

/// The same steps with both, each on a budget of its own.
fn assert_alike<B: Balance>(make: impl Fn() -> B, steps: &[Step]) -> Result<(), TestCaseError> {
    let (one, other) = (make(), make());
    let at_once = told::<B, AtOnce<B::Account>>(&one, || vec![one.balance()], steps);
    let late = told::<B, LateAccount<B::Account>>(&other, || vec![other.balance()], steps);
    prop_assert_eq!(late, at_once);
    Ok(())
}

/// And the observers of both hear the same.
fn assert_observed_alike<B: Balance>(make: impl Fn() -> B, steps: &[Step]) -> Result<(), TestCaseError> {
    assert_alike(&make, steps)?;
    let [one, other] = [(); 2].map(|()| Observed::new(make(), Opened::default()));
    let at_once = told::<_, AtOnce<_>>(&one, || vec![one.balance()], steps);
    let late = told::<_, LateAccount<_>>(&other, || vec![other.balance()], steps);
    prop_assert_eq!(late, at_once);
    prop_assert_eq!(other.observer().take(), one.observer().take());
    Ok(())
}

proptest! {
    #[test]
    fn a_late_account_leaves_the_budget_as_one_that_is_opened_at_once(
        capacity in 0..60_u32,
        tenths in 1..60_u32,
        steps in vec(step(), 0..60),
    ) {
        let aws = || TokenBudget::new(capacity, Costs::REVISION_2026);
        let grpc = || TokenBudget::grpc(f64::from(tenths) / 10.0, 0.3).unwrap();
        let time = Time::default();
        let ratio = || RatioBudget::builder().ratio(0.5).min_per_second(0).clock(time.clock()).build().unwrap();
        let in_flight = || InFlightBudget::builder().share(1.0).min_concurrency(1).build().unwrap();
        assert_observed_alike(aws, &steps)?;
        assert_observed_alike(grpc, &steps)?;
        assert_observed_alike(ratio, &steps)?;
        assert_observed_alike(in_flight, &steps)?;
        assert_observed_alike(|| Unlimited, &steps)?;
        assert_observed_alike(|| AnyBudget::from(aws()), &steps)?;
        assert_observed_alike(|| AnyBudget::from(grpc()), &steps)?;
        assert_observed_alike(|| AnyBudget::from(in_flight()), &steps)?;
        assert_observed_alike(|| AnyBudget::from(Unlimited), &steps)?;

        let [one, other] = [(); 2].map(|()| (aws(), (grpc(), Unlimited)));
        let held = |pair: &(TokenBudget, (TokenBudget, Unlimited))| {
            vec![Balance::balance(&pair.0), Balance::balance(&pair.1.0)]
        };
        let at_once = told::<_, AtOnce<_>>(&one, || held(&one), &steps);
        prop_assert_eq!(told::<_, LateAccount<_>>(&other, || held(&other), &steps), at_once);

        let [one, other] = [(); 2].map(|()| AnyBudget::from(aws()));
        let at_once = told::<_, AtOnce<_>>(&one, || vec![Balance::balance(&one)], &steps);
        prop_assert_eq!(told::<_, AtOnce<_>>(&&other, || vec![Balance::balance(&other)], &steps), at_once);

        let [one, other] = [(); 2].map(|()| aws());
        let at_once = told::<_, AtOnce<_>>(&&one, || vec![Balance::balance(&one)], &steps);
        prop_assert_eq!(told::<_, LateAccount<_>>(&&other, || vec![Balance::balance(&other)], &steps), at_once);
    }
}
