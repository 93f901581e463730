//! A user's configuration, read from a TOML file: the crates' own types, each of which checks itself.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use evenkeel_backoff::RetryConfig;
use evenkeel_breaker::BreakerConfig;
use evenkeel_budget::BudgetConfig;
use evenkeel_hedging::HedgeConfig;
use serde::Deserialize;
use toml::Table;

use super::{
    Layer, Refused, Service,
    facts::{Budget, Guard, Hedging, Schedule, table},
};

/// What a file holds; every table is optional, and what there is no table for is not used.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) retry: Option<RetryConfig>,
    pub(super) budget: Option<BudgetConfig>,
    pub(super) breaker: Option<BreakerConfig>,
    pub(super) hedge: Option<HedgeConfig>,
    /// What is known of the service.
    pub(super) service: Service,
    /// Who else tries again.
    pub(super) elsewhere: Vec<Layer>,
    /// What the tables say.
    pub(super) facts: Facts,
    /// The file as it is.
    pub(super) tables: Table,
}

/// The same tables, for those who calculate.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) schedule: Option<Schedule>,
    /// Whether `max_server_delay` is given, and not the default.
    pub(super) server_delay_given: bool,
    pub(super) budget: Option<Budget>,
    pub(super) guard: Option<Guard>,
    pub(super) hedging: Option<Hedging>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    retry: Option<RetryConfig>,
    budget: Option<BudgetConfig>,
    breaker: Option<BreakerConfig>,
    hedge: Option<HedgeConfig>,
    #[serde(default)]
    service: Service,
    #[serde(default)]
    elsewhere: Vec<Layer>,
}

impl Policy {
    /// The most layers in `elsewhere`.
    pub const MOST_LAYERS: usize = 16;

    /// What the file holds; that of the path `-` is standard input.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is no text or no TOML, or anything in it is unknown, missing, or out of its range.
    pub fn read(path: &Path) -> Result<Self, Refused> {
        if path == Path::new("-") {
            let (name, mut text) = ("standard input", String::new());
            return match io::stdin().read_to_string(&mut text) {
                Ok(_) => Self::parse(name, &text),
                Err(error) => Err(Refused::new(name, "", error)),
            };
        }
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(error) => Err(Refused::new(&name, "", error)),
        }
    }

    /// The same, of a text that is called `name`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(name: &str, text: &str) -> Result<Self, Refused> {
        // With the picture of the line.
        let tables: Table = toml::from_str(text).map_err(|error| Refused::new(name, "", error))?;
        let file = toml::Deserializer::parse(text).map_err(|error| Refused::new(name, "", error))?;
        let file: File = serde_path_to_error::deserialize(file)
            .map_err(|error| Refused::new(name, error.path(), error.inner().message()))?;
        if file.elsewhere.len() > Self::MOST_LAYERS {
            let why = format!("there are {}: it must be at most {}", file.elsewhere.len(), Self::MOST_LAYERS);
            return Err(Refused::new(name, "elsewhere", why));
        }
        let facts = Facts::of(&tables);
        let File { retry, budget, breaker, hedge, service, elsewhere } = file;
        Ok(Self { retry, budget, breaker, hedge, service, elsewhere, facts, tables })
    }

    /// When an attempt that hangs ends, if anything ends it: the shorter one of the client's own limit and the policy's.
    pub(super) fn attempt_limit(&self) -> Option<Duration> {
        match (self.service.timeout, self.attempt_timeout()) {
            (Some(own), Some(ours)) => Some(own.min(ours)),
            (own, ours) => own.or(ours),
        }
    }

    pub(super) fn attempt_timeout(&self) -> Option<Duration> {
        self.retry.and_then(|retry| retry.attempt_timeout)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.retry.and_then(|retry| retry.deadline)
    }

    /// How often one round of a request is sent, the first time included.
    pub(super) fn hedged(&self) -> u32 {
        self.facts.hedging.map_or(1, |hedging| hedging.attempts)
    }

    /// Whether nothing limits what it sends beyond first attempts.
    pub(super) fn is_unbudgeted(&self) -> bool {
        matches!(self.facts.budget, None | Some(Budget::Unlimited))
    }

    /// How often the others send what we send once.
    pub(super) fn multiplied(&self) -> f64 {
        self.elsewhere.iter().map(|layer| f64::from(layer.attempts)).product()
    }

    /// How long one can stand in line before the service.
    pub(super) fn queue(&self) -> Duration {
        let longest = self.attempt_limit().unwrap_or_default().min(LONGEST_QUEUE).saturating_mul(2);
        self.service.queue.unwrap_or(longest.max(Service::SHORTEST_QUEUE))
    }

    /// Requests a second that the service can answer.
    pub(super) fn capacity(&self, rps: f64) -> f64 {
        self.service.capacity_rps.unwrap_or(rps / Service::DEFAULT_LOAD)
    }
}

/// Half of the longest that a file may say.
const LONGEST_QUEUE: Duration = Duration::from_secs(300);

impl Facts {
    fn of(tables: &Table) -> Self {
        let retry = table(tables, "retry");
        Self {
            schedule: retry.as_ref().and_then(|retry| table(retry, "schedule")).map(|schedule| Schedule::of(&schedule)),
            server_delay_given: retry.is_some_and(|retry| retry.contains_key("max_server_delay")),
            budget: table(tables, "budget").map(|budget| Budget::of(&budget)),
            guard: table(tables, "breaker").map(|breaker| Guard::of(&breaker)),
            hedging: table(tables, "hedge").map(|hedge| Hedging::of(&hedge)),
        }
    }
}
