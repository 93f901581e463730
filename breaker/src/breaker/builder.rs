//! What a breaker is made of, checked before there is one.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{
    Abandoned, Breaker,
    core::Core,
    hot::Hot,
    shared::{Config, Shared},
};
use crate::{
    BreakerObserver, Invalid, OpenTimes,
    machine::{Machine, Settings},
    member::Member,
    open_times::{Schedule, Series, nanos},
    rules::{Rules, Slow, Window},
    sync::{Arc, Lock},
};

/// Makes a [`Breaker`]; each setting has a default.
///
/// **Rules.** [`consecutive_failures`](Self::consecutive_failures), [`failure_rate`](Self::failure_rate) and
/// [`slow_calls`](Self::slow_calls) are the rules, and any of those that are set opens. If none is set, the first two are, with
/// their defaults.
///
/// ```
/// use evenkeel_breaker::Breaker;
/// use std::time::Duration;
///
/// let breaker = Breaker::builder()
///     .failure_rate(0.3)
///     .slow_calls(Duration::from_secs(5), 0.8)
///     .time_window(Duration::from_secs(10))
///     .minimum_calls(10)
///     .open_for([1, 2, 5, 10].map(Duration::from_secs))
///     .build()?;
/// # let _ = breaker;
///
/// let refused = Breaker::builder().failure_rate(30.0).build().unwrap_err();
/// assert_eq!(refused.to_string(), "failure_rate is 30: it must be a number above 0 and at most 1");
/// # Ok::<(), evenkeel_breaker::Invalid>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder makes nothing until `build` is called"]
pub struct BreakerBuilder<C = fn() -> Instant, O = ()> {
    settings: Chosen,
    clock: C,
    observer: O,
}

/// All but the clock and the observer.
#[derive(Clone)]
struct Chosen {
    consecutive_failures: Option<u32>,
    failure_rate: Option<f64>,
    slow_calls: Option<(Duration, f64)>,
    window: Option<Window>,
    minimum_calls: Option<u32>,
    open_for: Option<Schedule>,
    max_hint: Duration,
    half_open_permits: u32,
    half_open_successes: u32,
    half_open_calls: Option<u32>,
    probe_timeout: Option<Duration>,
    ramp: Duration,
    abandoned: Abandoned,
    dry_run: bool,
}

impl BreakerBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Chosen {
                consecutive_failures: None,
                failure_rate: None,
                slow_calls: None,
                window: None,
                minimum_calls: None,
                open_for: None,
                max_hint: Breaker::DEFAULT_MAX_HINT,
                half_open_permits: Breaker::DEFAULT_HALF_OPEN_PERMITS,
                half_open_successes: Breaker::DEFAULT_HALF_OPEN_SUCCESSES,
                half_open_calls: None,
                probe_timeout: None,
                ramp: Duration::ZERO,
                abandoned: Abandoned::Ignored,
                dry_run: false,
            },
            // The default value of a clock parameter.
            #[allow(clippy::disallowed_methods)]
            clock: Instant::now,
            observer: (),
        }
    }
}

impl<C, O> BreakerBuilder<C, O> {
    /// Opens after so many failures in a row, from 1 to 1000. It needs no clock and no window, and works for a client of few
    /// calls; a single success among the failures begins the count anew.
    pub fn consecutive_failures(mut self, consecutive_failures: u32) -> Self {
        self.settings.consecutive_failures = Some(consecutive_failures);
        self
    }

    /// Opens when this share of the results in the window are failures, above 0 and at most 1.
    pub fn failure_rate(mut self, failure_rate: f64) -> Self {
        self.settings.failure_rate = Some(failure_rate);
        self
    }

    /// A call that takes at least `threshold` is slow, whatever it comes to; opens when this share of the results in the window
    /// are slow, above 0 and at most 1. A slow probe is a failure. The clock is read when a call begins and when it ends.
    pub fn slow_calls(mut self, threshold: Duration, rate: f64) -> Self {
        self.settings.slow_calls = Some((threshold, rate));
        self
    }

    /// The window is the last so many results, from 1 to 500: 100 when left out. It needs no clock, and what it takes to open
    /// does not depend on the traffic. It means something only to a rule about a share.
    pub fn count_window(mut self, results: u32) -> Self {
        self.settings.window = Some(Window::Count(results));
        self
    }

    /// The window is the results of the last `span`, to a tenth of it, from 1 ms to a day. Old results are forgotten also
    /// when there are no new ones; a busy client opens sooner than a quiet one. It means something only to a rule about a share.
    ///
    /// Its time does not go back: after a time far ahead of all others, by a clock that leapt or in an `_at`, nothing is
    /// forgotten until the others have caught up.
    pub fn time_window(mut self, span: Duration) -> Self {
        self.settings.window = Some(Window::Time(span));
        self
    }

