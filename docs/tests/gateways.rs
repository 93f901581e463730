//! The client of `docs/examples/model_api` behind a real gateway: nginx, in front of a server that is stopped, slow, or resets.
//!
//! With `--nocapture --test-threads 1` it prints what was done, what came, and what it was taken for, as a table. Where nginx
//! is not installed the tests say so and pass, unless the environment variable `EVENKEEL_REQUIRE` names it.

#![cfg(all(unix, not(loom)))]
#![allow(missing_docs)]
// What the two share, and no task waits with it in hand.
#![allow(clippy::disallowed_types)]

// The program's own files, with more in them than is needed here.
#[allow(dead_code)]
#[path = "../examples/model_api/config.rs"]
mod config;
#[allow(dead_code)]
#[path = "../examples/model_api/endpoint.rs"]
mod endpoint;
#[allow(dead_code)]
#[path = "../examples/model_api/stack.rs"]
mod stack;

#[path = "support/tool.rs"]
mod tool;

// What the stories are told with.
#[path = "gateways/caller.rs"]
mod caller;
#[path = "gateways/nginx.rs"]
mod nginx;
#[path = "gateways/port.rs"]
mod port;
#[path = "gateways/upstream.rs"]
mod upstream;

// The stories.
#[path = "gateways/broken.rs"]
mod broken;
#[path = "gateways/connections.rs"]
mod connections;
#[path = "gateways/limited.rs"]
mod limited;
#[path = "gateways/refused.rs"]
mod refused;
#[path = "gateways/resent.rs"]
mod resent;
#[path = "gateways/two.rs"]
mod two;
