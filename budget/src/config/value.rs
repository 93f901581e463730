//! What stands in a configuration, read where its field's name is known, and the refusal of what makes no sense.

use std::{fmt, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};

use crate::Invalid;

/// A value of a field, whatever it is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i128),
    Real(f64),
}

/// Why a configuration was refused, by the field's name: not every format says where it stands.
pub(super) struct Refused(String);

impl Value {
    /// A text that is a duration.
    pub(super) fn duration(&self, field: &str) -> Result<Duration, Refused> {
        let must = "a duration such as \"10s\" or \"1m 30s\"";
        let Self::Text(text) = self else { return Err(self.refused(field, must)) };
        humantime::parse_duration(text).map_err(|error| self.refused(field, format_args!("{must} ({error})")))
    }

    /// Any number; its range is the budget's to check.
    pub(super) fn number(&self, field: &str) -> Result<f64, Refused> {
        match self {
            // A budget's numbers are small: where an f64 is not exact they are out of range.
            Self::Whole(whole) => Ok(*whole as f64),
            Self::Real(real) => Ok(*real),
            Self::Text(_) => Err(self.refused(field, "a number")),
        }
    }

    /// A whole number that `T` can be.
    pub(super) fn whole<T: TryFrom<i128>>(&self, field: &str, most: u64) -> Result<T, Refused> {
        let whole = if let Self::Whole(whole) = self { T::try_from(*whole).ok() } else { None };
        whole.ok_or_else(|| self.refused(field, format_args!("a whole number from 0 to {most}")))
    }

    /// One of those words; a whole number that looks like one is one.
    pub(super) fn one_of<T: Copy>(&self, field: &str, words: &[(&str, T)]) -> Result<T, Refused> {
        let written = self.to_string();
        let found = words.iter().find(|(word, _)| *word == written.trim_matches('`'));
        let quoted = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        found.map(|(_, what)| *what).ok_or_else(|| self.refused(field, format_args!("one of {}", quoted())))
    }

    fn refused(&self, field: &str, must: impl fmt::Display) -> Refused {
        Refused(format!("{field} is {self}: it must be {must}"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Whole(whole) => whole.fmt(f),
            Self::Real(real) => real.fmt(f),
        }
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

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl de::Visitor<'_> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Value, E> {
        Ok(Value::Whole(whole.into()))
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Value, E> {
        Ok(Value::Whole(whole.into()))
    }

    fn visit_f64<E: de::Error>(self, real: f64) -> Result<Value, E> {
        Ok(Value::Real(real))
    }
}

/// Reads a table, and nothing that has no names: a list would be taken by position otherwise.
pub(super) fn table<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(TableVisitor(PhantomData))
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for TableVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}
