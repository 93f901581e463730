//! Services that two threads send through.

use std::hint::black_box;

use tokio::runtime::Runtime;
use tower_service::Service;

use crate::measure::{Shared, request};

/// One service, of which each thread has a clone, in `runtime`, whose timers they share as well.
pub(super) fn shared<'a, Q: Copy + Sync + 'a, S: Service<Q> + Clone + Sync + 'a>(
    name: &'static str,
    runtime: &'a Runtime,
    sent: Q,
    make: impl Fn() -> S + 'a,
) -> Shared<'a> {
    let service = make();
    Shared::new(name, move || sending(runtime, sent, service.clone())).keeps(make)
}

/// One that each thread makes for itself: nothing is shared.
pub(super) fn alone<'a, Q: Copy + Sync + 'a, S: Service<Q>>(
    name: &'static str,
    runtime: &'a Runtime,
    sent: Q,
    make: impl Fn() -> S + Copy + Sync + 'a,
) -> Shared<'a> {
    Shared::new(name, move || sending(runtime, sent, make())).keeps(make)
}

/// Each call is asserted to have been made.
fn sending<Q: Copy, S: Service<Q>>(runtime: &Runtime, sent: Q, mut service: S) -> impl FnMut(u64) {
    let entered = runtime.enter();
    move |_| {
        let _entered = &entered;
        assert!(request(&mut service, black_box(sent)).is_ok());
    }
}
