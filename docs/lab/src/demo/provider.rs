//! The two providers of the model API: the one that the incident happens to, and another that can be asked instead.

use std::{ops::Range, time::Duration};

use super::incident::{Incident, Phase, Weather};

/// Who is asked. Each has a server of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// The one that everybody calls, and that lives through the incident.
    Primary,
    /// Another one: three times as slow in fair weather, and well all the time.
    Secondary,
}

impl Provider {
    /// In the order in which they are to be asked.
    pub const ALL: [Self; 2] = [Self::Primary, Self::Secondary];

    /// What the report calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }

    /// Its place among [`ALL`](Self::ALL).
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Primary => 0,
            Self::Secondary => 1,
        }
    }

    /// What a request meets that is admitted at `elapsed`; none where all are answered 503.
    #[must_use]
    pub fn weather(self, incident: &Incident, elapsed: Duration) -> Option<Weather> {
        match self {
            Self::Primary => incident.weather(elapsed),
            Self::Secondary => Some(STEADY),
        }
    }

    /// When nobody listens, if that ever is so.
    #[must_use]
    pub fn refuses(self, incident: &Incident) -> Option<Range<Duration>> {
        match self {
            Self::Primary => Some(incident.span(Phase::Refused)),
            Self::Secondary => None,
        }
    }
}

/// Median 60 ms: 600 ms of a model API's life. One answer in two hundred is an error, for nobody is without.
const STEADY: Weather = Weather { median: Duration::from_millis(60), errors: 0.005, throttled: 0.0, hangs: 0.0 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_its_place() {
        assert_eq!(Provider::ALL.map(|provider| Provider::ALL[provider.place()]), Provider::ALL);
    }

    #[test]
    fn the_secondary_is_well_all_the_time_and_slower_than_the_primary_in_fair_weather() {
        let incident = Incident::new(Duration::from_secs(8));
        let fair = incident.weather(Duration::ZERO).map(|weather| weather.median * 3);
        for phase in Phase::ALL {
            let weather = Provider::Secondary.weather(&incident, incident.span(phase).start);
            assert_eq!(weather, Some(STEADY));
            assert_eq!(weather.map(|weather| weather.median), fair);
        }
        assert_eq!(Provider::Secondary.refuses(&incident), None);
    }
}
