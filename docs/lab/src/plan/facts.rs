//! What the tables of a file say, for the arithmetic of bounds: the crates' own types have read and checked them before, and
//! keep it to themselves.

use std::time::Duration;

use evenkeel_breaker::{Breaker, OpenTimes};
use evenkeel_budget::{Costs, InFlightBudget, RatioBudget, TokenBudget};
use evenkeel_hedging::DEFAULT_MAX_ATTEMPTS;
use toml::{Table, Value};

/// What a budget grants by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Budget {
    Ratio { ratio: f64, min_per_second: f64, ttl: Duration },
    Aws { capacity: u32, costs: Costs },
    Grpc { max_tokens: f64, token_ratio: f64 },
    InFlight { share: f64, min_concurrency: u32 },
    Unlimited,
}

/// How a schedule's delays are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spread {
    None,
    Full,
    Equal,
    Around(f64),
    /// From the first delay to three times the one before, each time.
    Decorrelated,
}

/// A schedule, beside the type itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    pub(super) spread: Spread,
    pub(super) first: Duration,
    pub(super) floor: Duration,
    pub(super) cap: Duration,
    pub(super) within: Duration,
    pub(super) seeded: bool,
}

/// How long a breaker stays open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OpenFor {
    List(Vec<Duration>),
    Doubling { first: Duration, cap: Duration },
}

/// A breaker, beside the type itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guard {
    pub(super) open_for: OpenFor,
    pub(super) judges_shares: bool,
    pub(super) minimum_calls: u32,
    pub(super) time_window: Option<Duration>,
    pub(super) slow_threshold: Option<Duration>,
    pub(super) probe_timeout: Option<Duration>,
    /// A call that was dropped after so long has failed; none when it counts for nothing.
    pub(super) dropped_fails_after: Option<Duration>,
    pub(super) dry_run: bool,
}

/// When a hedge is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Late {
    After(Duration),
    Quantile(f64),
    OnFailure,
}

/// A hedge, beside the type itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hedging {
    /// The first included.
    pub(super) attempts: u32,
    pub(super) late: Late,
    /// Whether an attempt that follows a failure is paid for.
    pub(super) failures_pay: bool,
}

impl Budget {
    /// Of a table that was read as a `BudgetConfig`.
    pub(super) fn of(table: &Table) -> Self {
        let real = |field: &str, default: f64| real(table, field).unwrap_or(default);
        match text(table, "kind") {
            Some("ratio") => Self::Ratio {
                ratio: real("ratio", RatioBudget::DEFAULT_RATIO),
                min_per_second: real("min_per_second", RatioBudget::DEFAULT_MIN_PER_SECOND.into()),
                ttl: time(table, "ttl").unwrap_or(RatioBudget::DEFAULT_TTL),
            },
            Some("grpc") => Self::Grpc { max_tokens: real("max_tokens", 0.0), token_ratio: real("token_ratio", 0.0) },
            Some("in_flight") => Self::InFlight {
                share: real("share", InFlightBudget::DEFAULT_SHARE),
                min_concurrency: whole(table, "min_concurrency").unwrap_or(InFlightBudget::DEFAULT_MIN_CONCURRENCY),
            },
            Some("unlimited") => Self::Unlimited,
            // `aws`: there are no others.
            Some(_) | None => Self::Aws {
                capacity: whole(table, "capacity").unwrap_or(TokenBudget::DEFAULT_CAPACITY),
                costs: costs(table),
            },
        }
    }
}

impl Schedule {
    /// Of a table that was read as an `AnySchedule`.
    pub(super) fn of(table: &Table) -> Self {
        let around = |jitter: &Value| jitter.as_table().and_then(|spread| real(spread, "around"));
        let spread = match (text(table, "kind"), text(table, "jitter"), table.get("jitter").and_then(around)) {
            (Some("decorrelated"), ..) => Spread::Decorrelated,
            (_, Some("none"), _) => Spread::None,
            (_, Some("equal"), _) => Spread::Equal,
            (.., Some(share)) => Spread::Around(share),
            (..) => Spread::Full,
        };
        Self {
            spread,
            first: time(table, "first").unwrap_or_default(),
            floor: time(table, "floor").unwrap_or_default(),
            cap: time(table, "cap").unwrap_or(Duration::MAX),
            within: time(table, "within").unwrap_or(Duration::MAX),
            seeded: table.contains_key("seed"),
        }
    }
}

