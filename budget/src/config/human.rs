//! Durations as people write them, and the refusal of what makes no sense.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, de};

use crate::Invalid;

/// A text that is to be a duration. It is read where its field's name is known.
pub(super) struct Human(String);

/// Why a configuration was refused, by the field's name: not every format says where it stands.
pub(super) struct Refused(String);

impl Human {
    pub(super) fn read(&self, field: &str) -> Result<Duration, Refused> {
        let Self(text) = self;
        let refused =
            |error| format!("{field} is `{text}`: it must be a duration such as \"10s\" or \"1m 30s\" ({error})");
        humantime::parse_duration(text).map_err(|error| Refused(refused(error)))
    }
}

impl Refused {
    pub(super) fn given(field: &str, why: fmt::Arguments<'_>) -> Self {
        Self(format!("{field} is given: it must be left out: {why}"))
    }

    pub(super) fn missing(field: &str, why: &str) -> Self {
        Self(format!("{field} is missing: it must be given for {why}"))
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        Self(invalid.to_string())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Human {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Human;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"10s\" or \"1m 30s\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Human, E> {
        Ok(Human(text.to_owned()))
    }
}
