//! Which public types may cross threads and be moved: pinned here, so that a change of it is seen.
#![cfg(all(feature = "retry", not(loom)))]

use std::{
    future::Ready,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
    time::Duration,
};

use evenkeel_backoff::{
    AnyDelays, AnySchedule, AttemptTimeout, Builder, Constant, Decorrelated, Delays, Exponential, Fibonacci, Invalid,
    Jitter, Linear, NoTimeout, Ratio, Retry, Run, Stop, Unbudgeted, curve,
};

fn plain<T: Copy + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
fn shared<T: Send + Sync + Unpin + 'static>() {}
fn crossing<T: Send + Sync>() {}

type Policy = Retry<Exponential, fn(Duration) -> Ready<()>>;

#[test]
fn values_are_copy_and_cross_threads() {
    plain::<Constant>();
    plain::<Linear>();
    plain::<Exponential>();
    plain::<Fibonacci>();
    plain::<Decorrelated>();
    plain::<AnySchedule>();
    plain::<Builder<curve::Exponential>>();
    plain::<Jitter>();
    plain::<Ratio>();
    plain::<Invalid>();
    plain::<Stop>();
    plain::<Unbudgeted>();
    plain::<NoTimeout>();
    plain::<AttemptTimeout<fn()>>();
    plain::<Policy>();
    #[cfg(feature = "serde")]
    plain::<evenkeel_backoff::RetryConfig>();
    plain::<evenkeel_backoff::grpc::Classifier>();
    #[cfg(feature = "http")]
    plain::<evenkeel_backoff::http::Classifier>();
}

#[test]
fn sessions_and_futures_cross_threads_when_their_parts_do() {
    shared::<Delays<curve::Exponential>>();
    shared::<AnyDelays>();
    type Attempt = Ready<Result<(), ()>>;
    crossing::<Run<'static, Policy, fn(u32) -> Attempt, Attempt>>();
    #[cfg(feature = "metrics")]
    shared::<evenkeel_backoff::Metrics>();
}

#[cfg(feature = "tower")]
#[test]
fn layers_services_and_their_responses_cross_threads_when_their_parts_do() {
    use evenkeel_backoff::{Always, Repeat, ResponseFuture, RetryLayer, RetryService, TokenBudget};

    type Shared =
        Retry<Exponential, fn(Duration) -> Ready<()>, fn(&Result<(), ()>) -> evenkeel_backoff::Verdict, TokenBudget>;
    type Inner = tower::util::ServiceFn<fn(()) -> Ready<Result<(), ()>>>;
    plain::<Repeat>();
    plain::<Always>();
    shared::<RetryLayer<Arc<Shared>>>();
    shared::<RetryService<Inner, Arc<Shared>>>();
    crossing::<ResponseFuture<Inner, Arc<Shared>, Always, ()>>();
    shared::<RetryLayer<&'static Shared>>();
    shared::<RetryService<Inner, &'static Shared>>();
    crossing::<ResponseFuture<Inner, &'static Shared, Always, ()>>();
}

#[cfg(feature = "http")]
#[test]
fn a_log_of_attempts_is_shared_by_threads_and_asks_nothing_of_what_it_watches() {
    use evenkeel_backoff::http::{
        AttemptEnd, AttemptLog, AttemptLogBuilder, AttemptRecord, ErrorKinds, Report, RequestId, ServiceTotals, Watch,
    };

    plain::<AttemptEnd>();
    plain::<ErrorKinds>();
    shared::<AttemptLog>();
    shared::<AttemptLogBuilder>();
    shared::<AttemptRecord>();
    shared::<RequestId>();
    shared::<Report>();
    shared::<ServiceTotals>();
    shared::<Watch<Ready<Result<http::Response<()>, std::io::Error>>>>();
    #[cfg(feature = "tower")]
    {
        use evenkeel_backoff::http::{AttemptLogLayer, AttemptLogService};
        shared::<AttemptLogLayer>();
        shared::<AttemptLogService<()>>();
    }
}

/// What a service does with a request: a stack that is cloned into a task.
#[cfg(all(feature = "tower", feature = "http"))]
#[test]
fn a_stack_is_spawned_with_a_classifier_that_is_a_type() {
    use evenkeel_backoff::http::{Classifier, by_method};
    use http::{Request, Response};
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    type Body = Box<dyn std::fmt::Debug + Send>;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let retry = Retry::new(Exponential::new(Duration::ZERO).take(3), tokio::time::sleep).classify(Classifier::new());
    let retry = retry.attempt_timeout(Duration::from_secs(10), || std::io::Error::from(std::io::ErrorKind::TimedOut));
    let stack = ServiceBuilder::new().layer(retry.layer().replay(by_method)).service(service_fn(
        |request: Request<String>| async move { Ok::<_, std::io::Error>(Response::new(Box::new(request) as Body)) },
    ));
    let answered = runtime.block_on(async move {
        let task = async move { stack.oneshot(Request::new("Hello".to_owned())).await };
        tokio::spawn(task).await.unwrap()
    });
    assert!(answered.unwrap().status().is_success());
}

/// A future that need not be `Send` or `'static` may borrow what is neither.
#[test]
fn no_bound_is_asked_that_the_code_does_not_need() {
    let local = std::rc::Rc::new(std::cell::Cell::new(0));
    let retry = Retry::new([Duration::ZERO], |_| std::future::ready(()));
    let borrowed = &local;
    let run = retry.run(|_| async move {
        borrowed.set(borrowed.get() + 1);
        Ok::<_, ()>(())
    });
    let mut run = std::pin::pin!(run);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::future::Future::poll(run.as_mut(), &mut cx).is_ready());
    assert_eq!(local.get(), 1);
}