impl Guard {
    /// Of a table that was read as a `BreakerConfig`.
    pub(super) fn of(table: &Table) -> Self {
        let slow = table.get("slow_calls").and_then(Value::as_table);
        let rules = ["consecutive_failures", "failure_rate", "slow_calls"].map(|rule| table.contains_key(rule));
        let [_, failure_rate, slow_calls] = rules;
        // The same as the builder's: what fits a smaller window.
        let window = whole(table, "count_window").unwrap_or(Breaker::DEFAULT_COUNT_WINDOW);
        let time_window = time(table, "time_window");
        let fits = if time_window.is_some() { u32::MAX } else { window };
        Self {
            open_for: OpenFor::of(table),
            judges_shares: failure_rate || slow_calls || rules == [false; 3],
            minimum_calls: whole(table, "minimum_calls").unwrap_or(Breaker::DEFAULT_MINIMUM_CALLS.min(fits)),
            time_window,
            slow_threshold: slow.and_then(|slow| time(slow, "threshold")),
            probe_timeout: time(table, "probe_timeout"),
            dropped_fails_after: match table.get("abandoned") {
                Some(Value::String(what)) if what == "failure" => Some(Duration::ZERO),
                Some(Value::Table(after)) => time(after, "failure_after"),
                Some(_) | None => None,
            },
            dry_run: table.get("dry_run").and_then(Value::as_bool).unwrap_or(false),
        }
    }
}

impl OpenFor {
    fn of(table: &Table) -> Self {
        let open_for = table.get("open_for");
        if let Some(list) = open_for.and_then(Value::as_array) {
            return Self::List(list.iter().filter_map(duration).collect());
        }
        let fields = open_for.and_then(Value::as_table);
        let field = |name| fields.and_then(|fields| time(fields, name));
        let first = field("first").unwrap_or(Breaker::DEFAULT_FIRST_OPEN);
        Self::Doubling { first, cap: field("cap").unwrap_or(Breaker::DEFAULT_LONGEST_OPEN.max(first)) }
    }

    /// Each open time, as the shortest and the longest that it can be. It does not end.
    pub(super) fn ranges(&self) -> Box<dyn Iterator<Item = (Duration, Duration)> + '_> {
        match self {
            Self::List(list) => {
                let last = list.last().copied().unwrap_or_default();
                Box::new(list.iter().copied().chain(std::iter::repeat(last)).map(|time| (time, time)))
            }
            Self::Doubling { first, cap } => {
                let longest = std::iter::successors(Some(*first), |time| Some(time.saturating_mul(2)));
                Box::new(longest.map(|time| time.min(*cap)).map(|time| (time / 2, time)))
            }
        }
    }

    /// The times of a schedule that replays.
    pub(super) fn seeded(&self, seed: u64) -> Result<OpenTimes, Vec<Duration>> {
        match self {
            Self::List(list) => Err(list.clone()),
            Self::Doubling { first, cap } => Ok(OpenTimes::new(*first, *cap).seed(seed)),
        }
    }
}

impl Hedging {
    /// Of a table that was read as a `HedgeConfig`.
    pub(super) fn of(table: &Table) -> Self {
        let delays = table.get("delays");
        let (late, most) = match delays {
            Some(Value::Array(list)) => {
                let shortest = list.iter().filter_map(duration).min().unwrap_or_default();
                (Late::After(shortest), u32::try_from(list.len()).unwrap_or(u32::MAX).saturating_add(1))
            }
            Some(Value::Table(quantile)) => {
                (Late::Quantile(real(quantile, "quantile").unwrap_or(1.0)), DEFAULT_MAX_ATTEMPTS.get())
            }
            Some(Value::String(text)) if text == "on_failure" => (Late::OnFailure, DEFAULT_MAX_ATTEMPTS.get()),
            // `at_once` is no duration, and is none.
            Some(value) => (Late::After(duration(value).unwrap_or_default()), DEFAULT_MAX_ATTEMPTS.get()),
            None => (Late::OnFailure, 1),
        };
        let elsewhere = table.get("elsewhere").and_then(Value::as_bool).unwrap_or(false);
        let failures_pay = table.get("charge_failures").and_then(Value::as_bool).unwrap_or(!elsewhere);
        Self { attempts: whole(table, "max_attempts").unwrap_or(most), late, failures_pay }
    }
}

fn costs(table: &Table) -> Costs {
    if let Some(own) = table.get("costs").and_then(Value::as_table) {
        let [transient, throttled, timeout, hedge] =
            ["transient", "throttled", "timeout", "hedge"].map(|field| whole(own, field).unwrap_or_default());
        return Costs { transient, throttled, timeout, hedge };
    }
    if text(table, "revision") == Some("earlier") { Costs::EARLIER } else { Costs::REVISION_2026 }
}

/// A table within a table; an empty one where there is none.
pub(super) fn table(parent: &Table, field: &str) -> Option<Table> {
    parent.get(field).and_then(Value::as_table).cloned()
}

fn text<'a>(table: &'a Table, field: &str) -> Option<&'a str> {
    table.get(field).and_then(Value::as_str)
}

fn real(table: &Table, field: &str) -> Option<f64> {
    let value = table.get(field)?;
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

fn whole(table: &Table, field: &str) -> Option<u32> {
    table.get(field)?.as_integer().and_then(|whole| u32::try_from(whole).ok())
}

/// A duration where there is one.
pub(super) fn time(table: &Table, field: &str) -> Option<Duration> {
    duration(table.get(field)?)
}

fn duration(value: &Value) -> Option<Duration> {
    value.as_str().and_then(|text| humantime::parse_duration(text).ok())
}
