//! **Whether to call at all?**
//!
//! A service that is down is helped by no call, and neither is the caller who waits for the timeout. A circuit breaker counts
//! how calls end; when too many fail it *opens* and rejects what comes, at once and without asking the service; after a while
//! it lets a few calls through as *probes*, and closes when they succeed.
//!
//! ```
//! use evenkeel_breaker::{Breaker, Error};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let breaker = Breaker::builder().consecutive_failures(3).build()?; // cheap to clone; every clone is the same breaker
//! for _ in 0..3 {
//!     let answer = breaker.call(async { Err::<(), _>("down") }).await;
//!     assert_eq!(answer, Err(Error::Inner("down")), "the call's own error, as it was");
//! }
//! let answer = breaker.call(async { Ok::<_, &str>("never polled") }).await;
//! let rejected = *answer.unwrap_err().rejected().expect("it is open");
//! assert!(rejected.retry_after().is_some(), "and says when to come back");
//! # Ok::<(), evenkeel_breaker::Invalid>(())
//! # }).unwrap();
//! ```
//!
//! # A map
//!
//! - [`Breaker`], made by a [`BreakerBuilder`] or [`Breaker::new`]; a setting that makes no sense is [`Invalid`].
//! - [`Breaker::try_acquire`] gives a [`Permit`] or [`Rejected`]; [`Breaker::acquire`] waits for one ([`Acquire`]). A permit
//!   borrows its breaker or owns a handle of it ([`Handle`]), and is told how the call ended: an [`Outcome`], or a [`Verdict`]
//!   with what the service asked for.
//! - [`Breaker::call`] and [`Breaker::call_with`] around a future ([`Call`]), [`Breaker::call_blocking`] and
//!   [`Breaker::call_blocking_with`] around a function in a thread; the result is judged by a [`Classify`],
//!   [`ErrIsFailure`] by default; what comes back is its own or an [`Error`].
//! - `BreakerLayer`, its `BreakerService` and `BreakerFuture` for tower; `HoldLayer` and `HoldService`, which wait instead of
//!   failing; `BreakerMapLayer`, `BreakerMapService` and `BreakerMapFuture` with a breaker for each key.
//! - [`BreakerMap`], [`MapBuilder`], [`MapSnapshot`]: a breaker for each host or provider, a bounded number, of which only a
//!   share rejects at the same time.
//! - [`Prober`]: tests with checks of its own, so that no user's call is the guinea pig.
//! - [`OpenTimes`] ([`Drawn`]): how long it stays open, unless another schedule says so. [`Abandoned`]: what a permit means of
//!   which nobody says how its call ended.
//! - [`State`], [`Cause`], [`Transition`], the stream of [`Transitions`], a [`Snapshot`]; a [`BreakerObserver`], which hears
//!   of them, of each [`CallEnd`] and each [`CheckEnd`].
//! - `BreakerMetrics`, `BreakerMapMetrics` and its `KeyMetrics` count; `BreakerConfig` and `BreakerMapConfig` are read from a file.
//!
//! # Which rule, which window
//!
//! | rule | opens | suits |
//! | --- | --- | --- |
//! | [`consecutive_failures`](BreakerBuilder::consecutive_failures) | after so many failures in a row | outages: the quickest to open, needs no window; blind to a service that fails every second call |
//! | [`failure_rate`](BreakerBuilder::failure_rate) | at this share of failures in the window | services that half work |
//! | [`slow_calls`](BreakerBuilder::slow_calls) | at this share of slow calls in the window | services that answer too late to be of use |
//!
//! Any of those that are set opens; if none is set, the first two are.
//!
//! | window | | suits |
//! | --- | --- | --- |
//! | [`count_window`](BreakerBuilder::count_window) | the last so many results, exactly; no clock | nearly everyone; clients of few calls |
//! | [`time_window`](BreakerBuilder::time_window) | the results of the last while, to a tenth of it | busy clients; those to whom an hour ago is no news |
//!
//! # When to use it, and when not
//!
//! Use one breaker for each thing that fails as a whole: a service, a host, a model; shared by all who call it, inside of
//! their retries. Do without where a rejection is worth no more than a failure (a nightly job that can only try again),
//! where the callee is a pool that takes out its bad members itself, and for errors that are the caller's own: a 400 says
//! that the service is well. Against *overload* by this client's own requests a throttle is finer: a breaker knows only all
//! and nothing.
//!
//! # How it decides
//!
//! ```text
//!                   a rule says so                      its time is over, and a call asks: a probe
//! ┌────────────────┐              ┌────────────────────┐                       ┌──────────────────────┐
//! │ Closed         ├─────────────▶│ Open               ├──────────────────────▶│ HalfOpen             │
//! │ admits, counts │              │ rejects until then │                       │ admits a few: probes │
//! │ (ramp: a share)│              │                    │◀──────────────────────┤                      │
//! └────────────────┘              └────────────────────┘  too many failed, were └──────────┬───────────┘
//!         ▲                                               slow, or are silent              │
//!         └────────────────────────────────────────────────────────────────────────────────┘
//!                                     enough succeeded
//!
//! force_open ──▶ ForcedOpen: rejects          reset ──▶ Closed, as it was when it was built
//! force_closed ──▶ ForcedClosed: admits all, counts none
//! ```
//!
//! Each transition begins a new *period* with empty windows, and a permit belongs to the period in which it was given: an
//! answer that comes late changes nothing. A probe that never answers has failed when its time is out, so from any state
//! that was not forced, time alone leads to an admitted call.
//!
//! # Runtimes
//!
//! None is needed and any will do. The clock is an argument ([`BreakerBuilder::clock`]): under tokio's paused clock,
//! `|| tokio::time::Instant::now().into_std()`; and each call on a breaker has a form at a given time (`try_acquire_at`). A
//! sleeper (`tokio::time::sleep`, `async_io::Timer::after`) is needed only for waiting: by [`Breaker::acquire`], the layer's
//! `hold`, and the [`Prober`], which is a future that you spawn. Nothing in here does.
//!
//! # What is verified
//!
//! `tests/properties.rs` replays arbitrary histories (calls that succeed, fail, are slow, are dropped, panic; time, force,
//! reset) beside a naive breaker that keeps a list of all events, and shows that from every state it leaves time alone leads
//! to an admitted call. `tests/models.rs` runs what is shared through its interleavings under loom: concurrent results are
//! all counted, of two callers of one slot one is admitted, a late permit changes nothing, a trip against a recovery leaves
//! a legal state and tells each step once. `tests/costs.rs` counts allocations and looks at the clock.
//!
//! # Features, MSRV
//!
//! | feature | |
//! | --- | --- |
//! | `tower` | `BreakerLayer`, `HoldLayer`, `BreakerMapLayer`, their services and futures |
//! | `metrics` | `BreakerMetrics`, `BreakerMapMetrics`: observers that count with the `metrics` facade |
//! | `serde` | `BreakerConfig`, `BreakerMapConfig`: read from a file, unknown fields refused |
//!
//! None is on by default. While it is closed and calls succeed there is no allocation, no lock but at each tenth of a time
//! window, and no look at a clock but for what needs the time: a time window, a slow rule, a ramp,
//! [`Abandoned::FailureAfter`], an observer that wants durations. Targets need 64-bit atomics. Rust 1.85.

