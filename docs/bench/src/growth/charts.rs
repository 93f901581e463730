//! The charts: what each shows, along which axes, and how it is to be read.

/// One chart, and one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chart {
    /// What its points are told by.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// Of what the figures are, and what is to be seen.
    pub(super) caption: &'static str,
}

/// All of them, in the order of the report.
pub(super) const ALL: [Chart; 14] = [
    Chart {
        name: "count-window",
        title: "A call by the size of a count window",
        x_label: "window (results)",
        y_label: "time (ns)",
        caption: "Nanoseconds of a call by the size of a count window, in results; ours has at most 500",
    },
    Chart {
        name: "window-traffic",
        title: "A call by the results in a time window",
        x_label: "results in the window",
        y_label: "time (ns)",
        caption: "Nanoseconds of a call by the results in a time window of 10 s; ours has a clock that is moved by hand",
    },
    Chart {
        name: "window-span",
        title: "A call by the span of a time window",
        x_label: "span (s)",
        y_label: "time (ns)",
        caption: "Nanoseconds of a call by the span of a time window, in seconds, at 1,000 results a second",
    },
    Chart {
        name: "window-bytes",
        title: "A breaker's bytes by its window",
        x_label: "results in the window",
        y_label: "size (bytes)",
        caption: "Bytes of a breaker by the results in its window",
    },
    Chart {
        name: "map-call",
        title: "The breaker or budget of a key that is there",
        x_label: "keys",
        y_label: "time (ns)",
        caption: "Nanoseconds to get the handle of a key that is there and to drop it, by the number of keys; any of them in \
                  no order, if nothing else is said",
    },
    Chart {
        name: "map-new",
        title: "A new key in a map that is full",
        x_label: "keys",
        y_label: "time (ns)",
        caption: "Nanoseconds to get the handle of a new key of a full map, by the number of keys",
    },
    Chart {
        name: "map-pause",
        title: "The longest that one call holds up the others",
        x_label: "keys",
        y_label: "time (ns)",
        caption: "Nanoseconds of a new key when it has to do what many calls have put off (of a map of ours: all keys were asked \
                  for since), by the number of keys",
    },
    Chart {
        name: "map-bytes",
        title: "Bytes of a key",
        x_label: "keys",
        y_label: "size (bytes)",
        caption: "Bytes for each key that the map holds, with its breaker, budget or estimate, by the number of keys",
    },
    Chart {
        name: "quantile-samples",
        title: "A record by the samples in the window",
        x_label: "samples in the window",
        y_label: "time (ns)",
        caption: "Nanoseconds to record a latency and to ask for the threshold, by the samples in the window",
    },
    Chart {
        name: "quantile-latency",
        title: "A record by how long the latencies are",
        x_label: "middle latency (µs)",
        y_label: "time (ns)",
        caption: "The same by the latencies that are recorded, in microseconds",
    },
    Chart {
        name: "budget-traffic",
        title: "A request that retries by the traffic",
        x_label: "requests in the window",
        y_label: "time (ns)",
        caption: "Nanoseconds of a deposit and a withdrawal (of an admission, for the throttle), by the requests in a window of \
                  10 s; ours have a clock that is moved by hand",
    },
    Chart {
        name: "retry-attempts",
        title: "An attempt by the attempts that fail",
        x_label: "failed attempts",
        y_label: "time (ns)",
        caption: "Nanoseconds of each attempt of a request that succeeds after so many failures, with no wait between them",
    },
    Chart {
        name: "schedule-delays",
        title: "A delay by the delays of a schedule",
        x_label: "delays",
        y_label: "time (ns)",
        caption: "Nanoseconds of each delay of a schedule of so many; with jitter, from 50 ms up to 5 s",
    },
    Chart {
        name: "hedging",
        title: "An attempt by the attempts or alternates",
        x_label: "attempts or alternates",
        y_label: "time (ns)",
        caption: "Nanoseconds of a request for each of its attempts, or of its alternates, by their number",
    },
];
