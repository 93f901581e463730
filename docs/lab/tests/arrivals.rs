//! What the servers count is what the client sent and was not refused.

#![allow(missing_docs)]

#[path = "support/exposition.rs"]
mod exposition;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use evenkeel_lab::demo::{
    client::{Client, Request},
    incident::Incident,
    provider::Provider,
    scrape,
    server::Server,
    service::Service,
};
use exposition::Exposition;
use tokio::{net::TcpSocket, task::JoinSet, time::Instant};

/// One attempt for each of `ids`, to each provider, all at once; returns how many were answered.
async fn send(client: &Arc<Client>, ids: std::ops::Range<u64>) -> usize {
    let mut attempts = JoinSet::new();
    for (id, provider) in ids.flat_map(|id| Provider::ALL.map(|provider| (id, provider))) {
        let client = Arc::clone(client);
        attempts.spawn(async move { client.send(provider, Request::new(id, Arc::clone(&client)).message()).await });
    }
    attempts.join_all().await.iter().filter(|answer| answer.is_ok()).count()
}

/// Where nobody gives up and nothing is cut off, all is known: each attempt arrives once, or is refused.
#[test]
fn over_http_each_attempt_arrives_once_or_is_refused() {
    // On this thread, whose recorder it is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let recorder = scrape::recorder();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            // So long that all of this is in its calm.
            let (incident, start) = (Incident::new(Duration::from_secs(36_000)), Instant::now());
            let [primary, secondary] = [Server::bind().await, Server::bind().await].map(|free| free.expect("a port"));
            let addresses = [primary.address(), secondary.address()];
            let [first, second] = Provider::ALL.map(|who| Arc::new(Service::new(who, 1, incident, 200.0, start)));
            let answered = {
                let client = Client::http(addresses, start);
                tokio::select! {
                    _ = primary.run(first) => unreachable!("it serves"),
                    _ = secondary.run(second) => unreachable!("it serves"),
                    answered = send(&client, 0..ATTEMPTS) => answered,
                }
            };
            assert_eq!(answered as u64, 2 * ATTEMPTS);
            // Bound and not listening.
            let [first, second] = Provider::ALL.map(|_| TcpSocket::new_v4().expect("a socket"));
            let closed = [&first, &second].map(|socket| {
                socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
                socket.local_addr().expect("it is bound")
            });
            assert_eq!(send(&Client::http(closed, start), 0..ATTEMPTS).await, 0);
        });
    });
    let seen = Exposition::parse(&recorder.handle().render());
    for provider in Provider::ALL {
        let of = |series: &str| seen.sum(series, &[("provider", provider.name())]);
        let ended = |how| seen.sum("demo_ended_total", &[("provider", provider.name()), ("how", how)]);
        assert_eq!(of("demo_sent_total"), 2.0 * ATTEMPTS as f64);
        assert_eq!(of("demo_received_total"), ATTEMPTS as f64, "{provider:?}");
        let ends = ["answered", "refused", "cut_off", "given_up"].map(ended);
        assert_eq!(ends, [ATTEMPTS as f64, ATTEMPTS as f64, 0.0, 0.0], "{provider:?}");
    }
}

/// So many that some wait in line and some find it full, and are answered as well.
const ATTEMPTS: u64 = 200;
