//! Why a configuration, or a question about it, is refused.

use std::fmt;

/// A refusal: in which file, of which field, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    place: String,
    field: String,
    why: String,
}

impl Refused {
    pub(super) fn new(place: &str, field: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { place: place.to_owned(), field: field.to_string(), why: why.to_string().trim_end().to_owned() }
    }

    /// Of a flag.
    pub(super) fn flag(flag: &str, why: impl fmt::Display) -> Self {
        Self::new(flag, "", why)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, field, why } = self;
        write!(f, "{place}: ")?;
        // A dot stands for the whole file.
        if !matches!(field.as_str(), "" | ".") {
            write!(f, "{field}: ")?;
        }
        f.write_str(why)
    }
}

impl std::error::Error for Refused {}
