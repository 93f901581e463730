//! The refusal of a configuration: which field, which value, and what would have been right.

use std::{error, fmt, time::Duration};

/// A setting was refused: it names the field, the value that it had and the range that it must be in.
///
/// ```
/// use evenkeel_budget::RatioBudget;
///
/// let refused = RatioBudget::builder().ratio(f64::NAN).build().unwrap_err();
/// assert_eq!(refused.field(), "ratio");
/// assert_eq!(refused.to_string(), "ratio is NaN: it must be a number from 0 to 1000");
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
}

impl Invalid {
    /// The refusal of a number, for the settings of a budget of your own.
    #[must_use]
    pub const fn number(field: &'static str, value: f64, range: &'static str) -> Self {
        Self { field, value: Value::Number(value), range }
    }

    /// The refusal of a duration, for the settings of a budget of your own.
    #[must_use]
    pub const fn time(field: &'static str, value: Duration, range: &'static str) -> Self {
        Self { field, value: Value::Time(value), range }
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
        }
    }
}

impl error::Error for Invalid {}
