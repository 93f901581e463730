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
    /// JSON's `null` in a list; elsewhere it is as if left out.
    Nothing,
    Flag(bool),
    Text(String),
    Whole(i128),
    Real(f64),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

/// Why a configuration was refused, by the field's name: not every format says where it stands.
pub(super) struct Refused(String);

impl Value {
    /// A text that is a duration.
    pub(super) fn duration(&self, field: &str) -> Result<Duration, Refused> {
        let must = "a duration such as \"250ms\" or \"1m 30s\"";
        let Self::Text(text) = self else { return Err(self.refused(field, must)) };
        humantime::parse_duration(text).map_err(|error| self.refused(field, format_args!("{must} ({error})")))
    }

    /// A duration of which zero would be the opposite of what it mostly means in a file, which is none.
    pub(super) fn positive(&self, field: &str, or: &str) -> Result<Duration, Refused> {
        match self.duration(field)? {
            Duration::ZERO => Err(Refused(format!("{field} is {:?}: it must be longer than zero{or}", Duration::ZERO))),
            duration => Ok(duration),
        }
    }

    /// Any number; its range is the builder's to check.
    pub(super) fn number(&self, field: &str, range: &str) -> Result<f64, Refused> {
        match self {
            // Shares are below 1: where an f64 is not exact they are out of range.
            Self::Whole(whole) => Ok(*whole as f64),
            Self::Real(real) => Ok(*real),
            Self::Nothing | Self::Flag(_) | Self::Text(_) | Self::List(_) | Self::Table(_) => {
                Err(self.refused(field, range))
            }
        }
    }

    /// A whole number that is neither negative nor zero.
    pub(super) fn count<T: TryFrom<u32>>(&self, field: &str) -> Result<T, Refused> {
        let whole = if let Self::Whole(whole) = self { u32::try_from(*whole).ok() } else { None };
        let count = whole.and_then(|whole| T::try_from(whole).ok());
        count.ok_or_else(|| self.refused(field, format_args!("a whole number from 1 to {}", u32::MAX)))
    }

    pub(super) fn flag(&self, field: &str) -> Result<bool, Refused> {
        if let Self::Flag(flag) = self { Ok(*flag) } else { Err(self.refused(field, "true or false")) }
    }

    /// One of those words.
    pub(super) fn one_of<T: Copy>(&self, field: &str, words: &[(&str, T)]) -> Result<T, Refused> {
        let text = if let Self::Text(text) = self { text } else { "" };
        let quoted = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, what)| *what);
        found.ok_or_else(|| self.refused(field, format_args!("one of {}", quoted())))
    }

    /// What a table has under these names; it is refused if it has any other, and `None` if it is no table. `place`: where it
    /// is, such as ` in delays`.
    pub(super) fn fields<const N: usize>(
        &self,
        place: &str,
        names: [&str; N],
    ) -> Option<Result<[Option<&Self>; N], Refused>> {
        let Self::Table(entries) = self else { return None };
        if let Some((unknown, _)) = entries.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            let known = names.map(|name| format!("`{name}`")).join(", ");
            return Some(Err(Refused(format!("unknown field `{unknown}`{place}, expected one of {known}"))));
        }
        let find = |name| entries.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        Some(Ok(names.map(find)))
    }

    pub(super) fn refused(&self, field: &str, must: impl fmt::Display) -> Refused {
        Refused(format!("{field} is {self}: it must be {must}"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Whole(whole) => whole.fmt(f),
            Self::Real(real) => real.fmt(f),
            Self::List(list) if list.is_empty() => f.write_str("an empty list"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
        }
    }
}

impl Refused {
    pub(super) fn given(field: &str, why: &str) -> Self {
        Self(format!("{field} is given: it must be left out: {why}"))
    }

    pub(super) fn missing(field: &str) -> Self {
        Self(format!("{field} is missing: it must be given"))
    }

    /// The refusal of a builder, whose names for its settings are not all those of the file.
    pub(super) fn of(invalid: &Invalid, field: &str) -> Self {
        let said = invalid.to_string();
        Self(format!("{field}{}", said.strip_prefix(invalid.field()).unwrap_or(&said)))
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

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
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

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        // A field that is there and empty (JSON's `null`) is as if left out.
        while let Some((name, value)) = map.next_entry::<String, Option<Value>>()? {
            if names.contains(&name) {
                return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
            }
            names.push(name.clone());
            entries.extend(value.map(|value| (name, value)));
        }
        Ok(Value::Table(entries))
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
