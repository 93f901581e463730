//! What is promised of the costs, and beside whom.

/// A promise about one candidate of a case.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// In a few words.
    pub promise: &'static str,
    /// Where it is measured.
    pub area: &'static str,
    /// Where it is measured.
    pub case: &'static str,
    /// The candidate.
    pub ours: &'static str,
    /// Beside whom.
    pub beside: Beside,
    /// At most this ratio, or nanoseconds; or at least this throughput.
    pub limit: f64,
    /// The figure is the throughput of two threads in that of one, and is to be no less than the limit.
    pub at_least: bool,
}

/// Beside whom something is measured.
#[derive(Clone, Copy, Debug)]
pub enum Beside {
    /// The best of these candidates of the same case.
    Peers(&'static [&'static str]),
    /// Nobody: the figure stands for itself.
    Nothing,
}

/// All of them.
pub const ALL: &[Target] = &[
    Target {
        promise: "ten delays with jitter: at most 0.3 of the best peer",
        area: "schedules",
        case: "ten delays, full jitter",
        ours: "`Exponential`",
        beside: Beside::Peers(&[
            "backon",
            "tokio-retry2",
            "tokio-retry",
            "backoff",
            "backoff, its clock stands",
            "tower, which makes the sleeps",
            "tower-resilience-retry",
        ]),
        limit: 0.3,
        at_least: false,
    },
    Target {
        promise: "a retry with a budget and a schedule, success at once: at most tower's",
        area: "retry",
        case: "layer, success at once",
        ours: "`RetryLayer`",
        beside: Beside::Peers(&["tower::retry"]),
        limit: 1.0,
        at_least: false,
    },
    Target {
        promise: "a breaker, closed: at most 0.7 of recloser",
        area: "breaker",
        case: "closed, all succeed",
        ours: "`Breaker`, the default rules",
        beside: Beside::Peers(&["recloser, `call`"]),
        limit: 0.7,
        at_least: false,
    },
    Target {
        promise: "a breaker's layer, closed: at most half of recloser's future in a service",
        area: "breaker",
        case: "a layer, closed, all succeed",
        ours: "`BreakerLayer`, the default rules",
        beside: Beside::Peers(&["recloser, its future in a service"]),
        limit: 0.5,
        at_least: false,
    },
    Target {
        promise: "a breaker's layer, closed: at most half of tower-resilience's",
        area: "breaker",
        case: "a layer, closed, all succeed",
        ours: "`BreakerLayer`, the default rules",
        beside: Beside::Peers(&["tower-resilience, count window", "tower-resilience, failures in a row"]),
        limit: 0.5,
        at_least: false,
    },
    Target {
        promise: "a rejection: at most that of recloser",
        area: "breaker",
        case: "a rejection",
        ours: "`Breaker`, open, with the clock",
        beside: Beside::Peers(&["recloser, `call`"]),
        limit: 1.0,
        at_least: false,
    },
    Target {
        promise: "two threads on one closed breaker: at least 1.6 of the throughput of one",
        area: "breaker",
        case: "two threads, all succeed",
        ours: "`Breaker`, the rules of both kinds",
        beside: Beside::Nothing,
        limit: 1.6,
        at_least: true,
    },
    Target {
        promise: "`TokenBudget`: at most 0.25 of `TpsBudget`",
        area: "budget",
        case: "a deposit and a withdrawal",
        ours: "`TokenBudget`, AWS: a request that succeeds, one that retries",
        beside: Beside::Peers(&["tower `TpsBudget`"]),
        limit: 0.25,
        at_least: false,
    },
    Target {
        promise: "`RatioBudget`: at most 0.6 of `TpsBudget`",
        area: "budget",
        case: "a deposit and a withdrawal",
        ours: "`RatioBudget`, with the clock: a request that retries",
        beside: Beside::Peers(&["tower `TpsBudget`"]),
        limit: 0.6,
        at_least: false,
    },
    Target {
        promise: "a refusal of a `RatioBudget`, with the clock: at most 0.6 of that of `TpsBudget`",
        area: "budget",
        case: "a refusal",
        ours: "`RatioBudget`, with the clock",
        beside: Beside::Peers(&["tower `TpsBudget`, with the clock"]),
        limit: 0.6,
        at_least: false,
    },
    Target {
        promise: "a refusal of a `TokenBudget`: at most 0.6 of that of `TpsBudget`",
        area: "budget",
        case: "a refusal",
        ours: "`TokenBudget`, AWS",
        beside: Beside::Peers(&["tower `TpsBudget`, with the clock"]),
        limit: 0.6,
        at_least: false,
    },
    Target {
        promise: "two threads on one `RatioBudget`: at least half of the throughput of one",
        area: "budget",
        case: "two threads, a deposit and a withdrawal",
        ours: "`RatioBudget`, with the clock: a request that retries",
        beside: Beside::Nothing,
        limit: 0.5,
        at_least: true,
    },
    Target {
        promise: "two threads on one `TokenBudget`, every second retries: at least half of the throughput of one",
        area: "budget",
        case: "two threads, a deposit and a withdrawal",
        ours: "`TokenBudget`: a request that succeeds, one that retries",
        beside: Beside::Nothing,
        limit: 0.5,
        at_least: true,
    },
    Target {
        promise: "two threads on one full `TokenBudget`: at least half of the throughput of one",
        area: "budget",
        case: "two threads, a success",
        ours: "`TokenBudget`, into a full bucket",
        beside: Beside::Nothing,
        limit: 0.5,
        at_least: true,
    },
    Target {
        promise: "two threads on one `InFlightBudget`: at least half of the throughput of one",
        area: "budget",
        case: "two threads, a deposit and a withdrawal",
        ours: "`InFlightBudget`: a request that retries",
        beside: Beside::Nothing,
        limit: 0.5,
        at_least: true,
    },
    Target {
        promise: "a hedge after a fixed delay, ready at once: at most 0.1 of tower's",
        area: "hedging",
        case: "layer, ready at once",
        ours: "`HedgeLayer`, a fixed delay",
        beside: Beside::Peers(&["tower::hedge"]),
        limit: 0.1,
        at_least: false,
    },
    Target {
        promise: "a hedge by a quantile, ready at once, which reads no clock: at most 0.35 of tower's",
        area: "hedging",
        case: "layer, ready at once",
        ours: "`HedgeLayer`, `Quantile`",
        beside: Beside::Peers(&["tower::hedge"]),
        limit: 0.35,
        at_least: false,
    },
    Target {
        promise: "four layers by reference, besides the clock: at most 60 ns",
        area: "stack",
        case: "throttle, retry, hedge and breaker, a success at once",
        ours: "four layers by reference, a `Quantile`, clocks stand",
        beside: Beside::Nothing,
        limit: 60.0,
        at_least: false,
    },
    Target {
        promise: "four layers by handle, besides the clock: at most 60 ns",
        area: "stack",
        case: "throttle, retry, hedge and breaker, a success at once",
        ours: "four layers, a `Quantile`, clocks stand",
        beside: Beside::Nothing,
        limit: 60.0,
        at_least: false,
    },
    Target {
        promise: "four layers by handle, with the clock: at most half of three of tower's and tower-resilience's",
        area: "stack",
        case: "throttle, retry, hedge and breaker, a success at once",
        ours: "four layers, a `Quantile`, with the clock",
        beside: Beside::Peers(&[
            "tower's retry, tower-resilience's hedge and breaker",
            "tower-resilience's retry, hedge and breaker",
        ]),
        limit: 0.5,
        at_least: false,
    },
    Target {
        promise: "three layers by handle: at most half of the same three of tower's and tower-resilience's",
        area: "stack",
        case: "retry, hedge and breaker, a success at once",
        ours: "three layers, a `Quantile`",
        beside: Beside::Peers(&[
            "tower's retry, `tower::hedge`, tower-resilience's breaker",
            "tower's retry, tower-resilience's hedge and breaker",
            "tower-resilience's retry, hedge and breaker",
        ]),
        limit: 0.5,
        at_least: false,
    },
];
