//! The stack under test as its program makes it, with a sleeper that keeps a list.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel_backoff::{Verdict, http::Classifier};

use super::{
    config::Config,
    endpoint::{Answer, Chat, Failure, Guard},
    stack::Client,
};

/// The stack, and what it has waited for.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) pauses: Pauses,
}

/// The delays that the sleeper was asked for, in order; it takes a tenth of each.
#[derive(Clone, Default)]
pub(crate) struct Pauses {
    asked: Arc<Mutex<Vec<Duration>>>,
    before: Arc<Mutex<Option<Before>>>,
}

/// The time limit of a round, for which the sleeper is asked as well: no pause, and longer than any test.
const ROUND: Duration = Duration::from_secs(600);

/// What happens when the sleeper is called.
type Before = Box<dyn FnMut() + Send>;

impl Pauses {
    pub(crate) fn asked(&self) -> Vec<Duration> {
        self.asked.lock().expect("nobody panics with it in hand").clone()
    }

    /// Has `happen` happen in the next pause.
    pub(crate) fn in_the_next(&self, happen: impl FnOnce() + Send + 'static) {
        let mut happen = Some(happen);
        let before = Box::new(move || {
            if let Some(happen) = happen.take() {
                happen();
            }
        });
        *self.before.lock().expect("nobody panics with it in hand") = Some(before);
    }

    fn sleep(&self, delay: Duration) -> tokio::time::Sleep {
        if delay == ROUND {
            return tokio::time::sleep(delay);
        }
        self.asked.lock().expect("nobody panics with it in hand").push(delay);
        if let Some(happen) = &mut *self.before.lock().expect("nobody panics with it in hand") {
            happen();
        }
        tokio::time::sleep(delay / 10)
    }
}

impl fmt::Debug for Pauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked().fmt(f)
    }
}

/// A provider: its URL, what its attempts may take, and its breaker's settings.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) url: String,
    pub(crate) attempt_timeout: &'static str,
    pub(crate) breaker: &'static str,
}

/// Counts failures, and does not open for as few as there are here.
pub(crate) const COUNTING: &str = "failure_rate = 1.0\ncount_window = 500\nminimum_calls = 500";

impl Provider {
    /// One with time, and with a breaker that only counts.
    pub(crate) fn at(url: String) -> Self {
        Self { url, attempt_timeout: "60s", breaker: COUNTING }
    }
}

impl Caller {
    /// Four attempts, and the next provider when the one before has failed.
    pub(crate) fn of(providers: &[Provider]) -> Self {
        Self::with(providers, 4, &http())
    }

    pub(crate) fn with(providers: &[Provider], attempts: u32, http: &reqwest::Client) -> Self {
        let mut text = format!(
            "retry = {{ schedule = {{ kind = \"exponential\", first = \"20ms\", cap = \"500ms\" }}, \
             max_attempts = {attempts}, max_server_delay = \"20s\", attempt_timeout = \"10m\" }}
            hedge = {{ delays = \"on_failure\" }}
            budget = {{ kind = \"unlimited\" }}
            bulk = {{ in_flight = 8, per_second = 20, queue = 100 }}
            log = {{ capacity = 100, dropped_after = \"1ms\" }}\n"
        );
        for (place, Provider { url, attempt_timeout, breaker }) in providers.iter().enumerate() {
            text += &format!(
                "[[providers]]\nname = \"{place}\"\nurl = \"{url}\"\nmodel = \"large\"\n\
                 attempt_timeout = \"{attempt_timeout}\"\ncheck_every = \"1h\"\n[providers.breaker]\n{breaker}\n"
            );
        }
        Self::configured(&Config::parse(Path::new("a test's"), &text).expect("it makes sense"), http)
    }

    pub(crate) fn configured(config: &Config, http: &reqwest::Client) -> Self {
        let pauses = Pauses::default();
        let sleeper = pauses.clone();
        let client = Client::new(config, http, move |delay| sleeper.sleep(delay)).expect("no key is asked for");
        Self { client, pauses }
    }

    pub(crate) async fn ask(&self) -> Result<Answer, Failure> {
        self.client.ask(chat("Is all well?")).await
    }

    /// The breaker of the first provider.
    pub(crate) fn breaker(&self) -> &Guard {
        self.client.breaker(0)
    }

    /// Failures in the window of the first provider's breaker.
    pub(crate) fn failures(&self) -> u32 {
        self.breaker().snapshot().failures
    }
}

pub(crate) fn chat(prompt: &str) -> Chat {
    Chat { prompt: Arc::from(prompt) }
}

/// One that goes by no proxy of the environment, which may not know the way to here.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("it needs nothing of the system")
}

/// What a failure that came as an answer is taken for.
pub(crate) fn verdict(answer: &Answer) -> Verdict {
    Classifier::new().response(answer)
}

/// Who has answered: the name of an upstream.
pub(crate) fn who(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_slice(answer.body()).expect("an upstream's answer is JSON");
    body["choices"][0]["message"]["content"].as_str().expect("a completion").to_owned()
}

/// A line of the table, on a line of its own.
pub(crate) fn tell(done: &str, came: impl fmt::Display, taken_for: impl fmt::Display) {
    println!("\n| {done} | {came} | {taken_for} |");
}
