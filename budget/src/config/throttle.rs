//! Throttles from a configuration file.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::value::{Refused, Value, table};
use crate::{AdaptiveThrottle, Invalid, ThrottleBuilder};

/// A throttle as a configuration file has it: a recipe, checked while it is read. Unknown fields are refused.
///
/// | field | | default |
/// | --- | --- | --- |
/// | `k` | how many times what it accepts the service may be sent | of [`AdaptiveThrottle::builder`] |
/// | `window` | how long requests and accepts count, such as `"2m"` | of the builder |
/// | `max_rejection` | the largest probability of a rejection, up to 1 | of the builder |
///
/// ```
/// use evenkeel_budget::ThrottleConfig;
///
/// let config: ThrottleConfig = toml::from_str("k = 1.5\nwindow = \"30s\"")?;
/// let throttle = config.build();
/// # let _ = throttle;
///
/// let refused = toml::from_str::<ThrottleConfig>("k = nan").unwrap_err();
/// assert!(refused.message().starts_with("k is NaN: it must be"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ThrottleConfig {
    k: Option<f64>,
    window: Option<Duration>,
    max_rejection: Option<f64>,
}

impl ThrottleConfig {
    /// A new throttle: each call makes one of its own.
    #[must_use]
    pub fn build(&self) -> AdaptiveThrottle {
        // A config is made only by reading, which builds it once, and by `default`, which is the builder's own.
        self.try_build().expect("it was built when it was read")
    }

    /// The builder with these settings, for a clock or an observer besides.
    pub fn builder(&self) -> ThrottleBuilder {
        let mut builder = AdaptiveThrottle::builder();
        if let Some(k) = self.k {
            builder = builder.k(k);
        }
        if let Some(window) = self.window {
            builder = builder.window(window);
        }
        if let Some(max_rejection) = self.max_rejection {
            builder = builder.max_rejection(max_rejection);
        }
        builder
    }

    fn try_build(&self) -> Result<AdaptiveThrottle, Invalid> {
        self.builder().build()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThrottle {
    k: Option<Value>,
    window: Option<Value>,
    max_rejection: Option<Value>,
}

impl<'de> Deserialize<'de> for ThrottleConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::<RawThrottle, D>(deserializer)?.checked().map_err(de::Error::custom)
    }
}

impl RawThrottle {
    fn checked(&self) -> Result<ThrottleConfig, Refused> {
        let number = |field, value: &Option<Value>| value.as_ref().map(|value| value.number(field)).transpose();
        let config = ThrottleConfig {
            k: number("k", &self.k)?,
            window: self.window.as_ref().map(|window| window.duration("window")).transpose()?,
            max_rejection: number("max_rejection", &self.max_rejection)?,
        };
        config.try_build()?;
        Ok(config)
    }
}
