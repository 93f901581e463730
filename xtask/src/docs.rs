//! `docs`: the site, which is the book and the API under one roof.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    report::{Report, Stop},
    step::Step,
    workspace::{self, LIBRARIES},
};

/// Builds the site, and opens or serves it where that is asked for. rustdoc's warnings are errors.
pub(crate) fn run(report: &mut Report, args: &[String]) -> Result<(), Stop> {
    refuse_unknown(args)?;
    let (target, api) = (workspace::target(), workspace::target().join("api"));
    let here = workspace::root().join(&api);
    let failed = |error| format!("{}: {error}", here.display());
    let line = "cargo xtask docs # what rustdoc has made before is out of the way";
    report.check("rustdoc", line, || cleared(&here).map_err(failed))?;
    report.run(&rustdoc(&api, "-p evenkeel-docs"))?;
    let line = "cargo xtask docs # the pages of the chapters are none of the API";
    report.check("rustdoc", line, || chapters_apart(&here).map_err(failed))?;
    IN_ORDER.iter().try_for_each(|packages| report.run(&rustdoc(&api, packages)))?;
    report.run(&site(&target, &api, args))
}

/// The documentation of everything, the tools included: no warning, no broken link.
pub(crate) fn warnings() -> Step {
    Step::cargo("rustdoc", "doc --workspace --no-deps --all-features --locked")
        .env_append("RUSTDOCFLAGS", "-D warnings")
}

/// The folder of the site, once it has been built.
pub(crate) fn folder() -> PathBuf {
    let site = workspace::root().join(workspace::target()).join("site");
    site.canonicalize().unwrap_or(site)
}

/// The one that others link to is done before them. rustdoc links to a crate if it finds a folder of it, cargo empties that folder
/// before it is filled again, and of crates that are documented side by side none can rely on another.
const IN_ORDER: [&str; 2] = ["-p evenkeel-budget", "-p evenkeel-backoff -p evenkeel-breaker -p evenkeel-hedging"];

const FLAGS: [&str; 3] = ["--open", "--serve", "--quick"];
const PORT: &str = "--port";

/// What a port may be, the program itself says.
fn refuse_unknown(args: &[String]) -> Result<(), Stop> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let is_port = arg.strip_prefix(PORT);
        if is_port == Some("") {
            args.next().ok_or_else(|| Stop::Usage(format!("`{PORT}` takes a number: `{PORT} 8080`")))?;
        } else if !FLAGS.contains(&arg.as_str()) && !is_port.is_some_and(|number| number.starts_with('=')) {
            let known = FLAGS.join(", ");
            return Err(Stop::Usage(format!("`docs` takes no argument `{arg}`: it knows {known}, {PORT} N")));
        }
    }
    Ok(())
}

/// In a target folder of its own: rustdoc adds to the index that it finds, and this one must have four crates and no more.
fn rustdoc(api: &Path, packages: &str) -> Step {
    let step = Step::cargo("rustdoc", &format!("doc --no-deps --all-features --locked {packages} --target-dir"));
    step.args(&[api.display().to_string()]).env_append("RUSTDOCFLAGS", "-D warnings")
}

/// The program is built as the lab is, whose experiments it runs.
fn site(target: &Path, api: &Path, args: &[String]) -> Step {
    // A look does not take the place of what is published.
    let name = if args.iter().any(|arg| arg == "--quick") { "site-quick" } else { "site" };
    let folders =
        ["--out".to_owned(), target.join(name).display().to_string(), "--api".to_owned(), api.display().to_string()];
    Step::cargo("site", "run --release --locked -p evenkeel-site --").args(&folders).args(args)
}

/// Leaves of rustdoc's output an empty folder for each library. Where there is one rustdoc takes a crate for documented beside
/// what it documents, and links to it; without, whether it does is a matter of which of them is done first.
fn cleared(api: &Path) -> io::Result<()> {
    remove(&api.join("doc"))?;
    LIBRARIES.iter().try_for_each(|library| fs::create_dir_all(api.join(format!("doc/evenkeel_{library}"))))
}

/// Moves the pages of the chapters away, since the book is where they are read, and clears the rest for the libraries.
fn chapters_apart(api: &Path) -> io::Result<()> {
    remove(&api.join("chapters"))?;
    fs::rename(api.join("doc/evenkeel_docs/book"), api.join("chapters"))?;
    cleared(api)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_flag_is_refused_and_named() {
        let args = |args: &[&str]| args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
        assert_eq!(refuse_unknown(&args(&["--open", "--serve", "--quick", "--port", "8080"])), Ok(()));
        assert_eq!(refuse_unknown(&args(&["--port=8080", "--serve"])), Ok(()));
        let refusal = "`docs` takes no argument `--opne`: it knows --open, --serve, --quick, --port N";
        assert_eq!(refuse_unknown(&args(&["--quick", "--opne"])), Err(Stop::Usage(refusal.to_owned())));
        let refusal = "`--port` takes a number: `--port 8080`";
        assert_eq!(refuse_unknown(&args(&["--serve", "--port"])), Err(Stop::Usage(refusal.to_owned())));
    }

    #[test]
    fn the_api_is_of_the_four_libraries_in_a_target_folder_of_its_own() {
        let line = rustdoc(Path::new("target/api"), "-p evenkeel-budget").to_string();
        let expected = "cargo doc --no-deps --all-features --locked -p evenkeel-budget --target-dir target/api";
        assert!(
            line.starts_with("RUSTDOCFLAGS=") && line.contains("-D warnings") && line.ends_with(expected),
            "{line}"
        );
    }

    #[test]
    fn every_library_is_documented_once_and_after_those_that_it_links_to() {
        let packages: Vec<&str> = IN_ORDER.iter().flat_map(|packages| packages.split(" -p ")).collect();
        let named = |library: &&str| packages.iter().filter(|package| package.ends_with(*library)).count();
        assert!(LIBRARIES.iter().all(|library| named(library) == 1) && packages.len() == LIBRARIES.len());
        assert_eq!(packages[0], "-p evenkeel-budget");
    }

    #[test]
    fn every_flag_reaches_the_program() {
        let line = site(Path::new("target"), Path::new("target/api"), &["--open".to_owned()]).to_string();
        assert_eq!(line, "cargo run --release --locked -p evenkeel-site -- --out target/site --api target/api --open");
    }

    #[test]
    fn a_quick_site_is_in_a_folder_of_its_own_and_the_port_is_passed_on() {
        let args = ["--quick", "--serve", "--port", "8080"].map(str::to_owned);
        let line = site(Path::new("target"), Path::new("target/api"), &args).to_string();
        assert!(line.ends_with("-- --out target/site-quick --api target/api --quick --serve --port 8080"), "{line}");
    }
}
