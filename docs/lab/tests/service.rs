//! The model of the service, under tokio's paused clock: it takes no time, and always the same course.

#![allow(missing_docs)]

use std::{io::ErrorKind, sync::Arc, time::Duration};

use evenkeel_lab::demo::{
    client::{Client, Request},
    incident::{Incident, Phase},
    provider::Provider,
    service::{HANG, Reply, Service},
};
use tokio::time::{Instant, sleep, sleep_until};

const INCIDENT: Incident = Incident::new(Duration::from_secs(8));
const RPS: f64 = 20.0;

fn service() -> Arc<Service> {
    sized(RPS)
}

fn sized(rps: f64) -> Arc<Service> {
    Arc::new(Service::new(Provider::Primary, 1, INCIDENT, rps, Instant::now()))
}

/// The other one, whose incident begins when that of `primary` does.
fn beside(primary: &Service) -> Arc<Service> {
    Arc::new(Service::new(Provider::Secondary, 1, INCIDENT, RPS, primary.start()))
}

async fn until(phase: Phase, service: &Service) {
    sleep_until(service.start() + INCIDENT.span(phase).start).await;
}

/// Sends that many first attempts at once, and says of each what it was answered and after how long.
async fn crowd(service: &Arc<Service>, callers: u64) -> Vec<(Reply, Duration)> {
    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for id in 0..callers {
        let service = Arc::clone(service);
        calls.spawn(async move { (service.answer(id, 0).await, begun.elapsed()) });
    }
    calls.join_all().await
}

#[tokio::test(start_paused = true)]
async fn overload_makes_it_slower_and_then_makes_it_fail() {
    let mean = |answers: &[(Reply, Duration)]| {
        answers.iter().map(|(_, time)| *time).sum::<Duration>() / u32::try_from(answers.len()).unwrap()
    };
    let few = crowd(&service(), 3).await;
    let many = crowd(&service(), 12).await;
    let too_many = crowd(&service(), 100).await;
    assert!(few.iter().chain(&many).all(|(reply, _)| reply.status == 200));
    assert!(mean(&many) > mean(&few).mul_f64(1.5), "{:?} is not much slower than {:?}", mean(&many), mean(&few));

    let (refused, answered): (Vec<_>, Vec<_>) = too_many.into_iter().partition(|(reply, _)| reply.status == 503);
    assert!(refused.len() > 80 && answered.len() > 10, "{} refused, {} answered", refused.len(), answered.len());
    assert!(refused.iter().all(|(_, time)| time.is_zero()), "those for whom there is no room are told at once");
    assert!(answered.iter().all(|(reply, _)| reply.status == 200));
}

#[tokio::test(start_paused = true)]
async fn work_goes_on_when_the_caller_has_given_up() {
    let service = service();
    for id in 0..100 {
        // Polled once, which sends the attempt, and dropped.
        tokio::select! {
            biased;
            _ = service.answer(id, 0) => unreachable!("no work takes no time"),
            () = std::future::ready(()) => {}
        }
    }
    sleep(Duration::from_millis(1)).await;
    assert_eq!(service.received().len(), 100);
    assert_eq!(service.answer(100, 0).await.status, 503, "the slots and the line are full of work nobody waits for");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(service.answer(101, 0).await.status, 200, "until it is done");
}

#[tokio::test(start_paused = true)]
async fn the_surge_fails_in_the_shares_that_are_promised() {
    let service = sized(100_000.0);
    sleep_until(service.start() + Duration::from_secs(3)).await;
    let answers = crowd(&service, 4_000).await;
    let share = |wanted: &dyn Fn(u16) -> bool| {
        answers.iter().filter(|(reply, _)| wanted(reply.status)).count() as f64 / answers.len() as f64
    };
    let errors = share(&|status| matches!(status, 500 | 502 | 503 | 504));
    assert!((errors - 0.95 * 0.15).abs() < 0.02, "{errors}");
    for status in [500, 502, 503, 504] {
        assert!(share(&|seen| seen == status) > 0.005, "{status} is among them");
    }
    let throttled = share(&|status| status == 429);
    assert!((throttled - 0.05).abs() < 0.015, "{throttled}");
    assert!(answers.iter().all(|(reply, _)| (reply.status == 429) == reply.retry_after.is_some()));
    let (hung, worked): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, time)| *time >= HANG);
    assert!((10..60).contains(&hung.len()), "{} of 4,000 hang", hung.len());
    let slowest = worked.iter().map(|(_, time)| *time).max().unwrap();
    // A tick of the clock more.
    assert!(slowest <= Duration::from_millis(501), "{slowest:?}");
    assert!(slowest >= Duration::from_millis(500), "{slowest:?}");
}

