//! What a map is like at one moment.

/// What a [`BreakerMap`](crate::BreakerMap) holds at one moment, and what it has come to: for gauges and counters that a scrape
/// reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapSnapshot {
    /// Keys that have a breaker, idle ones that are still there among them.
    pub keys: usize,
    /// The most keys that it keeps.
    pub capacity: usize,
    /// Keys that reject: open, half-open or forced open, and not in a dry run.
    pub rejecting: usize,
    /// Keys that may; those that are forced open may be more.
    pub most_rejecting: usize,
    /// Keys dropped because they were idle or to make room, since it was built. Those that were removed by name are not counted.
    pub evicted: u64,
    /// Those of them that were not idle, or not closed. Above zero the capacity is too small, or somebody invents keys.
    pub crowded_out: u64,
    /// How often a breaker would have opened by its rules and was held closed, since it was built; each result for which this
    /// is so counts.
    pub held_closed: u64,
}
