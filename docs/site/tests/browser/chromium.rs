//! A chromium of a test's own: started with the test, killed and reaped with it, its profile in a temporary folder.

use std::{
    env,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use crate::{devtools::Devtools, tab::Tab, tool};

/// Longer than anything here takes on a machine that is busy: what hangs fails, instead of hanging the run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What it may not do: ask another host than this one, call home, or look different from machine to machine.
const FLAGS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-gpu",
    // In a container, `/dev/shm` is often too small for a page.
    "--disable-dev-shm-usage",
    "--password-store=basic",
    "--use-mock-keychain",
    "--force-color-profile=srgb",
    "--window-size=1280,900",
];

/// A running browser with one tab.
pub(crate) struct Chromium {
    pub(crate) tab: Tab,
    // Before the profile, which it writes to until it is gone.
    process: Process,
    _profile: TempDir,
}

struct Process(Child);

impl Chromium {
    /// One with an empty tab. `None`, and a line that says why, where there is no chromium.
    pub(crate) async fn start() -> Option<Self> {
        let program = env::var_os("EVENKEEL_CHROMIUM").map(PathBuf::from).or_else(|| tool::found("chromium"))?;
        let profile = tempfile::Builder::new().prefix("evenkeel-chromium").tempdir().expect("a temporary folder");
        let mut command = Command::new(&program);
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        // What it would take from the home folder of who runs the test, it takes from there.
        command
            .env("HOME", profile.path())
            .env("XDG_CONFIG_HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path());
        if is_root(&profile) {
            // It refuses to run as root otherwise, and shows nothing but the site.
            command.arg("--no-sandbox");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut process = Process(child);
        let address = process.devtools().await;
        let tab = Tab::first(Devtools::connect(&address).await).await;
        Some(Self { tab, process, _profile: profile })
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn close(mut self) {
        self.tab.close_browser().await;
        let ended = tokio::task::spawn_blocking(move || {
            let _ = self.process.0.wait();
            self
        });
        timeout(PATIENCE, ended).await.expect("chromium ends").expect("no panic in waiting");
    }
}

impl Process {
    /// The address at which it can be driven, once it has said so.
    async fn devtools(&mut self) -> String {
        let stderr = self.0.stderr.take().expect("it is piped");
        let stderr = tokio::process::ChildStderr::from_std(stderr).expect("a pipe");
        let mut lines = BufReader::new(stderr).lines();
        let said = async {
            let mut said = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = line.strip_prefix("DevTools listening on ") {
                    return Ok(address.trim().to_owned());
                }
                said.push(line);
            }
            Err(said.join("\n"))
        };
        let said = timeout(PATIENCE, said).await.expect("chromium says where it can be driven");
        // Read to its end, since who writes to a pipe that nobody reads stops.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        said.unwrap_or_else(|said| panic!("chromium ended at once:\n{said}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_root(profile: &TempDir) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    profile.path().metadata().is_ok_and(|made| made.uid() == 0)
}
