//! The ratio budget, beside a list of all events in 128 bits.

use std::time::{Duration, Instant};

use evenkeel_budget::{Account, Budget, Cause, Outcome, RatioAccount, RatioBudget, RatioToken};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{pick, support::Time};

/// One thing that a caller can do, or that the clock does.
#[derive(Clone, Debug)]
enum Step {
    Open,
    Withdraw(Index),
    Sent(Index),
    Record(Index, Outcome),
    DropToken(Index),
    DropAccount(Index),
    Forward(Duration),
    Back(Duration),
}

#[derive(Clone, Copy, Debug)]
struct Settings {
    billionths: u64,
    min_per_second: u32,
    ttl: Duration,
}

/// All that was ever recorded, and no rule for forgetting it but the definition.
struct Model {
    settings: Settings,
    deposits: Vec<Event>,
    withdrawals: Vec<Event>,
    /// The latest time at which anything was recorded.
    latest: u128,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    /// In nanoseconds.
    at: u128,
    given_back: bool,
}

/// The parts of a window that time is known to.
const TICKS: u128 = 20;
const BILLION: u128 = 1_000_000_000;

impl Model {
    fn new(mut settings: Settings) -> Self {
        // To whole ticks.
        settings.ttl = Duration::from_nanos(20 * settings.ttl.as_nanos().div_ceil(TICKS) as u64);
        Self { settings, deposits: vec![], withdrawals: vec![], latest: 0 }
    }

    fn reserve(&self) -> u128 {
        self.settings.ttl.as_nanos() * u128::from(self.settings.min_per_second) / BILLION
    }

    fn tick(&self) -> u128 {
        self.settings.ttl.as_nanos().div_ceil(TICKS)
    }

    /// The deposits and withdrawals that count at `now`: a deposit from the beginning of its tick for as many ticks as a window
    /// has, a withdrawal from the first tick that begins no earlier.
    fn sums(&self, now: u128) -> (u128, u128) {
        let (now, tick) = (now.max(self.latest), self.tick());
        let deposits = self.deposits.iter().filter(|event| now / tick < event.at / tick + TICKS);
        let withdrawals = self.withdrawals.iter().filter(|event| !event.given_back);
        let withdrawals = withdrawals.filter(|event| now / tick < event.at.div_ceil(tick) + TICKS);
        (deposits.count() as u128, withdrawals.count() as u128)
    }

    fn deposit(&mut self, now: u128) {
        self.latest = self.latest.max(now);
        self.deposits.push(Event { at: self.latest, given_back: false });
    }

    /// The place of the withdrawal in the list, if it is granted.
    fn withdraw(&mut self, now: u128) -> Option<usize> {
        let (deposits, withdrawals) = self.sums(now);
        let held = self.reserve() * BILLION + u128::from(self.settings.billionths) * deposits;
        if (withdrawals + 1) * BILLION > held {
            return None;
        }
        self.latest = self.latest.max(now);
        self.withdrawals.push(Event { at: self.latest, given_back: false });
        Some(self.withdrawals.len() - 1)
    }

    /// What no rounding to ticks can excuse: over the exact ttl before now, withdrawals ≤ reserve + ratio · deposits.
    fn assert_conserved(&self) -> Result<(), TestCaseError> {
        let (ttl, end) = (self.settings.ttl.as_nanos(), self.latest);
        let within = |event: &&Event| event.at + ttl > end && !event.given_back;
        let deposits = self.deposits.iter().filter(within).count() as u128;
        let withdrawals = self.withdrawals.iter().filter(within).count() as u128;
        let held = self.reserve() * BILLION + u128::from(self.settings.billionths) * deposits;
        prop_assert!(withdrawals * BILLION <= held, "{withdrawals} withdrawals of {deposits} deposits");
        Ok(())
    }
}

type Budgeted = RatioBudget<Box<dyn Fn() -> Instant>>;

/// The budget and the model, side by side.
struct Pair {
    time: Time,
    real: Budgeted,
    model: Model,
    /// `None` where it was dropped; and whether it has deposited.
    accounts: Vec<(Option<RatioAccount<Budgeted>>, bool)>,
    /// With the model's withdrawal, and whether it was sent.
    tokens: Vec<(RatioToken<Budgeted>, usize, bool)>,
}

impl Pair {
    fn new(settings: Settings) -> Self {
        let time = Time::default();
        let clock: Box<dyn Fn() -> Instant> = Box::new(time.clock());
        let ratio = settings.billionths as f64 / 1e9;
        let builder = RatioBudget::builder().ratio(ratio).min_per_second(settings.min_per_second).ttl(settings.ttl);
        let real = builder.clock(clock).build().expect("the settings are in their ranges");
        Self { time, real, model: Model::new(settings), accounts: vec![], tokens: vec![] }
    }

