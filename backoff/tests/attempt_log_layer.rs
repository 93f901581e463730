//! Whether the layer of an attempt log is a lawful tower service, and what it asks of what it is put around.
#![cfg(all(feature = "http", feature = "tower", not(loom)))]

mod support;

use std::{
    cell::Cell,
    future::{Future, Ready, ready},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use evenkeel_backoff::{
    Retry,
    http::{AttemptEnd, classify, error_kind},
};
use http::{Request, Response};
use support::{
    World,
    clocks::{builder, log},
    ms,
};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

/// A client whose clones are not ready, and which says how often it was asked.
struct Probe {
    ready_polls: Rc<Cell<u32>>,
    calls: Rc<Cell<u32>>,
    ready: bool,
    readiness: Option<Poll<io::Result<()>>>,
}

impl Probe {
    fn new() -> Self {
        Self { ready_polls: Rc::default(), calls: Rc::default(), ready: false, readiness: None }
    }
}

// It is not `Clone`: nothing here needs it to be.
impl Service<Request<()>> for Probe {
    type Response = Response<Rc<()>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Response<Rc<()>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ready_polls.set(self.ready_polls.get() + 1);
        let readiness = self.readiness.take().unwrap_or(Poll::Ready(Ok(())));
        self.ready = matches!(readiness, Poll::Ready(Ok(())));
        readiness
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.ready, "called without having been made ready");
        self.ready = false;
        self.calls.set(self.calls.get() + 1);
        ready(Ok(Response::builder().status(500).body(Rc::new(())).unwrap()))
    }
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn readiness_is_the_clients_own_and_the_ready_instance_is_called() {
    let log = log(4);
    let (mut probe, calls) = (Probe::new(), Rc::default());
    probe.calls = Rc::clone(&calls);
    probe.readiness = Some(Poll::Pending);
    let polls = Rc::clone(&probe.ready_polls);
    let mut service = log.layer("openai").layer(probe);
    assert!(service.poll_ready(&mut cx()).is_pending());
    for call in 1..=2 {
        assert!(service.poll_ready(&mut cx()).is_ready());
        assert!(pin!(service.call(Request::new(()))).poll(&mut cx()).is_ready());
        assert_eq!((calls.get(), polls.get()), (call, call + 1));
    }
    assert_eq!(log.records().len(), 2);
}

#[test]
fn what_fails_to_become_ready_was_not_sent() {
    let log = log(4);
    let mut probe = Probe::new();
    probe.readiness = Some(Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into())));
    let mut service = log.layer("openai").layer(probe);
    let Poll::Ready(Err(error)) = service.poll_ready(&mut cx()) else { panic!("it fails") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(log.report().totals()[0].attempts, 0);
}

#[test]
fn a_client_that_panics_before_there_is_a_future_has_failed() {
    struct Panicking;
    impl Service<Request<()>> for Panicking {
        type Response = Response<()>;
        type Error = io::Error;
        type Future = Ready<io::Result<Response<()>>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            panic!("in the client")
        }
    }
    let log = builder(4).dropped_after(ms(4_000)).build().unwrap();
    let mut service = log.layer("openai").layer(Panicking);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(Request::new(()))))).is_err());
    assert_eq!(log.records()[0].end, AttemptEnd::Failed("panicked"));
    assert_eq!(log.report().totals()[0].failures, 1);

    // That it was called is not that it was sent: nobody polled it.
    let mut probe = log.layer("openai").layer(Probe::new());
    assert!(probe.poll_ready(&mut cx()).is_ready());
    drop(probe.call(Request::new(())));
    assert_eq!(log.report().totals()[0].attempts, 1);
}

#[test]
fn layers_of_one_log_and_one_name_count_together() {
    let log = log(4);
    for layer in [log.layer("openai"), log.layer("openai").clone(), log.layer("azure")] {
        let mut service = layer.layer(Probe::new());
        assert!(service.poll_ready(&mut cx()).is_ready());
        assert!(pin!(service.call(Request::new(()))).poll(&mut cx()).is_ready());
    }
    let totals: Vec<(String, u64)> =
        log.report().totals().iter().map(|total| (total.service.to_string(), total.attempts)).collect();
    assert_eq!(totals, [("openai".to_owned(), 2), ("azure".to_owned(), 1)]);
}

#[test]
fn each_attempt_of_a_retry_is_one_and_boxed_errors_have_words() {
    let (log, world) = (log(8), World::new());
    let statuses = Rc::new(Cell::new(0));
    let client = service_fn(move |request: Request<&'static str>| {
        statuses.set(statuses.get() + 1);
        ready(match statuses.get() {
            1 => Err(BoxError::from(io::Error::from(io::ErrorKind::ConnectionReset))),
            2 => Ok(Response::builder().status(503).body(request.into_body()).unwrap()),
            _ => Ok(Response::new(request.into_body())),
        })
    });
    let retry =
        Retry::new([ms(1); 3], world.sleeper()).when(|answer: &Result<Response<&str>, BoxError>| match answer {
            Ok(response) => {
                classify(&Ok::<_, io::Error>(Response::builder().status(response.status()).body(()).unwrap()))
            }
            Err(_) => evenkeel_backoff::Verdict::transient(),
        });
    let service = ServiceBuilder::new()
        .layer(retry.layer())
        .layer(log.layer("openai").errors(|error: &BoxError| error_kind(&**error)))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(client);
    assert_eq!(world.run(service.oneshot(Request::new("Hello"))).unwrap().into_body(), "Hello");
    let ends: Vec<AttemptEnd> = log.records().iter().map(|record| record.end).collect();
    assert_eq!(
        ends,
        [AttemptEnd::Failed("connection reset"), AttemptEnd::Status(http::StatusCode::SERVICE_UNAVAILABLE)]
    );
    assert_eq!(log.report().totals()[0].attempts, 3);
}

#[test]
fn a_success_costs_a_layer_nothing() {
    let log = log(4);
    let mut service =
        log.layer("openai").layer(service_fn(|_: Request<()>| ready(Ok::<_, io::Error>(Response::new(())))));
    let request = Request::get("/v1/chat?api-key=abc&v=1").header("authorization", "Bearer abc");
    let request = request.header("x-client-request-id", "b2f6").body(()).unwrap();
    let allocated = measure(|| {
        assert!(service.poll_ready(&mut cx()).is_ready());
        assert!(pin!(service.call(request)).poll(&mut cx()).is_ready());
    });
    assert_eq!(allocated.count_total, 0);
    assert_eq!(log.report().totals()[0].attempts, 1);
}
