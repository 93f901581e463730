//! The combinator for threads.

use std::{thread, time::Duration};

use evenkeel_budget::Classify;

use super::{
    Retry,
    policy::Rules,
    session::{Judged, Next, Session},
    timeout::NoTimeout,
};

impl<S, W, C, B, O, K> Retry<S, W, C, B, O, K, NoTimeout> {
    /// As [`run`](Self::run) for a thread: `operation` blocks, and the sleeper is `std::thread::sleep` or its like.
    ///
    /// A thread cannot be stopped in the middle of an attempt: a policy with an
    /// [`attempt_timeout`](Retry::attempt_timeout) does not have this method.
    ///
    /// # Panics
    ///
    /// When the operation, the classifier or the sleeper does.
    ///
    /// # Examples
    ///
    /// ```
    /// use evenkeel_backoff::{Jitter, Linear, Retry};
    /// use std::{cell::RefCell, time::Duration};
    ///
    /// let slept = RefCell::new(vec![]);
    /// let schedule = Linear::new(Duration::from_millis(10), Duration::from_millis(5)).jitter(Jitter::None).take(3);
    /// let retry = Retry::new(schedule, |delay: Duration| slept.borrow_mut().push(delay.as_millis()));
    ///
    /// assert_eq!(retry.run_blocking(|attempt| if attempt < 2 { Err("busy") } else { Ok(attempt) }), Ok(2));
    /// assert_eq!(retry.run_blocking(|_| Err::<(), _>("busy")), Err("busy"));
    /// assert_eq!(*slept.borrow(), [10, 15, 10, 15, 20]);
    /// ```
    pub fn run_blocking<F, R, E>(&self, mut operation: F) -> Result<R, E>
    where
        Self: Rules,
        W: Fn(Duration),
        C: Classify<Result<R, E>>,
        F: FnMut(u32) -> Result<R, E>,
    {
        let mut session = Session::begin(self);
        loop {
            let result = operation(session.send(self));
            let verdict = self.classify.classify(&result);
            match session.after(self, Judged { verdict, timed_out: false, repeatable: true }, Rules::delays) {
                Next::Stop(_) => return result,
                Next::Again(delay) => {
                    drop(result);
                    if delay.is_zero() { thread::yield_now() } else { (self.sleep)(delay) }
                }
            }
        }
    }
}
