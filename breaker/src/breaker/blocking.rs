//! The combinator for threads.

use std::time::Instant;

use super::Breaker;
use crate::{BreakerObserver, Classify, ErrIsFailure, Error};

impl<C: Fn() -> Instant, O: BreakerObserver> Breaker<C, O> {
    /// Calls `operation` if the breaker lets it through, in this thread: what [`call`](Self::call) is to a future. `Ok` is a
    /// success, `Err` a failure.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] when it was not called, [`Error::Inner`] with its own error.
    ///
    /// # Panics
    ///
    /// When the operation does; the call has failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use evenkeel_breaker::{Breaker, Error};
    ///
    /// let breaker = Breaker::builder().consecutive_failures(2).build()?;
    /// assert_eq!(breaker.call_blocking(|| Ok::<_, &str>("here")), Ok("here"));
    /// for _ in 0..2 {
    ///     assert_eq!(breaker.call_blocking(|| Err::<(), _>("down")), Err(Error::Inner("down")));
    /// }
    /// assert!(breaker.call_blocking(|| Ok::<_, &str>("not called")).unwrap_err().is_open());
    /// # Ok::<(), evenkeel_breaker::Invalid>(())
    /// ```
    pub fn call_blocking<F, T, E>(&self, operation: F) -> Result<T, Error<E>>
    where
        F: FnOnce() -> Result<T, E>,
    {
        self.call_blocking_with(ErrIsFailure, operation)
    }

    /// [`call_blocking`](Self::call_blocking), and judges the result with `classify`: a function `|result: &Result<T, E>| …`
    /// to a [`Verdict`](crate::Verdict), or a type that implements [`Classify`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// When the operation or the classifier does; the call has failed.
    #[allow(clippy::needless_pass_by_value)] // As `call_with` has it.
    pub fn call_blocking_with<K, F, T, E>(&self, classify: K, operation: F) -> Result<T, Error<E>>
    where
        K: Classify<Result<T, E>>,
        F: FnOnce() -> Result<T, E>,
    {
        // Dropped by a panic of what follows, it is a failure.
        let permit = self.try_acquire()?;
        let result = operation();
        permit.record(classify.classify(&result));
        result.map_err(Error::Inner)
    }
}
