//! One strategy's run: a fresh server, a fresh client, the whole load, and what was seen.

use std::sync::Arc;
use std::{io, time::Duration};

use tokio::time::Instant;

use super::{
    args::Args,
    client::Client,
    incident::Incident,
    load,
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
    /// The requests per second that the server's slots are sized for.
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
    /// When the server cannot have a port, cannot accept, or cannot have its port back.
    pub async fn over_http(&self, strategy: &Entry) -> io::Result<Run> {
        let server = Server::bind().await?;
        let start = Instant::now() + LEAD;
        let service = self.service(start);
        let client = Client::http(server.address(), start);
        tokio::select! {
            // While it serves it does not return.
            ended = server.run(Arc::clone(&service)) => Err(ended.err().unwrap_or_else(|| io::ErrorKind::Other.into())),
            run = self.drive(strategy, &client, &service) => Ok(run),
        }
    }

    /// Runs `strategy` against the model of the service without a network: under tokio's paused clock, in no time, and
    /// always the same.
    pub async fn directly(&self, strategy: &Entry) -> Run {
        let service = self.service(Instant::now());
        let client = Client::direct(Arc::clone(&service));
        self.drive(strategy, &client, &service).await
    }

    fn service(&self, start: Instant) -> Arc<Service> {
        Arc::new(Service::new(self.setup.seed, self.incident, self.sized_for, start))
    }

    async fn drive(&self, entry: &Entry, client: &Arc<Client>, service: &Arc<Service>) -> Run {
        let Setup { seed, rps, patience } = self.setup;
        let strategy = (entry.make)(&self.setup, client);
        let arrivals = load::arrivals(seed, rps, self.incident.length());
        let records = load::drive(&strategy, client, &arrivals, patience).await;
        Run { name: entry.name, records, sent: client.sent(), received: service.received() }
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

/// Time for the server to be there before the first request.
const LEAD: Duration = Duration::from_millis(20);
