//! Panics that nobody meant, also those that end inside of the libraries.

use std::{
    panic,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use super::{
    load::words,
    report::{Rule, Violation},
};

/// Of which thread, and what it said.
static SEEN: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// A name for the threads of a soak. From now on a panic of them is seen, unless it is raised without the panic hook, as those
/// are that are meant.
pub(super) fn watch() -> String {
    static HOOK: Once = Once::new();
    static SOAKS: AtomicU32 = AtomicU32::new(0);
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(name) = thread::current().name().filter(|name| name.starts_with("soak-")) {
                let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
                let seen = (name.to_owned(), format!("{}{place}", words(info.payload())));
                SEEN.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
            }
            before(info);
        }));
    });
    format!("soak-{}", SOAKS.fetch_add(1, Ordering::Relaxed))
}

/// Those of the threads of that name.
pub(super) fn take(name: &str) -> Vec<Violation> {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let (ours, others) = seen.drain(..).partition(|(thread, _)| thread == name);
    *seen = others;
    ours.into_iter().map(|(_, why): (String, String)| Violation { rule: Rule::Panics, why }).collect()
}
