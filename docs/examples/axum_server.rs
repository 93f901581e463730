//! In an `axum` server: one client for all handlers, its refusals as 503s, and a layer before a costly route.

use std::{
    convert::Infallible,
    future::IntoFuture,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    error_handling::HandleErrorLayer,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use evenkeel_backoff::{Exponential, Retry, TokenBudget, Verdict, http::Classifier};
use evenkeel_breaker::{Breaker, BreakerLayer, Error};
use evenkeel_budget::{AdaptiveThrottle, Priority, ThrottleError, ThrottleLayer};
use http::{StatusCode, header::RETRY_AFTER};
use tokio::{net::TcpListener, time::sleep};
use tower::{BoxError, ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

fn main() -> Result<(), BoxError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), BoxError> {
    let (down, calls, reports) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
    let breaker = Breaker::builder().consecutive_failures(3).open_for([Duration::from_secs(90)]).build()?;
    let budget = TokenBudget::default();
    let database = database(breaker.clone(), budget.clone(), Arc::clone(&down), Arc::clone(&calls));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let server = listener.local_addr()?;
    let app = router(App { database, reports: Arc::clone(&reports) })?;
    tokio::spawn(axum::serve(listener, app).into_future());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let ask = async |path: &str| client.get(format!("http://{server}{path}")).send().await;

    assert_eq!(ask("/user").await?.text().await?, "the user");

    // One handler finds out that the database is down, in three attempts. The other one need not.
    down.store(true, Ordering::Relaxed);
    calls.store(0, Ordering::Relaxed);
    let failed = ask("/user").await?;
    println!("GET /user: {}, calls of the database: {calls:?}", failed.status());
    assert_eq!((failed.status(), calls.load(Ordering::Relaxed)), (StatusCode::BAD_GATEWAY, 3));
    let balance = budget.balance();
    for path in ["/orders", "/user"] {
        let refused = ask(path).await?;
        let seconds = refused.headers()[RETRY_AFTER].to_str()?;
        println!("GET {path}: {}, Retry-After: {seconds}, calls: {calls:?}", refused.status());
        assert_eq!((refused.status(), calls.load(Ordering::Relaxed)), (StatusCode::SERVICE_UNAVAILABLE, 3));
        assert!((1..=90).contains(&seconds.parse::<u64>()?));
    }
    assert_eq!(budget.balance(), balance, "what the breaker rejects is not tried again");

    // Taken out by hand, it stays out until someone says otherwise: there is no time to name.
    breaker.force_open();
    let refused = ask("/orders").await?;
    assert_eq!((refused.status(), refused.headers().get(RETRY_AFTER)), (StatusCode::SERVICE_UNAVAILABLE, None));
    down.store(false, Ordering::Relaxed);
    breaker.reset();
    for path in ["/user", "/orders"] {
        println!("GET {path}: {}", ask(path).await?.error_for_status()?.text().await?);
    }

    // Reports fail, each after much work. Soon hardly any is begun, except what is critical.
    for _ in 0..200 {
        assert_eq!(ask("/report").await?.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let begun = reports.swap(0, Ordering::Relaxed);
    println!("GET /report, 200 times: begun {begun} times");
    assert!(begun < 50);
    ask("/report?critical").await?;
    assert_eq!(reports.load(Ordering::Relaxed), 1);
    Ok(())
}

/// What every handler gets a clone of.
#[derive(Clone)]
struct App {
    database: Database,
    reports: Arc<AtomicU32>,
}

fn router(app: App) -> Result<Router, BoxError> {
    let throttle = AdaptiveThrottle::builder().window(Duration::from_secs(30)).build()?;
    // It judges what the handler answers, and rejects before the handler is called. A `BreakerLayer` goes here as well.
    // Either must be made once, outside of any handler: it is the layer that holds the shared state.
    let throttle = ThrottleLayer::new(throttle).when(Classifier::new()).priority(|request: &Request| {
        if request.uri().query() == Some("critical") { Priority::Critical } else { Priority::Normal }
    });
    // A route has no errors, only responses: what the layer under it refuses becomes one here.
    let shed = ServiceBuilder::new().layer(HandleErrorLayer::new(shed)).layer(throttle);
    Ok(Router::new()
        .route("/user", get(user))
        .route("/orders", get(orders))
        .route("/report", get(report).layer(shed))
        .with_state(app))
}

async fn user(State(app): State<App>) -> Result<String, Failure> {
    Ok(app.database.oneshot("the user".to_owned()).await?)
}

async fn orders(State(app): State<App>) -> Result<String, Failure> {
    Ok(app.database.oneshot("the orders".to_owned()).await?)
}

async fn report(State(app): State<App>) -> StatusCode {
    app.reports.fetch_add(1, Ordering::Relaxed);
    StatusCode::SERVICE_UNAVAILABLE
}

async fn shed(error: ThrottleError<Infallible>) -> (StatusCode, String) {
    match error {
        // When to come back nobody knows: each request is judged anew.
        ThrottleError::Rejected(rejected) => (StatusCode::SERVICE_UNAVAILABLE, rejected.to_string()),
        ThrottleError::Inner(never) => match never {},
    }
}

/// Why a handler has no answer.
struct Failure(Error<io::Error>);

impl From<Error<io::Error>> for Failure {
    fn from(error: Error<io::Error>) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            // Not called. Whoever asked this server learns when it is worth asking again, in whole seconds, rounded up.
            Error::Open(rejected) => match rejected.retry_after() {
                Some(wait) => {
                    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds.to_string())]).into_response()
                }
                None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            },
            Error::Inner(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}

/// A client of the database: boxed, for a state has to be named, and cloned for each request. All clones share the
/// breaker and the budget. It takes a `String`, because with a `&str` in its type a handler's future is none that rustc
/// can see to be `Send`.
type Database = BoxCloneSyncService<String, String, Error<io::Error>>;

fn database(breaker: Breaker, budget: TokenBudget, down: Arc<AtomicBool>, calls: Arc<AtomicU32>) -> Database {
    let schedule = Exponential::new(Duration::from_millis(2)).cap(Duration::from_millis(20));
    let retry = Retry::new(schedule.take(2), sleep).when(again).budget(budget);
    let stack = ServiceBuilder::new().layer(retry.layer()).layer(BreakerLayer::new(breaker)).service_fn(move |query| {
        calls.fetch_add(1, Ordering::Relaxed);
        let down = down.load(Ordering::Relaxed);
        async move { if down { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(query) } }
    });
    BoxCloneSyncService::new(stack)
}

/// Whether to ask the database again.
fn again(attempt: &Result<String, Error<io::Error>>) -> Verdict {
    match attempt {
        Ok(_) => Verdict::success(),
        Err(Error::Inner(_)) => Verdict::transient(),
        Err(Error::Open(_)) => Verdict::permanent(),
    }
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