    /// No share is judged before there are so many results in the window, at least 1 and no more than a count window has room
    /// for, or 1,000,000. 20 when left out, or what fits a smaller count window.
    pub fn minimum_calls(mut self, minimum_calls: u32) -> Self {
        self.settings.minimum_calls = Some(minimum_calls);
        self
    }

    /// How long it stays open: the first time, after a probe has failed, after that, and so on; when the schedule ends, its
    /// last time again. [`OpenTimes::default`] when left out. A breaker that closes and stays closed for as long as it was
    /// open before begins with the first again; one that opens sooner goes on where it was.
    ///
    /// Any schedule will do: an array, an iterator that can be cloned, those of `evenkeel-backoff`.
    ///
    /// The schedule is asked, and a session of it dropped, while the breaker's lock is held, so neither must use the breaker.
    pub fn open_for<S>(mut self, schedule: S) -> Self
    where
        S: IntoIterator<Item = Duration> + Clone + Send + Sync + 'static,
        S::IntoIter: Send + 'static,
    {
        self.settings.open_for = Some(Schedule::new(schedule));
        self
    }

    /// A hint of the service ([`Verdict::not_before`](crate::Verdict::not_before)) keeps the breaker open for no longer than
    /// this. An hour when left out.
    pub fn max_hint(mut self, max_hint: Duration) -> Self {
        self.settings.max_hint = max_hint;
        self
    }

    /// So many probes at the same time, from 1 to 1000. 1 when left out.
    pub fn half_open_permits(mut self, permits: u32) -> Self {
        self.settings.half_open_permits = permits;
        self
    }

    /// So many probes must succeed for it to close, from 1 to 1000. 1 when left out.
    pub fn half_open_successes(mut self, successes: u32) -> Self {
        self.settings.half_open_successes = successes;
        self
    }

    /// The successes may be of so many probes, from as many as must succeed to 1000: it opens again when they can no longer be
    /// reached. When left out, as many as must succeed: the first failure opens.
    pub fn half_open_calls(mut self, calls: u32) -> Self {
        self.settings.half_open_calls = Some(calls);
        self
    }

    /// A probe that is out for so long has failed, and its slot is free; longer than zero. When left out, it is as long as the
    /// breaker was open before.
    ///
    /// Choose it longer than a call of a healthy service takes: of one that is slower no probe could succeed. Open times that
    /// grow come to that by themselves.
    pub fn probe_timeout(mut self, probe_timeout: Duration) -> Self {
        self.settings.probe_timeout = Some(probe_timeout);
        self
    }

    /// After closing it admits a share of the calls that grows from a tenth to all over so long, evenly spread, so that what
    /// has just come back is not overrun. None when left out. The clock is read for each call meanwhile.
    pub fn ramp(mut self, ramp: Duration) -> Self {
        self.settings.ramp = ramp;
        self
    }

    /// What it means when nobody says how a call ended. [`Abandoned::Ignored`] when left out.
    pub fn abandoned(mut self, abandoned: Abandoned) -> Self {
        self.settings.abandoned = abandoned;
        self
    }

    /// A dry run: it goes through its states and tells its observer what it would reject, and admits everything. What it
    /// would have rejected does not count.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.settings.dry_run = dry_run;
        self
    }

    /// The time is what `clock` says. [`Instant::now`] when left out; under tokio's paused clock
    /// `|| tokio::time::Instant::now().into_std()`.
    pub fn clock<D: Fn() -> Instant>(self, clock: D) -> BreakerBuilder<D, O> {
        BreakerBuilder { settings: self.settings, clock, observer: self.observer }
    }

    /// Tells `observer` what it does.
    pub fn observe<P: BreakerObserver>(self, observer: P) -> BreakerBuilder<C, P> {
        BreakerBuilder { settings: self.settings, clock: self.clock, observer }
    }

    /// What all keys of a map are made by, once it is checked.
    pub(crate) fn into_parts(self) -> Result<(Plan, C, O), Invalid> {
        Ok((self.settings.checked()?, self.clock, self.observer))
    }
}

impl<C: Fn() -> Instant, O: BreakerObserver> BreakerBuilder<C, O> {
    /// The breaker, closed; its time begins now.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when a setting is out of its range, a minimum larger than the window, or the schedule empty.
    pub fn build(self) -> Result<Breaker<C, O>, Invalid> {
        let (plan, clock, observer) = self.into_parts()?;
        Ok(plan.breaker(clock(), clock, observer, None))
    }
}

/// Settings that were checked: it makes breakers, and cannot fail.
#[derive(Clone)]
pub(crate) struct Plan {
    config: Config,
    settings: Settings,
    schedule: Schedule,
}

