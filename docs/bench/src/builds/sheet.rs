//! The tables.

use std::{collections::BTreeMap, io};

use evenkeel_lab::sheet::{Parts, Sheet};

use super::{Build, Builds, JOBS, LIMIT};

/// What was measured, as tables; it has no chart.
///
/// # Errors
///
/// When a row is nothing that JSON or CSV can say.
pub fn sheet(builds: &Builds) -> io::Result<Sheet> {
    let times = if builds.rounds == 1 { "once".to_owned() } else { format!("the median of {}", builds.rounds) };
    let (ours, peers): (Vec<&Build>, Vec<&Build>) = builds.rows.iter().partition(|build| build.is_ours);
    Parts {
        rows: &builds.rows,
        more: BTreeMap::from([("machine", builds.machine.clone().into())]),
        about: format!(
            "A crate that depends on one other and has nothing in it is built from nothing, {JOBS} jobs, all downloaded \
             before; {times}, in turn. {}",
            builds.machine
        ),
        tables: vec![("The four", lines(&ours)), ("The peers", lines(&peers)), ("The promise", promises(&ours))],
        notes: "A peer has the features that the other tables ask of it. Crates are those compiled, itself among them; \
                dependencies are those of the running program and of the macros that it needs.",
        panels: Vec::new(),
    }
    .sheet()
}

fn lines(builds: &[&Build]) -> Vec<Vec<String>> {
    let head = ["", "features", "dev (s)", "release (s)", "dependencies", "crates", "macros", "build scripts"];
    let line = |build: &&Build| {
        let counts = [build.dependencies, build.crates, build.macros, build.build_scripts];
        let mut line = vec![name(build), build.features.clone(), seconds(build.dev_s), seconds(build.release_s)];
        line.extend(counts.map(|count| count.to_string()));
        line
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(builds.iter().map(line)).collect()
}

fn promises(ours: &[&Build]) -> Vec<Vec<String>> {
    let head =
        [format!("built from nothing in under {} s", LIMIT.as_secs()), "the longer (s)".to_owned(), String::new()];
    let line = |build: &&Build| {
        let kept = if build.is_kept() { "kept" } else { "missed" };
        vec![format!("`{}`", build.package), seconds(build.dev_s.max(build.release_s)), kept.to_owned()]
    };
    let promised = ours.iter().filter(|build| build.is_promised);
    std::iter::once(head.to_vec()).chain(promised.map(line)).collect()
}

/// Ours have all the same version, and it is this one.
fn name(build: &Build) -> String {
    if build.is_ours { format!("`{}`", build.package) } else { format!("`{}` {}", build.package, build.version) }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(package: &str, is_ours: bool, release_s: f64) -> Build {
        Build {
            package: package.to_owned(),
            version: "1.2.3".to_owned(),
            features: "default".to_owned(),
            is_ours,
            is_promised: is_ours,
            dev_s: 1.25,
            release_s,
            crates: 3,
            macros: 1,
            build_scripts: 0,
            dependencies: 2,
        }
    }

    #[test]
    fn the_tables_have_every_build_and_the_promise_is_kept_or_missed() {
        let rows = vec![build("quick", true, 9.9), build("slow", true, 10.0), build("peer", false, 20.0)];
        let builds = Builds { machine: "A machine".to_owned(), rounds: 3, rows };
        let sheet = sheet(&builds).expect("it is laid out");
        assert!(sheet.text.contains("the median of 3, in turn. A machine"), "{}", sheet.text);
        // Their spaces are the table's affair.
        let lines: Vec<_> =
            sheet.text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let has = |line: &str| assert!(lines.iter().any(|other| other == line), "{lines:#?}");
        has("| `peer` 1.2.3 | default | 1.2 | 20.0 | 2 | 3 | 1 | 0 |");
        has("| `quick` | 9.9 | kept |");
        has("| `slow` | 10.0 | missed |");
        assert!(sheet.charts.is_empty() && sheet.csv.starts_with("package,version,features"));
    }
}