#[tokio::test(start_paused = true)]
async fn an_attempts_luck_is_its_own() {
    let mut fates = Vec::new();
    for order in [[0, 1, 2, 3, 4, 5], [5, 3, 1, 4, 2, 0]] {
        let service = service();
        sleep_until(service.start() + Duration::from_secs(3)).await;
        let mut seen = [(0, Duration::ZERO); 6];
        for id in order {
            let begun = Instant::now();
            let reply = service.answer(id, 0).await;
            seen[usize::try_from(id).unwrap()] = (reply.status, begun.elapsed());
        }
        fates.push(seen);
    }
    assert_eq!(fates[0], fates[1], "whatever was asked before it");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_early_is_told_again() {
    let service = sized(100_000.0);
    sleep_until(service.start() + Duration::from_secs(3)).await;
    let mut calls = tokio::task::JoinSet::new();
    for id in 0..500 {
        let service = Arc::clone(&service);
        calls.spawn(async move {
            let Reply { status: 429, retry_after: Some(wait) } = service.answer(id, 0).await else { return None };
            sleep(wait / 2).await;
            Some((wait, service.answer(id, 1).await))
        });
    }
    let told: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    assert!(told.len() > 5, "{} of 500", told.len());
    for (wait, again) in told {
        assert_eq!(again.status, 429);
        assert!(again.retry_after <= Some(wait / 2), "and not to wait longer than before");
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_outage_connections_are_refused_and_then_all_are_answered_503() {
    let service = service();
    let client = Client::direct([Arc::clone(&service), beside(&service)]);
    let request = Request::new(7, Arc::clone(&client));

    until(Phase::Refused, &service).await;
    assert_eq!(request.send().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(service.received().len(), 0);

    until(Phase::Unavailable, &service).await;
    assert_eq!(request.send().await.unwrap().status(), 503);

    until(Phase::Recovery, &service).await;
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(client.sent().len(), 3, "refused connections are counted too");
    assert_eq!(service.received().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_second_provider_is_slower_and_well_all_the_time() {
    let secondary = Arc::new(Service::new(Provider::Secondary, 1, INCIDENT, 100_000.0, Instant::now()));
    for phase in Phase::ALL {
        until(phase, &secondary).await;
        let mut answers = crowd(&secondary, 2_000).await;
        answers.sort_by_key(|(_, time)| *time);
        let (_, median) = answers[1_000];
        assert!(median.abs_diff(Duration::from_millis(60)) < Duration::from_millis(4), "{median:?} in {phase:?}");
        let failed = answers.iter().filter(|(reply, _)| reply.status != 200).count();
        assert!((1..30).contains(&failed), "{failed} of 2,000 in {phase:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_provider_has_luck_of_its_own() {
    let (mut faster, mut slower) = (0, 0);
    for id in 0..40 {
        let mut times = [Duration::ZERO; 2];
        for (provider, time) in Provider::ALL.into_iter().zip(&mut times) {
            // A new one each time, so that it is calm.
            let begun = Instant::now();
            Arc::new(Service::new(provider, 1, INCIDENT, RPS, begun)).answer(id, 0).await;
            *time = begun.elapsed();
        }
        // With the same luck it would always take three times as long.
        faster += u32::from(times[1] < times[0] * 2);
        slower += u32::from(times[1] > times[0] * 4);
    }
    assert!(faster > 3 && slower > 3, "{faster} and {slower} of 40");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_goes_to_whom_it_is_sent_and_the_answer_says_who_gave_it() {
    let primary = service();
    let client = Client::direct([Arc::clone(&primary), beside(&primary)]);
    let request = Request::new(7, Arc::clone(&client));
    until(Phase::Unavailable, &primary).await;
    for (provider, status) in [(Provider::Secondary, 200), (Provider::Primary, 503), (Provider::Secondary, 200)] {
        let answer = client.send(provider, request.message()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.extensions().get()), (status, Some(&provider)));
    }
    let to: Vec<Provider> = client.sent().iter().map(|sent| sent.to).collect();
    assert_eq!(to, [Provider::Secondary, Provider::Primary, Provider::Secondary]);
    assert_eq!(primary.received().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_in_line_when_it_went_down_is_lost() {
    let service = service();
    let client = Client::direct([Arc::clone(&service), beside(&service)]);
    sleep_until(service.start() + INCIDENT.span(Phase::Refused).start - Duration::from_millis(2)).await;
    let mut calls = tokio::task::JoinSet::new();
    for id in 0..12 {
        let request = Request::new(id, Arc::clone(&client));
        calls.spawn(async move { request.send().await });
    }
    let answers = calls.join_all().await;
    let closed = answers
        .iter()
        .filter(|answer| matches!(answer, Err(error) if error.kind() == ErrorKind::ConnectionReset))
        .count();
    assert!(closed >= 8, "{closed} of 12 were cut off");

    until(Phase::Recovery, &service).await;
    assert!(crowd(&service, 5).await.iter().all(|(reply, _)| reply.status == 200));
}
