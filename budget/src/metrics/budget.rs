//! What is paid into budgets and out of them, counted.

use std::{fmt, sync::Arc};

use metrics::{Counter, Gauge, SharedString, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{BudgetObserver, Cause};

/// Counts what an [`Observed`](crate::Observed) budget grants, refuses, is paid and gives back, under a `name` label.
///
/// | series | labels | shows |
/// | --- | --- | --- |
/// | `evenkeel_budget_balance` | `name` | what the budget held at the last event, in its own units (a gauge) |
/// | `evenkeel_budget_deposits_total` | `name` | requests that paid in, into a full budget as well |
/// | `evenkeel_budget_withdrawals_total` | `name`, `cause`: `transient`, `throttled`, `timeout`, `hedge` | extra attempts granted |
/// | `evenkeel_budget_refusals_total` | `name`, `cause` | extra attempts refused |
/// | `evenkeel_budget_refunds_total` | `name`, `cause` | extra attempts granted that were not sent; those sent are the withdrawals less these |
///
/// Make it after the recorder is installed, and once for each name: its series are looked up when it is made, so that
/// counting is an atomic add. Cloning is one reference count. Of one budget use [`new`](Self::new), of one for each key
/// [`of_many`](Self::of_many).
///
/// ```
/// use evenkeel_budget::{Account, Budget, BudgetMetrics, Cause, Observed, TokenBudget};
///
/// let budget = Observed::new(TokenBudget::default(), BudgetMetrics::new("model-api"));
/// assert!(budget.open().withdraw(Cause::Transient).is_ok());
/// ```
#[derive(Clone)]
pub struct BudgetMetrics {
    series: Arc<Series>,
}

struct Series {
    /// Many budgets have no one balance.
    balance: Option<Gauge>,
    deposits: Counter,
    withdrawals: ByCause,
    refusals: ByCause,
    refunds: ByCause,
}

impl BudgetMetrics {
    /// The series of one budget, with `name` as their `name` label.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        let name = name.into();
        let balance = gauge!(BALANCE, "name" => name.clone());
        Self::with(&name, Some(balance))
    }

    /// The series of many budgets together, without their balances: for a [`BudgetMap`](crate::BudgetMap).
    ///
    /// All keys count into the same series. A recorder keeps a series for as long as the program runs, so one for each key
    /// would stay when its key is long gone, and tenants who are invented would fill it.
    ///
    /// ```
    /// use evenkeel_budget::{BudgetMap, BudgetMetrics, Observed, TokenBudget};
    /// use std::num::NonZeroUsize;
    ///
    /// let metrics = BudgetMetrics::of_many("tenants");
    /// let make = move || Observed::new(TokenBudget::default(), metrics.clone());
    /// let budgets: BudgetMap<String, _> = BudgetMap::new(NonZeroUsize::new(10_000).unwrap(), make);
    /// let _budget = budgets.budget("acme");
    /// ```
    #[must_use]
    pub fn of_many(name: impl Into<SharedString>) -> Self {
        Self::with(&name.into(), None)
    }

    fn with(name: &SharedString, balance: Option<Gauge>) -> Self {
        describe();
        let series = Series {
            balance,
            deposits: counter!(DEPOSITS, "name" => name.clone()),
            withdrawals: ByCause::new(WITHDRAWALS, name),
            refusals: ByCause::new(REFUSALS, name),
            refunds: ByCause::new(REFUNDS, name),
        };
        Self { series: Arc::new(series) }
    }

    fn show(&self, balance: f64) {
        if let Some(gauge) = &self.series.balance {
            gauge.set(balance);
        }
    }
}

impl BudgetObserver for BudgetMetrics {
    fn on_balance(&self, balance: f64) {
        self.show(balance);
    }

    fn on_deposit(&self, balance: f64) {
        self.series.deposits.increment(1);
        self.show(balance);
    }

    fn on_withdrawal(&self, cause: Cause, balance: f64) {
        self.series.withdrawals.of(cause).increment(1);
        self.show(balance);
    }

    fn on_refusal(&self, cause: Cause, balance: f64) {
        self.series.refusals.of(cause).increment(1);
        self.show(balance);
    }

    fn on_refund(&self, cause: Cause, balance: f64) {
        self.series.refunds.of(cause).increment(1);
        self.show(balance);
    }
}

impl fmt::Debug for BudgetMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetMetrics").finish_non_exhaustive()
    }
}

/// One series for each cause.
struct ByCause {
    transient: Counter,
    throttled: Counter,
    timeout: Counter,
    hedge: Counter,
}

impl ByCause {
    fn new(series: &'static str, name: &SharedString) -> Self {
        let with = |cause: &'static str| counter!(series, "name" => name.clone(), "cause" => cause);
        Self {
            transient: with("transient"),
            throttled: with("throttled"),
            timeout: with("timeout"),
            hedge: with("hedge"),
        }
    }

    fn of(&self, cause: Cause) -> &Counter {
        match cause {
            Cause::Transient => &self.transient,
            Cause::Throttled => &self.throttled,
            Cause::Timeout => &self.timeout,
            Cause::Hedge => &self.hedge,
        }
    }
}

const BALANCE: &str = "evenkeel_budget_balance";
const DEPOSITS: &str = "evenkeel_budget_deposits_total";
const WITHDRAWALS: &str = "evenkeel_budget_withdrawals_total";
const REFUSALS: &str = "evenkeel_budget_refusals_total";
const REFUNDS: &str = "evenkeel_budget_refunds_total";

fn describe() {
    describe_gauge!(BALANCE, "What the budget held at the last event, in its own units");
    describe_counter!(DEPOSITS, Unit::Count, "Requests that paid in");
    describe_counter!(WITHDRAWALS, Unit::Count, "Extra attempts granted, by cause");
    describe_counter!(REFUSALS, Unit::Count, "Extra attempts refused, by cause");
    describe_counter!(REFUNDS, Unit::Count, "Extra attempts granted that were not sent, by cause");
}