mod acquire;
mod breaker;
mod classify;
#[cfg(feature = "serde")]
mod config;
mod error;
mod guard;
mod invalid;
mod machine;
mod map;
mod member;
#[cfg(feature = "metrics")]
mod metrics;
mod observe;
mod open_times;
mod prober;
mod quota;
mod rules;
mod state;
mod sync;
#[cfg(feature = "tower")]
mod tower;
mod transitions;
mod trial;
mod unwinding;
mod verdict;
mod waiters;
mod waiting;
mod window;

pub use acquire::Acquire;
pub use breaker::{Abandoned, Breaker, BreakerBuilder, Call, Handle, Permit, Snapshot};
pub use classify::{Classify, ErrIsFailure};
#[cfg(feature = "serde")]
pub use config::{BreakerConfig, BreakerMapConfig};
pub use error::{Error, Rejected};
pub use invalid::Invalid;
pub use map::{BreakerMap, MapBuilder, MapSnapshot};
#[cfg(feature = "metrics")]
pub use metrics::{BreakerMapMetrics, BreakerMetrics, KeyMetrics};
pub use observe::{BreakerObserver, CallEnd, CheckEnd};
pub use open_times::{Drawn, OpenTimes};
pub use prober::Prober;
pub use state::{Cause, State, Transition};
#[cfg(feature = "tower")]
pub use tower::{
    BreakerFuture, BreakerLayer, BreakerMapLayer, BreakerMapService, BreakerService, HoldLayer, HoldService,
};
pub use transitions::Transitions;
pub use verdict::{Outcome, Verdict};
