//! The configuration of the client, read from a TOML file: every refusal names the file and the field.

use std::{
    env, fmt, fs,
    num::{NonZeroU16, NonZeroU32},
    path::{Path, PathBuf},
    time::Duration,
};

use evenkeel_backoff::RetryConfig;
use evenkeel_breaker::BreakerConfig;
use evenkeel_budget::BudgetConfig;
use evenkeel_hedging::HedgeConfig;
use http::HeaderValue;
use serde::{Deserialize, Deserializer, de};

/// What the file holds. The tables of the layers are the crates' own types, and check themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) retry: RetryConfig,
    pub(crate) hedge: HedgeConfig,
    #[serde(default)]
    pub(crate) budget: BudgetConfig,
    pub(crate) bulk: Bulk,
    pub(crate) log: Log,
    /// In the order in which they are asked; at least one.
    pub(crate) providers: Vec<Provider>,
    /// Whence it is.
    #[serde(skip)]
    file: PathBuf,
}

/// How requests are paced that nobody waits for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bulk {
    /// At the same time.
    pub(crate) in_flight: NonZeroU16,
    pub(crate) per_second: NonZeroU32,
    /// How many may stand in line before a caller has to wait to stand in it.
    pub(crate) queue: NonZeroU16,
}

/// What is kept for the providers' support.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// So many failed attempts.
    pub(crate) capacity: NonZeroU16,
    /// What is dropped sooner is no failure.
    #[serde(deserialize_with = "positive")]
    pub(crate) dropped_after: Duration,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// In metrics and reports; no two have the same.
    #[serde(deserialize_with = "word")]
    pub(crate) name: String,
    #[serde(deserialize_with = "url")]
    pub(crate) url: http::Uri,
    #[serde(deserialize_with = "word")]
    pub(crate) model: String,
    #[serde(deserialize_with = "positive")]
    pub(crate) attempt_timeout: Duration,
    /// How often to look whether it is well, also while nothing seems to be wrong.
    #[serde(deserialize_with = "positive")]
    pub(crate) check_every: Duration,
    #[serde(default)]
    pub(crate) breaker: BreakerConfig,
    /// The environment variable that holds the key: a secret is not for a file that is in a repository.
    key_env: Option<String>,
}

impl Config {
    /// What the file holds.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or anything in it is unknown, missing, out of its range or contradicts the rest.
    pub(crate) fn read(path: &Path) -> Result<Self, Refused> {
        let text = fs::read_to_string(path).map_err(|error| Refused::new(path, "", error))?;
        Self::parse(path, &text)
    }

    /// The same, of a text that is said to be of that file.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Refused> {
        let file = toml::Deserializer::parse(text).map_err(|error| Refused::new(path, "", error))?;
        let config: Self = serde_path_to_error::deserialize(file).map_err(|error| {
            // Without the picture of the line, which the field's name makes superfluous.
            Refused::new(path, error.path(), error.inner().message())
        })?;
        Self { file: path.to_owned(), ..config }.checked()
    }

    /// What no table can know by itself.
    fn checked(self) -> Result<Self, Refused> {
        let refused = |field: &dyn fmt::Display, why: &str| Err(Refused::new(&self.file, field, why));
        if !(1..=Self::MOST_PROVIDERS).contains(&self.providers.len()) {
            return refused(&"providers", "there must be from 1 to 64");
        }
        let Some(round) = self.retry.attempt_timeout else {
            return refused(&"retry", "attempt_timeout must be given: without it the deadline cuts no attempt");
        };
        if self.log.dropped_after >= round {
            return refused(
                &"log",
                "dropped_after must be shorter than retry.attempt_timeout, or what that cuts is no failure",
            );
        }
        for (place, provider) in self.providers.iter().enumerate() {
            let field = format!("providers[{place}]");
            if provider.attempt_timeout >= round {
                return refused(
                    &field,
                    "attempt_timeout must be shorter than retry.attempt_timeout, which is for a round of all",
                );
            }
            if self.providers[..place].iter().any(|other| other.name == provider.name) {
                return refused(&field, "name is another provider's as well: their metrics would be one");
            }
        }
        Ok(self)
    }

    /// As many as alternates can be.
    const MOST_PROVIDERS: usize = 64;

    /// What the providers want to see in `Authorization`, in their order; none of one that has no key.
    ///
    /// # Errors
    ///
    /// When one is to have a key, and there is none in its variable that can be sent.
    pub(crate) fn authorizations(&self) -> Result<Vec<Option<HeaderValue>>, Refused> {
        let of = |(place, provider): (usize, &Provider)| {
            let refused = |why| Refused::new(&self.file, format!("providers[{place}].key_env"), why);
            provider.authorization().map_err(refused)
        };
        self.providers.iter().enumerate().map(of).collect()
    }
}

impl Provider {
    fn authorization(&self) -> Result<Option<HeaderValue>, String> {
        let Some(variable) = &self.key_env else { return Ok(None) };
        let key = env::var(variable).unwrap_or_default();
        // What is mounted from a file ends with a line's end more often than not.
        let key = key.trim();
        if key.is_empty() {
            return Err(format!("the environment has no variable `{variable}`, or it is empty"));
        }
        let header = HeaderValue::try_from(format!("Bearer {key}"));
        // The key is in neither of these messages.
        let mut header = header.map_err(|_| format!("what is in `{variable}` cannot be sent in a header"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// Another server, without a key: for the program that shows this, and for tests.
    pub(crate) fn moved_to(&mut self, url: http::Uri) {
        (self.url, self.key_env) = (url, None);
    }
}

/// Why a configuration was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    file: PathBuf,
    field: String,
    why: String,
}

impl Refused {
    fn new(path: &Path, field: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { file: path.to_owned(), field: field.to_string(), why: why.to_string().trim_end().to_owned() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, field, why } = self;
        write!(f, "{}: ", file.display())?;
        // A dot stands for the whole file.
        if !matches!(field.as_str(), "" | ".") {
            write!(f, "{field}: ")?;
        }
        f.write_str(why)
    }
}

impl std::error::Error for Refused {}

fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(de::Error::custom("it must not be empty")) } else { Ok(text) }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<http::Uri, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refused = |why: &str| Err(de::Error::custom(format!("`{text}` {why}")));
    let Ok(url) = text.parse::<http::Uri>() else { return refused("is no URL") };
    match url.scheme_str() {
        _ if url.host().is_none_or(str::is_empty) => refused("names no host"),
        Some("http") if url.authority().is_some_and(|host| host.as_str().contains('@')) => {
            Err(de::Error::custom("it must be without a name and a password: they are for the environment"))
        }
        Some("http") => Ok(url),
        Some("https") => refused("needs reqwest's feature `rustls`, which this program leaves out"),
        Some(_) | None => refused("must begin with http://"),
    }
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    match humantime::parse_duration(&text) {
        Ok(Duration::ZERO) => Err(de::Error::custom("it must be longer than zero")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(de::Error::custom(format!("`{text}` is no duration such as \"10s\": {error}"))),
    }
}
