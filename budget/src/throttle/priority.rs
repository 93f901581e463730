//! How much a request matters: what is rejected first, and last.

/// How much a request matters, when not all can be sent.
///
/// What is to be rejected is filled up from [`Sheddable`](Self::Sheddable): while there are enough of those, nothing else
/// is rejected, and [`Critical`](Self::Critical) requests only when all others already are.
///
/// Source: the criticalities of the Google SRE book, *Handling Overload*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Its loss is seen by a user, and hurts: rejected last.
    Critical,
    /// Its loss is seen by a user.
    #[default]
    Normal,
    /// It can be done later, or not at all: a prefetch, a batch job. Rejected first.
    Sheddable,
}

impl Priority {
    /// All of them, the one that is rejected last first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Normal, Self::Sheddable];

    /// The priority in one word, as in a metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Normal => "normal",
            Self::Sheddable => "sheddable",
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
