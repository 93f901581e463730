//! Programs that a test needs and that may not be installed.

use std::{env, path::PathBuf};

/// The environment variable that lists, with commas, the programs without which tests fail rather than skip.
const REQUIRED: &str = "EVENKEEL_REQUIRE";

/// Where a program is: on the `PATH`, or where Debian keeps servers. `None` where it is not installed, and then a line is
/// printed that says what is skipped.
///
/// # Panics
///
/// If it is not installed and `EVENKEEL_REQUIRE` names it.
pub(crate) fn found(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).chain(["/usr/sbin".into()]).map(|folder| folder.join(tool));
    let found = found.into_iter().find(|program| program.is_file());
    if found.is_none() {
        let required = env::var(REQUIRED).unwrap_or_default();
        assert!(!names(&required, tool), "{REQUIRED} names `{tool}`, and it is not installed");
        println!("skipped: `{tool}` is not installed (with {REQUIRED}={tool} this fails)");
    }
    found
}

fn names(list: &str, tool: &str) -> bool {
    list.split(',').any(|name| name.trim() == tool)
}

#[test]
fn a_list_names_whole_programs() {
    assert!(names("nginx,promtool", "promtool") && names("nginx, promtool", "promtool"));
    assert!(!names("", "promtool") && !names("promtools", "promtool"));
}
