//! What the file says of the service, and of the others that try again on the way to it.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Facts about the service, as far as they are known; the rest has defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How long half of its answers take at most, 1 ms to 1 min: 200 ms when left out.
    #[serde(default, deserialize_with = "latency")]
    pub latency: Option<Duration>,
    /// Requests a second that it can answer, above 0 and at most 1,000,000,000: a quarter more than it is asked for when left
    /// out.
    #[serde(default, deserialize_with = "capacity")]
    pub capacity_rps: Option<f64>,
    /// How long one can stand in line before it, 0 s to 10 min. When left out twice as long as the clients wait for an answer,
    /// and at least 2 s: long enough that all give up who stand at its end.
    #[serde(default, deserialize_with = "queue")]
    pub queue: Option<Duration>,
    /// The time limit of the client itself, inside of the breaker, 1 ms to 1 h: none when left out.
    #[serde(default, deserialize_with = "timeout")]
    pub timeout: Option<Duration>,
}

/// Somebody else who tries again, around our client or inside of it: a gateway, a mesh, a library.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it is called; not empty.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// How often it sends one request at most, the first time included, 1 to 100.
    #[serde(deserialize_with = "attempts")]
    pub attempts: u32,
}

impl Service {
    /// When [`latency`](Self::latency) is left out.
    pub const DEFAULT_LATENCY: Duration = Duration::from_millis(200);
    /// When [`queue`](Self::queue) is left out, at least.
    pub const SHORTEST_QUEUE: Duration = Duration::from_secs(2);
    /// What is asked of it, as a share of what it can do, when [`capacity_rps`](Self::capacity_rps) is left out.
    pub const DEFAULT_LOAD: f64 = 0.8;

    /// How long half of its answers take at most.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.latency.unwrap_or(Self::DEFAULT_LATENCY)
    }

    /// How long ninety-nine of a hundred of its answers take at most, by the [lognormal times](crate::fleet::Service::work) that
    /// it has here: 3.2 times as long as half of them.
    #[must_use]
    pub fn slow(&self) -> Duration {
        self.latency().mul_f64((NINETY_NINE * 0.5).exp())
    }
}

/// So many standard deviations above the mean is the slowest of a hundred.
const NINETY_NINE: f64 = 2.326;

fn latency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    within(deserializer, (Duration::from_millis(1), Duration::from_secs(60)), "from 1ms to 1m")
}

fn queue<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    within(deserializer, (Duration::ZERO, Duration::from_secs(600)), "from 0s to 10m")
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    within(deserializer, (Duration::from_millis(1), Duration::from_secs(3600)), "from 1ms to 1h")
}

fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    (least, most): (Duration, Duration),
    range: &str,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match humantime::parse_duration(&text) {
        Ok(duration) if (least..=most).contains(&duration) => Ok(Some(duration)),
        Ok(_) => Err(de::Error::custom(format_args!("it is `{text}`: it must be {range}"))),
        Err(error) => Err(de::Error::custom(format_args!(
            "it is `{text}`: it must be a duration such as \"200ms\" or \"1m 30s\" ({error})"
        ))),
    }
}

fn capacity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let capacity = f64::deserialize(deserializer)?;
    if capacity > 0.0 && capacity <= 1e9 {
        return Ok(Some(capacity));
    }
    Err(de::Error::custom(format_args!("it is {capacity}: it must be above 0 and at most 1000000000")))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.trim().is_empty() { Err(de::Error::custom("it must not be empty")) } else { Ok(name) }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let attempts = i64::deserialize(deserializer)?;
    match u32::try_from(attempts) {
        Ok(few @ 1..=100) => Ok(few),
        Ok(_) | Err(_) => {
            Err(de::Error::custom(format_args!("it is {attempts}: it must be a whole number from 1 to 100")))
        }
    }
}
