//! The incident that every strategy lives through: its phases, and what the service is like in each.

use std::{ops::Range, time::Duration};

/// How much faster than life the demo is. A wait of 5 s in a script is 0.5 s here.
pub const COMPRESSION: u32 = 10;

/// A time of real life, in the demo's time.
#[must_use]
pub const fn compressed(real: Duration) -> Duration {
    // The nanoseconds that the division drops are of no interest; the divisor is not zero.
    match real.checked_div(COMPRESSION) {
        Some(duration) => duration,
        None => Duration::ZERO,
    }
}

/// What the service is going through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// All is well.
    Calm,
    /// Slow, and failing now and then.
    Surge,
    /// The first half of the outage: nobody listens, connections are refused.
    Refused,
    /// The second half: it listens, and answers 503 to everything.
    Unavailable,
    /// All is well again.
    Recovery,
}

impl Phase {
    /// In the order in which they come.
    pub const ALL: [Self; 5] = [Self::Calm, Self::Surge, Self::Refused, Self::Unavailable, Self::Recovery];

    /// What a chart calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Surge => "surge",
            Self::Refused => "refused",
            Self::Unavailable => "all 503",
            Self::Recovery => "recovery",
        }
    }

    /// Where it ends, in fortieths of the incident. The surge is the longest, for it is where strategies differ most
    /// in what they get. The outage (2 s by default) is shorter than a caller's patience (3 s): who waits long enough before
    /// the last try is answered after it, and late.
    const fn end(self) -> u32 {
        match self {
            Self::Calm => 6,
            Self::Surge => 21,
            Self::Refused => 26,
            Self::Unavailable => 31,
            Self::Recovery => 40,
        }
    }

    const fn begin(self) -> u32 {
        match self {
            Self::Calm => 0,
            Self::Surge => Self::Calm.end(),
            Self::Refused => Self::Surge.end(),
            Self::Unavailable => Self::Refused.end(),
            Self::Recovery => Self::Unavailable.end(),
        }
    }
}

/// What a request meets that is admitted at some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// The median time that the work takes.
    pub median: Duration,
    /// The share of answers that are a 500, 502, 503 or 504.
    pub errors: f64,
    /// The share of requests that are answered 429 at the door.
    pub throttled: f64,
    /// The share of attempts that are lost behind the door: nobody works on them, and no answer comes.
    pub hangs: f64,
}

/// The phases laid out over a length of time.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    length: Duration,
}

impl Incident {
    /// An incident that takes `length`, in the demo's time. Only the phases scale with it: latencies and waits do not.
    #[must_use]
    pub const fn new(length: Duration) -> Self {
        Self { length }
    }

    /// From the first request to the last.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
    }

    /// When `phase` is, as the time since the start.
    #[must_use]
    pub fn span(&self, phase: Phase) -> Range<Duration> {
        self.fortieths(phase.begin())..self.fortieths(phase.end())
    }

    /// When nothing is answered.
    #[must_use]
    pub fn outage(&self) -> Range<Duration> {
        self.span(Phase::Refused).start..self.span(Phase::Unavailable).end
    }

    /// The phase at `elapsed`; the recovery goes on for ever.
    #[must_use]
    pub fn phase(&self, elapsed: Duration) -> Phase {
        Phase::ALL.into_iter().find(|phase| elapsed < self.span(*phase).end).unwrap_or(Phase::Recovery)
    }

    /// What a request meets that is admitted at `elapsed`; none in the outage.
    #[must_use]
    pub fn weather(&self, elapsed: Duration) -> Option<Weather> {
        match self.phase(elapsed) {
            Phase::Calm | Phase::Recovery => Some(FAIR),
            Phase::Surge => {
                let Range { start, end } = self.span(Phase::Surge);
                let progress = (elapsed - start).as_secs_f64() / (end - start).as_secs_f64();
                let climbed = (progress / CLIMB).min(1.0);
                Some(Weather { median: FAIR.median + (FOUL.median - FAIR.median).mul_f64(climbed), ..FOUL })
            }
            Phase::Refused | Phase::Unavailable => None,
        }
    }

    fn fortieths(&self, n: u32) -> Duration {
        self.length.mul_f64(f64::from(n) / 40.0)
    }
}

/// Median 20 ms: 200 ms of a model API's life.
const FAIR: Weather = Weather { median: Duration::from_millis(20), errors: 0.0, throttled: 0.0, hangs: 0.0 };

/// What the surge climbs to.
const FOUL: Weather = Weather { median: Duration::from_millis(110), errors: 0.15, throttled: 0.05, hangs: 0.007 };

/// The share of the surge in which the latency climbs; after it, it stays.
const CLIMB: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::*;

    const INCIDENT: Incident = Incident::new(Duration::from_secs(8));

    #[test]
    fn the_phases_follow_each_other_without_a_gap() {
        for length in [1, 500, 8_000, 3_600_000].map(Duration::from_millis) {
            let incident = Incident::new(length);
            let mut end = Duration::ZERO;
            for phase in Phase::ALL {
                let span = incident.span(phase);
                assert_eq!(span.start, end);
                assert_eq!(incident.phase(span.start), phase);
                end = span.end;
            }
            assert_eq!(end, length);
        }
    }

    #[test]
    fn a_phase_ends_where_the_next_begins() {
        assert_eq!(INCIDENT.span(Phase::Refused), Duration::from_millis(4_200)..Duration::from_millis(5_200));
        assert_eq!(INCIDENT.phase(Duration::from_millis(5_199)), Phase::Refused);
        assert_eq!(INCIDENT.phase(Duration::from_millis(5_200)), Phase::Unavailable);
        assert_eq!(INCIDENT.outage(), Duration::from_millis(4_200)..Duration::from_millis(6_200));
    }

    #[test]
    fn the_recovery_has_no_end() {
        assert_eq!(INCIDENT.phase(Duration::MAX), Phase::Recovery);
        assert_eq!(INCIDENT.weather(Duration::MAX), Some(FAIR));
    }

    #[test]
    fn the_surge_climbs_and_stays() {
        let median = |ms| INCIDENT.weather(Duration::from_millis(ms)).map(|weather| weather.median);
        assert_eq!(median(1_200), Some(FAIR.median));
        assert!(median(1_300) > median(1_200));
        assert_eq!((median(2_000), median(4_199)), (Some(FOUL.median), Some(FOUL.median)));
        assert_eq!(median(4_200), None);
    }

    #[test]
    fn all_waits_are_compressed_alike() {
        assert_eq!(compressed(Duration::from_secs(5)), Duration::from_millis(500));
        assert_eq!(compressed(Duration::ZERO), Duration::ZERO);
    }
}
