//! Durations as people write them.

use std::{fmt, format, time::Duration};

use serde::{Deserialize, Deserializer, de};

/// A duration as people write it.
#[derive(Clone, Copy)]
pub(super) struct Human(pub(super) Duration);

impl<'de> Deserialize<'de> for Human {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HumanVisitor)
    }
}

struct HumanVisitor;

impl de::Visitor<'_> for HumanVisitor {
    type Value = Human;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"250ms\" or \"1m 30s\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Human, E> {
        humantime::parse_duration(text)
            .map(Human)
            .map_err(|error| E::custom(format!("`{text}` is no duration such as \"250ms\": {error}")))
    }
}