    fn now(&self) -> u128 {
        u128::from(self.time.nanos())
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.now();
        match step {
            Step::Open => self.accounts.push((Some(self.real.open()), false)),
            Step::Withdraw(index) => self.withdraw(index)?,
            Step::Sent(index) => {
                if let (Some((token, _, is_sent)), Some((Some(account), _))) =
                    (pick(index, &mut self.tokens), self.accounts.iter_mut().find(|(account, _)| account.is_some()))
                {
                    account.sent(token);
                    *is_sent = true;
                }
            }
            Step::Record(index, outcome) => {
                if let Some((Some(account), has_deposited)) = pick(index, &mut self.accounts) {
                    account.record(*outcome);
                    let retried = matches!(outcome, Outcome::Transient | Outcome::Throttled);
                    if !retried && !std::mem::replace(has_deposited, true) {
                        self.model.deposit(now);
                    }
                }
            }
            Step::DropAccount(index) => {
                if let Some((account, has_deposited)) = pick(index, &mut self.accounts) {
                    if account.take().is_some() && !*has_deposited {
                        self.model.deposit(now);
                    }
                }
            }
            Step::DropToken(index) if !self.tokens.is_empty() => {
                let (token, withdrawal, is_sent) = self.tokens.swap_remove(index.index(self.tokens.len()));
                drop(token);
                self.model.withdrawals[withdrawal].given_back = !is_sent;
            }
            Step::DropToken(_) => {}
            Step::Forward(by) => self.time.advance(*by),
            Step::Back(by) => self.time.back(*by),
        }
        let snapshot = self.real.snapshot();
        let sums = (u128::from(snapshot.deposits), u128::from(snapshot.withdrawals));
        prop_assert_eq!(sums, self.model.sums(self.now()), "after {:?}", step);
        Ok(())
    }

    fn withdraw(&mut self, index: &Index) -> Result<(), TestCaseError> {
        let now = self.now();
        let Some((Some(account), has_deposited)) = pick(index, &mut self.accounts) else { return Ok(()) };
        if !std::mem::replace(has_deposited, true) {
            self.model.deposit(now);
        }
        let (granted, expected) = (account.withdraw(Cause::Transient), self.model.withdraw(now));
        prop_assert_eq!(granted.is_ok(), expected.is_some());
        if let (Ok(token), Some(withdrawal)) = (granted, expected) {
            self.tokens.push((token, withdrawal, false));
            self.model.assert_conserved()?;
        }
        Ok(())
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let billionths = prop_oneof![
        2 => Just(0_u64),
        4 => 0..2_000_000_000_u64,
        4 => prop::sample::select(vec![100_000_000, 200_000_000, 350_000_000, 333_333_333, 1_000_000_000]),
        1 => Just(1_000_000_000_000),
        1 => 0..=1_000_000_000_000_u64,
    ];
    let min_per_second = prop_oneof![4 => Just(0_u32), 4 => 0..=3_u32, 1 => Just(u32::MAX)];
    let ttl = prop_oneof![
        2 => Just(Duration::from_secs(1)),
        2 => Just(Duration::from_secs(10)),
        1 => Just(Duration::from_secs(60)),
        2 => (1_000_000_000..=60_000_000_000_u64).prop_map(Duration::from_nanos),
        2 => (1_000_000_000..1_000_000_060_u64).prop_map(Duration::from_nanos),
    ];
    (billionths, min_per_second, ttl).prop_map(|(billionths, min_per_second, ttl)| Settings {
        billionths,
        min_per_second,
        ttl,
    })
}

/// Within a tick, about a tick, about a window, hours; and what stands on a boundary.
fn by() -> impl Strategy<Value = Duration> {
    prop_oneof![
        2 => (0..1_000_u64).prop_map(Duration::from_nanos),
        4 => (0..5_000_u64).prop_map(Duration::from_millis),
        2 => prop::sample::select(vec![50_u64, 500, 1_000, 10_000, 60_000]).prop_map(Duration::from_millis),
        1 => (0..60_000_000_000_u64).prop_map(Duration::from_nanos),
        // About a window of a second, to the nanosecond.
        2 => (999_999_900..1_000_000_100_u64).prop_map(Duration::from_nanos),
        1 => (1..100_u64).prop_map(|hours| Duration::from_secs(3_600 * hours)),
    ]
}

fn step(back: u32) -> impl Strategy<Value = Step> {
    let outcome =
        prop::sample::select(vec![Outcome::Success, Outcome::Transient, Outcome::Throttled, Outcome::Permanent]);
    prop_oneof![
        6 => Just(Step::Open),
        8 => any::<Index>().prop_map(Step::Withdraw),
        4 => any::<Index>().prop_map(Step::Sent),
        4 => (any::<Index>(), outcome).prop_map(|(index, outcome)| Step::Record(index, outcome)),
        3 => any::<Index>().prop_map(Step::DropToken),
        3 => any::<Index>().prop_map(Step::DropAccount),
        5 => by().prop_map(Step::Forward),
        back => by().prop_map(Step::Back),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_counts_and_what_is_granted_is_that_of_the_event_list(
        settings in settings(),
        steps in vec(step(0), 0..200),
    ) {
        let mut pair = Pair::new(settings);
        for step in &steps {
            pair.step(step)?;
        }
    }

    // Hazard 22.
    #[test]
    fn a_clock_that_stands_still_jumps_or_goes_back_breaks_no_sum(
        settings in settings(),
        steps in vec(step(3), 0..200),
    ) {
        let mut pair = Pair::new(settings);
        for step in &steps {
            pair.step(step)?;
        }
    }

    // Hazard 20, and fractions that are not lost.
    #[test]
    fn so_many_requests_pay_for_exactly_the_ratio_of_them(
        billionths in 0..2_000_000_000_u64,
        requests in 0..3_000_u64,
    ) {
        let time = Time::default();
        let builder = RatioBudget::builder().ratio(billionths as f64 / 1e9).min_per_second(0);
        let budget = builder.clock(time.clock()).build().unwrap();
        let mut granted = 0;
        for _ in 0..requests {
            budget.deposit();
            // As soon as it can be had: what is left of one is kept for the next.
            while budget.try_withdraw().is_ok() {
                granted += 1;
            }
        }
        prop_assert_eq!(granted, requests * billionths / 1_000_000_000);
    }
}
