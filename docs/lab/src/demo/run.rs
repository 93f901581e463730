//! One strategy's run: fresh servers, a fresh client, the whole load, and what was seen.

use std::sync::Arc;
use std::{io, time::Duration};

use tokio::time::Instant;

use super::{
    args::Args,
    client::Client,
    incident::Incident,
    load,
    provider::Provider,
    server::Server,
    service::Service,
    strategies::{Entry, Setup},
    summary::{Figures, Run, Summary},
};

/// What a run needs to know beside its strategy.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The phases.
    pub incident: Incident,
    /// What the strategy is told.
    pub setup: Setup,
    /// The requests per second that the servers' slots are sized for.
    pub sized_for: f64,
}

impl Plan {
    /// The plan that the arguments ask for.
    #[must_use]
    pub fn of(args: &Args) -> Self {
        Self { incident: Incident::new(args.length()), setup: args.setup(), sized_for: args.rps }
    }

    /// Runs `strategy` over HTTP on the loopback interface.
    ///
    /// # Errors
    ///
    /// When a server cannot have a port, cannot accept, or cannot have its port back.
    pub async fn over_http(&self, strategy: &Entry) -> io::Result<Run> {
        let [primary, secondary] = [Server::bind().await?, Server::bind().await?];
        let start = Instant::now() + LEAD;
        let services = self.services(start);
        let client = Client::http([primary.address(), secondary.address()], start);
        let [first, second] = services.clone();
        let serving = async { tokio::try_join!(primary.run(first), secondary.run(second)) };
        tokio::select! {
            // While they serve they do not return.
            ended = serving => Err(ended.err().unwrap_or_else(|| io::ErrorKind::Other.into())),
            run = self.drive(strategy, &client, &services) => Ok(run),
        }
    }

    /// Runs `strategy` against the models of the services without a network: under tokio's paused clock, in no time, and
    /// always the same.
    pub async fn directly(&self, strategy: &Entry) -> Run {
        let services = self.services(Instant::now());
        let client = Client::direct(services.clone());
        self.drive(strategy, &client, &services).await
    }

    fn services(&self, start: Instant) -> [Arc<Service>; 2] {
        let of = |provider| Arc::new(Service::new(provider, self.setup.seed, self.incident, self.sized_for, start));
        Provider::ALL.map(of)
    }

    async fn drive(&self, entry: &Entry, client: &Arc<Client>, services: &[Arc<Service>; 2]) -> Run {
        let Setup { seed, rps, patience } = self.setup;
        let strategy = (entry.make)(&self.setup, client);
        let arrivals = load::arrivals(seed, rps, self.incident.length());
        let records = load::drive(&strategy, client, &arrivals, patience).await;
        Run { name: entry.name, records, sent: client.sent(), received: services[Provider::Primary.place()].received() }
    }

    /// The figures of `runs`.
    #[must_use]
    pub fn summary(&self, runs: &[Run]) -> Summary {
        Summary {
            seed: self.setup.seed,
            seconds: self.incident.length().as_secs_f64(),
            strategies: runs.iter().map(|run| Figures::of(run, &self.incident)).collect(),
        }
    }
}

/// Time for the servers to be there before the first request.
const LEAD: Duration = Duration::from_millis(20);
