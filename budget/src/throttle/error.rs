//! How a throttled call fails: rejected here, or as it does without a throttle.

use std::{error, fmt};

/// The refusal of an [`AdaptiveThrottle`](super::AdaptiveThrottle): the request was not sent.
///
/// There is no time to come back at: each request is judged anew, and who is rejected and asks again at once makes it
/// worse, for that counts as well.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rejected {
    probability: f64,
}

impl Rejected {
    pub(super) const fn new(probability: f64) -> Self {
        Self { probability }
    }

    /// With what probability a request of its priority was to be rejected: above 0, up to 1.
    #[must_use]
    pub const fn probability(&self) -> f64 {
        self.probability
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.probability * 100.0;
        write!(
            f,
            "not sent: the service accepts too few of the requests ({percent:.1} % are rejected before they are sent)"
        )
    }
}

impl error::Error for Rejected {}

/// What a throttled call fails with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThrottleError<E> {
    /// It was not sent.
    Rejected(Rejected),
    /// It was sent, and failed with this error.
    Inner(E),
}

impl<E> ThrottleError<E> {
    /// Whether the request was not sent.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// The error of the call itself, if it was sent.
    #[must_use]
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Rejected(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}

impl<E: Into<Box<dyn error::Error + Send + Sync>>> ThrottleError<E> {
    /// The [`Rejected`], or the error of the call, as one boxed error; either can be found again by `downcast_ref`.
    ///
    /// For what is boxed already, as tower's timeouts and buffers have it: such a box is no `Error` itself, and so this one
    /// around it is none. In a stack: `.map_err(ThrottleError::boxed)` over the throttle.
    ///
    /// ```
    /// use evenkeel_budget::ThrottleError;
    ///
    /// type BoxError = Box<dyn std::error::Error + Send + Sync>;
    /// let failed: ThrottleError<BoxError> = ThrottleError::Inner("down".into());
    /// assert_eq!(failed.boxed().to_string(), "down");
    /// ```
    #[must_use]
    pub fn boxed(self) -> Box<dyn error::Error + Send + Sync> {
        match self {
            Self::Rejected(rejected) => Box::new(rejected),
            Self::Inner(error) => error.into(),
        }
    }
}

impl<E> From<Rejected> for ThrottleError<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E> fmt::Display for ThrottleError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Inner(_) => f.write_str("the throttled call failed"),
        }
    }
}

impl<E: error::Error + 'static> error::Error for ThrottleError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // It is shown above already.
            Self::Rejected(_) => None,
            Self::Inner(error) => Some(error),
        }
    }
}
