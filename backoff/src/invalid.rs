//! The refusal of a configuration: which field, which value, and what would have been right.

use core::{error, fmt, time::Duration};

/// A setting was refused: it names the field, the value that it had and the range that it must be in.
///
/// ```
/// use evenkeel_backoff::Exponential;
/// use std::time::Duration;
///
/// let refused = Exponential::builder(Duration::from_millis(100)).factor(0.5).build().unwrap_err();
/// assert_eq!(refused.field(), "factor");
/// assert_eq!(refused.to_string(), "factor is 0.5: it must be a number from 1 to 255");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Invalid {
    field: &'static str,
    value: Value,
    range: Range,
}

/// The value as it was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Time(Duration),
    #[cfg(feature = "serde")]
    Absent,
    #[cfg(feature = "serde")]
    Given,
    #[cfg(feature = "http")]
    Named(&'static str),
}

/// What the value must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Range {
    Text(&'static str),
    AtMost(&'static str, Duration),
}

impl Invalid {
    pub(crate) const fn number(field: &'static str, value: f64, range: &'static str) -> Self {
        Self { field, value: Value::Number(value), range: Range::Text(range) }
    }

    pub(crate) const fn above(field: &'static str, value: Duration, limit: &'static str, at_most: Duration) -> Self {
        Self { field, value: Value::Time(value), range: Range::AtMost(limit, at_most) }
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn absent(field: &'static str, range: &'static str) -> Self {
        Self { field, value: Value::Absent, range: Range::Text(range) }
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn given(field: &'static str, range: &'static str) -> Self {
        Self { field, value: Value::Given, range: Range::Text(range) }
    }

    /// A name that has `part` in it.
    #[cfg(feature = "http")]
    pub(crate) const fn named(field: &'static str, part: &'static str, range: &'static str) -> Self {
        Self { field, value: Value::Named(part), range: Range::Text(range) }
    }

    /// The name of the field that was refused.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        match self.value {
            Value::Number(value) => write!(f, " is {value}"),
            Value::Time(value) => write!(f, " is {value:?}"),
            #[cfg(feature = "serde")]
            Value::Absent => f.write_str(" is missing"),
            #[cfg(feature = "serde")]
            Value::Given => f.write_str(" is given"),
            #[cfg(feature = "http")]
            Value::Named(part) => write!(f, " has `{part}` in its name"),
        }?;
        match self.range {
            Range::Text(range) => write!(f, ": it must be {range}"),
            Range::AtMost(limit, value) => write!(f, ": it must be at most the {limit}, {value:?}"),
        }
    }
}

impl error::Error for Invalid {}
