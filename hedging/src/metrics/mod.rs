//! The observer that counts, with the `metrics` facade.

mod series;

use std::{fmt, sync::Arc};

use evenkeel_budget::{Cause, Outcome, Verdict};
use metrics::SharedString;

use crate::{Answer, Attempt, Observer, Quantile};
use series::Series;

/// Counts requests, the attempts that they took and who answered, under a `name` label.
///
/// | series | labels | shows |
/// | --- | --- | --- |
/// | `evenkeel_hedge_requests_total` | `name` | requests that began |
/// | `evenkeel_hedge_attempts_total` | `name`, `cause`: `first`, `hedge`, `transient`, `throttled` | attempts that were sent, by what called for them |
/// | `evenkeel_hedge_verdicts_total` | `name`, `outcome`: `success`, `transient`, `throttled`, `permanent` | how attempts ended that ended by themselves, and further ones that could not be sent |
/// | `evenkeel_hedge_refusals_total` | `name`, `cause`: `hedge`, `transient`, `throttled` | attempts that were due, and that the budget refused to pay for |
/// | `evenkeel_hedge_answers_total` | `name`, `outcome` | requests that were answered; those dropped by their callers are not |
/// | `evenkeel_hedge_hedges_won_total` | `name` | hedges whose success was the answer |
/// | `evenkeel_hedge_hedges_useless_total` | `name` | hedges of answered requests that did not win: load for nothing |
/// | `evenkeel_hedge_wins_total` | `name`, `alternate` | successes, by which of the [alternates](Self::alternates) gave them |
/// | `evenkeel_hedge_threshold_seconds` | `name` | how late is late, as [asked for](Self::threshold_of) (a gauge) |
///
/// The load that was added is the attempts without `first`, over the requests. Of the hedges sent those that neither won nor
/// were useless belong to requests that are not answered.
///
/// Make it after the recorder is installed, and once for each policy: its series are looked up when it is made, so that
/// counting is an atomic add. Cloning is one reference count, and a clone counts into the same series.
///
/// There are no series for each key of a [`QuantileMap`](crate::QuantileMap) or a `BudgetMap`: a recorder keeps a series for
/// as long as the program runs, so those of keys that are long gone would stay. Give the policies of all keys clones of one
/// `HedgeMetrics`, without a threshold, since many estimates have no one threshold; for single keys ask their `snapshot`.
///
/// ```
/// use evenkeel_hedging::{Hedge, HedgeMetrics, Quantile};
///
/// let p95 = Quantile::p95();
/// let metrics = HedgeMetrics::new("model-api").threshold_of(&p95);
/// let hedge = Hedge::new(p95, tokio::time::sleep).observe(metrics);
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert_eq!(hedge.run(|_| async { Ok::<_, ()>("done") }).await, Ok("done"));
/// # });
/// ```
#[derive(Clone)]
pub struct HedgeMetrics {
    series: Arc<Series>,
}

impl HedgeMetrics {
    /// Series with `name` as their `name` label.
    #[must_use]
    pub fn new(name: impl Into<SharedString>) -> Self {
        Self { series: Arc::new(Series::new(name.into())) }
    }

    /// Calls the `Alternates` by these names, in their order, in the `alternate` label. One without a name is called by its
    /// place, from `0`, and has its series from its first success on; so there are no more of them than alternates. Where all
    /// attempts ask one service, it is `0`.
    ///
    /// ```
    /// # #[cfg(feature = "tower")]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use evenkeel_hedging::{Alternates, Hedge, HedgeMetrics};
    /// use tower::{ServiceExt, service_fn};
    ///
    /// let metrics = HedgeMetrics::new("chat").alternates(["openai", "azure"]);
    /// let policy = Hedge::on_failure(tokio::time::sleep).observe(metrics);
    /// let provider = |up| service_fn(move |()| async move { if up { Ok("hello") } else { Err("down") } });
    /// let models = Alternates::new([provider(false), provider(true)]).policy(policy);
    /// assert_eq!(models.oneshot(()).await.unwrap().response, "hello"); // a win of "azure"
    /// # });
    /// ```
    #[must_use]
    pub fn alternates<N: Into<SharedString>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let series = Arc::make_mut(&mut self.series);
        names.into_iter().zip(0..Series::MOST_ALTERNATES).for_each(|(name, place)| series.call(place, name.into()));
        self
    }

    /// Shows the threshold of `quantile`, as of the last answer, in seconds. It is NaN while there is none: zero would be a
    /// hedge at once, and a series cannot go away.
    #[must_use]
    pub fn threshold_of<C>(mut self, quantile: &Quantile<C>) -> Self
    where
        C: Send + Sync + 'static,
    {
        let quantile = quantile.clone();
        Arc::make_mut(&mut self.series).show(move || quantile.threshold());
        self
    }
}

impl Observer for HedgeMetrics {
    fn on_attempt(&self, attempt: Attempt) {
        let Series { requests, first, further, .. } = &*self.series;
        match attempt.cause {
            None => {
                requests.increment(1);
                first.increment(1);
            }
            Some(cause) => further.of(cause).increment(1),
        }
    }

    fn on_verdict(&self, _: Attempt, verdict: Verdict) {
        self.series.verdicts.of(verdict.outcome()).increment(1);
    }

    fn on_refused(&self, cause: Cause) {
        self.series.refusals.of(cause).increment(1);
    }

    fn on_answer(&self, answer: Answer) {
        let series = &*self.series;
        series.answers.of(answer.outcome).increment(1);
        if answer.hedges > 0 {
            let useless = answer.useless();
            series.useless.increment(u64::from(useless));
            series.won.increment(u64::from(answer.hedges - useless));
        }
        if answer.outcome == Outcome::Success {
            series.win(answer.attempt.alternate);
        }
        series.show_threshold();
    }
}

impl fmt::Debug for HedgeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeMetrics").field("name", &self.series.name).finish_non_exhaustive()
    }
}