impl Plan {
    /// A breaker, closed; its time begins at `epoch`.
    pub(crate) fn breaker<C, O>(&self, epoch: Instant, clock: C, observer: O, member: Option<Member>) -> Breaker<C, O>
    where
        C: Fn() -> Instant,
        O: BreakerObserver,
    {
        let times_calls = self.config.times_calls || observer.wants_durations();
        let config = Config { times_calls, ..self.config };
        let machine = Machine::new(self.settings, Series::new(self.schedule.clone()));
        let core = Lock::new(Core::new(machine, config.rules.history(), member));
        let hot = Hot::new(&config.rules);
        Breaker { shared: Arc::new(Shared { core, observer, clock, epoch, config, hot }) }
    }

    pub(crate) const fn is_dry_run(&self) -> bool {
        self.config.dry_run
    }
}

impl Chosen {
    fn checked(self) -> Result<Plan, Invalid> {
        let rules = self.rules()?;
        let whole = |field, value: u32, least: u32| {
            if (least..=Breaker::MOST).contains(&value) {
                Ok(value)
            } else {
                Err(Invalid::whole(field, value, "a whole number from 1 to 1000"))
            }
        };
        let permits = whole("half_open_permits", self.half_open_permits, 1)?;
        let successes = whole("half_open_successes", self.half_open_successes, 1)?;
        let calls = self.half_open_calls.unwrap_or(successes);
        if !(successes..=Breaker::MOST).contains(&calls) {
            return Err(Invalid::whole("half_open_calls", calls, "a whole number from half_open_successes to 1000"));
        }
        if self.probe_timeout == Some(Duration::ZERO) {
            return Err(Invalid::time("probe_timeout", Duration::ZERO, "longer than zero"));
        }
        let settings = Settings {
            permits,
            successes,
            calls,
            probe_timeout: self.probe_timeout.map(nanos),
            ramp: nanos(self.ramp),
            max_hint: nanos(self.max_hint),
        };
        let lasts = matches!(self.abandoned, Abandoned::FailureAfter(_));
        let times_calls = rules.slow.is_some() || lasts;
        let config =
            Config { rules, abandoned: self.abandoned, ramp: settings.ramp, dry_run: self.dry_run, times_calls };
        let schedule = self.open_for.unwrap_or_else(|| Schedule::new(OpenTimes::default()));
        if schedule.is_empty() {
            return Err(Invalid::empty("open_for", "a schedule of at least one open time"));
        }
        Ok(Plan { config, settings, schedule })
    }

    fn rules(&self) -> Result<Rules, Invalid> {
        let (mut consecutive, mut failure_rate) = (self.consecutive_failures, self.failure_rate);
        if consecutive.is_none() && failure_rate.is_none() && self.slow_calls.is_none() {
            consecutive = Some(Breaker::DEFAULT_CONSECUTIVE_FAILURES);
            failure_rate = Some(Breaker::DEFAULT_FAILURE_RATE);
        }
        let few = "a whole number from 1 to 1000";
        if let Some(run) = consecutive.filter(|run| !(1..=Breaker::MOST).contains(run)) {
            return Err(Invalid::whole("consecutive_failures", run, few));
        }
        for (field, rate) in [("failure_rate", failure_rate), ("slow_calls", self.slow_calls.map(|(_, rate)| rate))] {
            // NaN is not in any range.
            if let Some(rate) = rate.filter(|rate| !(*rate > 0.0 && *rate <= 1.0)) {
                return Err(Invalid::number(field, rate, "a number above 0 and at most 1"));
            }
        }
        if let Some((Duration::ZERO, _)) = self.slow_calls {
            return Err(Invalid::time("slow_calls", Duration::ZERO, "longer than zero"));
        }
        let window = self.window.unwrap_or(Window::Count(Breaker::DEFAULT_COUNT_WINDOW));
        let room = match window {
            Window::Count(results) if !(1..=Breaker::MOST_IN_COUNT_WINDOW).contains(&results) => {
                return Err(Invalid::whole("count_window", results, "a whole number from 1 to 500"));
            }
            Window::Count(results) => results,
            Window::Time(span) if !(Duration::from_millis(1)..=Duration::from_secs(86_400)).contains(&span) => {
                return Err(Invalid::time("time_window", span, "from 1 ms to a day"));
            }
            Window::Time(_) => 1_000_000,
        };
        let minimum = self.minimum_calls.unwrap_or(Breaker::DEFAULT_MINIMUM_CALLS.min(room));
        if !(1..=room).contains(&minimum) {
            return Err(Invalid::whole(
                "minimum_calls",
                minimum,
                "a whole number from 1 to what the window has room for",
            ));
        }
        let slow = self.slow_calls.map(|(threshold, rate)| Slow { threshold: nanos(threshold), rate });
        Ok(Rules { consecutive, failure_rate, slow, minimum, window })
    }
}

impl<C, O> fmt::Debug for BreakerBuilder<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerBuilder").finish_non_exhaustive()
    }
}
