//! The AWS form of the token budget, beside a bucket in plain numbers.

use evenkeel_budget::{Account, Budget, Cause, Costs, Outcome, TokenAccount, TokenBudget, Tokens};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::pick;

/// One thing that a caller can do. An index counts round among those that are there.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Withdraw(Index, Cause),
    Sent(Index),
    Record(Index, Outcome),
    DropToken(Index),
    DropAccount(Index),
}

/// The rules, one line each, in numbers that cannot overflow here.
struct Model {
    held: u64,
    capacity: u64,
    costs: Costs,
}

/// What a request did, kept in full.
#[derive(Default)]
struct Request {
    sent: Vec<u64>,
    last_retry: Option<u64>,
    has_succeeded: bool,
}

impl Model {
    fn cost(&self, cause: Cause) -> u64 {
        u64::from(match cause {
            Cause::Transient => self.costs.transient,
            Cause::Throttled => self.costs.throttled,
            Cause::Timeout => self.costs.timeout,
            Cause::Hedge => self.costs.hedge,
        })
    }

    fn grant(&mut self, cause: Cause) -> bool {
        let granted = self.cost(cause) <= self.held;
        if granted {
            self.held -= self.cost(cause);
        }
        granted
    }

    fn deposit(&mut self, tokens: u64) {
        self.held = (self.held + tokens).min(self.capacity);
    }

    fn record(&mut self, request: &mut Request, outcome: Outcome) {
        if outcome == Outcome::Success && !request.has_succeeded {
            request.has_succeeded = true;
            self.deposit(request.last_retry.unwrap_or(1));
        }
    }
}

/// The budget and the model, side by side.
struct Pair {
    real: TokenBudget,
    model: Model,
    /// `None` where the request's account was dropped.
    requests: Vec<(Option<TokenAccount>, Request)>,
    tokens: Vec<(Tokens, Extra)>,
}

/// The model's side of a token.
struct Extra {
    request: usize,
    cost: u64,
    is_hedge: bool,
    is_sent: bool,
}

impl Pair {
    fn new(capacity: u32, costs: Costs) -> Self {
        let model = Model { held: u64::from(capacity), capacity: u64::from(capacity), costs };
        Self { real: TokenBudget::new(capacity, costs), model, requests: vec![], tokens: vec![] }
    }

    /// Takes the step on both sides, if what it needs is there, and compares them.
    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Open => self.requests.push((Some(self.real.open()), Request::default())),
            Step::Withdraw(index, cause) => self.withdraw(index, *cause)?,
            Step::Sent(index) => self.sent(index),
            Step::Record(index, outcome) => {
                if let Some((Some(account), request)) = pick(index, &mut self.requests) {
                    account.record(*outcome);
                    self.model.record(request, *outcome);
                }
            }
            Step::DropToken(index) if !self.tokens.is_empty() => {
                let (token, extra) = self.tokens.swap_remove(index.index(self.tokens.len()));
                drop(token);
                if !extra.is_sent {
                    self.model.deposit(extra.cost);
                }
            }
            Step::DropAccount(index) => {
                if let Some((account, _)) = pick(index, &mut self.requests) {
                    *account = None;
                }
            }
            Step::DropToken(_) => {}
        }
        prop_assert_eq!(u64::from(self.real.balance()), self.model.held, "after {:?}", step);
        prop_assert!(self.real.balance() <= self.real.capacity());
        Ok(())
    }

    fn withdraw(&mut self, index: &Index, cause: Cause) -> Result<(), TestCaseError> {
        if self.requests.is_empty() {
            return Ok(());
        }
        let request = index.index(self.requests.len());
        if let (Some(account), _) = &mut self.requests[request] {
            let (held, cost) = (u64::from(self.real.balance()), self.model.cost(cause));
            let granted = account.withdraw(cause).ok();
            prop_assert_eq!(granted.is_some(), self.model.grant(cause), "{} of {}", cost, held);
            if let Some(token) = granted {
                prop_assert!(cost <= held, "granted {} of {}", cost, held);
                self.tokens.push((token, Extra { request, cost, is_hedge: cause == Cause::Hedge, is_sent: false }));
            }
        }
        Ok(())
    }

    fn sent(&mut self, index: &Index) {
        let Some((token, extra)) = pick(index, &mut self.tokens) else { return };
        let (account, request) = &mut self.requests[extra.request];
        if let Some(account) = account {
            account.sent(token);
            // To say it twice is to say it once.
            if !extra.is_sent {
                extra.is_sent = true;
                request.sent.push(extra.cost);
                if !extra.is_hedge {
                    request.last_retry = Some(extra.cost);
                }
            }
        }
    }
}

/// Small amounts, where tokens run out and fill up, and those at the ends of the range.
fn amount() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..=40_u32, 1 => Just(0), 1 => Just(1), 1 => Just(u32::MAX), 1 => Just(u32::MAX - 1), 1 => any::<u32>()]
}

fn costs() -> impl Strategy<Value = Costs> {
    let free = [(); 4].map(|()| amount()).prop_map(|[transient, throttled, timeout, hedge]| Costs {
        transient,
        throttled,
        timeout,
        hedge,
    });
    prop_oneof![4 => free, 1 => Just(Costs::REVISION_2026), 1 => Just(Costs::EARLIER)]
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![Just(Cause::Transient), Just(Cause::Throttled), Just(Cause::Timeout), Just(Cause::Hedge)]
}

fn failure() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Transient), Just(Outcome::Throttled), Just(Outcome::Permanent)]
}

fn step(outcome: impl Strategy<Value = Outcome>) -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Open),
        6 => (any::<Index>(), cause()).prop_map(|(index, cause)| Step::Withdraw(index, cause)),
        5 => any::<Index>().prop_map(Step::Sent),
        5 => (any::<Index>(), outcome).prop_map(|(index, outcome)| Step::Record(index, outcome)),
        3 => any::<Index>().prop_map(Step::DropToken),
        1 => any::<Index>().prop_map(Step::DropAccount),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_that_of_the_naive_model(
        capacity in amount(),
        costs in costs(),
        steps in vec(step(prop_oneof![1 => Just(Outcome::Success), 1 => failure()]), 0..200),
    ) {
        let mut pair = Pair::new(capacity, costs);
        for step in &steps {
            pair.step(step)?;
        }
    }

    #[test]
    fn in_an_outage_all_that_is_sent_is_paid_from_one_full_bucket(
        capacity in amount(),
        costs in costs(),
        steps in vec(step(failure()), 0..200),
    ) {
        let mut pair = Pair::new(capacity, costs);
        for step in &steps {
            pair.step(step)?;
        }
        // What was not sent goes back.
        pair.tokens.clear();
        let paid: u64 = pair.requests.iter().flat_map(|(_, request)| &request.sent).sum();
        prop_assert_eq!(paid + u64::from(pair.real.balance()), u64::from(capacity));
    }

    #[test]
    fn callers_that_all_give_up_before_they_send_leave_it_full(
        capacity in amount(),
        costs in costs(),
        causes in vec(cause(), 0..50),
    ) {
        let budget = TokenBudget::new(capacity, costs);
        let asked: Vec<_> = causes
            .iter()
            .map(|cause| {
                let mut account = budget.open();
                let token = account.withdraw(*cause);
                (account, token)
            })
            .collect();
        drop(asked);
        prop_assert_eq!(budget.balance(), capacity);
    }
}
