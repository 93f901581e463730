//! `--metrics`: what is counted during the run, for Prometheus to scrape.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::interval,
};

/// A recorder that renders what it was told in Prometheus's text format. Times are histograms, whose buckets can be added
/// up over instances, as the quantiles of a summary cannot. What has no `_total` or unit at the end of its name is given it,
/// so that one that is named by the wrong unit shows up under another name.
#[must_use]
pub fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .expect("there are buckets")
        .build_recorder()
}

/// In seconds: from the quickest answer of the demo to the longest patience that anybody has.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A server of `/metrics`, which serves until it is dropped.
#[derive(Debug)]
pub struct Scrape {
    listener: TcpListener,
    handle: PrometheusHandle,
}

impl Scrape {
    /// Takes the port, a free one if it is 0, and serves what the recorder of that handle was told.
    ///
    /// # Errors
    ///
    /// What the operating system says, with the address.
    pub async fn bind(address: SocketAddr, handle: PrometheusHandle) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
        Ok(Self { listener, handle })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the future is dropped.
    ///
    /// # Errors
    ///
    /// When it cannot accept.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the port and every connection.
    pub async fn run(self) -> io::Result<Infallible> {
        let Self { listener, handle } = self;
        let mut connections = JoinSet::new();
        let mut upkeep = interval(UPKEEP);
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, _)) => drop(connections.spawn(serve(stream, handle.clone()))),
                        // The caller has gone before it was its turn, which some systems report.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                        Err(error) => return Err(error),
                    }
                }
                Some(_) = connections.join_next() => {}
                _ = upkeep.tick() => handle.run_upkeep(),
            }
        }
    }
}

/// How often the samples of histograms are put into their buckets, though nobody scrapes: until then each is kept.
const UPKEEP: Duration = Duration::from_secs(1);

async fn serve(stream: TcpStream, handle: PrometheusHandle) {
    let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &handle))));
    // A connection that breaks is the caller's to notice.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

fn answer(request: &Request<Incoming>, handle: &PrometheusHandle) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let mut response = Response::new(Full::from(handle.render()));
            response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(TEXT_FORMAT));
            response
        }
        (_, "/metrics") => status(StatusCode::METHOD_NOT_ALLOWED),
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
