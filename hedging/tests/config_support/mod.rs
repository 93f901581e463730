//! Reading, and a clock that each test has for itself and any thread may hold.
#![allow(dead_code)] // each test file uses its own part

use std::{
    cell::Cell,
    sync::OnceLock,
    time::{Duration, Instant},
};

use evenkeel_hedging::HedgeConfig;

pub(crate) fn toml(text: &str) -> Result<HedgeConfig, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

pub(crate) fn json(text: &str) -> Result<HedgeConfig, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

thread_local! {
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The clock.
pub(crate) fn passed() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    #[allow(clippy::disallowed_methods)] // a clock that is moved by hand has to begin somewhere
    let origin = *ORIGIN.get_or_init(Instant::now);
    origin + PASSED.get()
}

pub(crate) fn turn_to(time: Duration) {
    PASSED.set(time);
}
