//! The refusal of a configuration: which field, which value, and what would have been right.

use std::{error, fmt, time::Duration};

/// A setting was refused: it names the field, the value that it had and the range that it must be in.
///
/// ```
/// use evenkeel_breaker::Breaker;
///
/// let refused = Breaker::builder().failure_rate(1.5).build().unwrap_err();
/// assert_eq!(refused.field(), "failure_rate");
/// assert_eq!(refused.to_string(), "failure_rate is 1.5: it must be a number above 0 and at most 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Invalid {
    field: &'static str,
    value: Value,
    range: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Number(f64),
    Time(Duration),
    Empty,
}

impl Invalid {
    pub(crate) const fn number(field: &'static str, value: f64, range: &'static str) -> Self {
        Self { field, value: Value::Number(value), range }
    }

    pub(crate) const fn time(field: &'static str, value: Duration, range: &'static str) -> Self {
        Self { field, value: Value::Time(value), range }
    }

    pub(crate) const fn whole(field: &'static str, value: u32, range: &'static str) -> Self {
        Self { field, value: Value::Number(value as f64), range }
    }

    pub(crate) const fn empty(field: &'static str, range: &'static str) -> Self {
        Self { field, value: Value::Empty, range }
    }

    /// The name of the field that was refused.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, range } = self;
        match value {
            Value::Number(value) => write!(f, "{field} is {value}: it must be {range}"),
            Value::Time(value) => write!(f, "{field} is {value:?}: it must be {range}"),
            Value::Empty => write!(f, "{field} is empty: it must be {range}"),
        }
    }
}

impl error::Error for Invalid {}
