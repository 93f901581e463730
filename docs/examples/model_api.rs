//! A client of a chat API that two providers serve: deadline, retry, budget, hedging, a breaker for each provider, a time limit
//! for each attempt, bulk requests paced, and all of it from a TOML file.
//!
//! `cargo run -p evenkeel-docs --example model_api` shows it against two servers of its own.

// Each file is one idea; see the chapter "One stack".
#[path = "model_api/config.rs"]
mod config;
#[path = "model_api/endpoint.rs"]
mod endpoint;
#[path = "model_api/providers.rs"]
mod providers;
#[path = "model_api/stack.rs"]
mod stack;
#[cfg(test)]
#[path = "model_api/tests.rs"]
mod tests;

use std::{path::Path, sync::Arc};

use config::Config;
use endpoint::Chat;
use evenkeel_breaker::State;
use providers::{Mood, Server};
use stack::Client;
use tower::BoxError;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut config = Config::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/model_api.toml"))?;
    // Two servers of our own stand for those of the file.
    let (usual, other) = (Server::start("usual").await?, Server::start("other").await?);
    for (provider, server) in config.providers.iter_mut().zip([&usual, &other]) {
        provider.moved_to(server.url());
    }
    // They are on this machine: a proxy of the environment has nothing to do with them.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let client = Client::new(&config, &http, tokio::time::sleep)?;

    println!("all is well: {}", ask(&client).await?);

    usual.is(Mood::Failing);
    println!("the usual one answers 503: {}", ask(&client).await?);
    while client.breaker(0).state() != State::Open {
        ask(&client).await?;
    }
    let before = usual.requests();
    println!("its breaker is open: {}", ask(&client).await?);
    assert_eq!(usual.requests(), before, "it is left alone");

    usual.is(Mood::Well);
    // A probe would find out, in a second or so; an operator who knows need not wait for it.
    client.breaker(0).reset();
    println!("it is back: {}", ask(&client).await?);

    // Whether they are well is looked at all the time, and an outage known before a user tells.
    let probers = client.probe();

    // So many that the estimate of what is late is warm.
    for _ in 0..150 {
        ask(&client).await?;
    }
    usual.is(Mood::Silent);
    println!("it does not answer: {}", ask(&client).await?);
    usual.is(Mood::Well);

    let bulk: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.ask_in_bulk(chat()).await.map(|answer| answer.status()) })
        })
        .collect();
    for answer in bulk {
        assert!(answer.await??.is_success());
    }
    assert!(
        usual.most_at_once() <= usize::from(config.bulk.in_flight.get()),
        "of twenty at once, so many were let through"
    );
    println!("twenty in bulk, {} at once at the most", usual.most_at_once());

    usual.is(Mood::Failing);
    other.is(Mood::RefusesUs);
    let answer = client.ask(chat()).await?;
    println!("nobody can: {}", answer.status());

    probers.iter().for_each(tokio::task::JoinHandle::abort);
    let report = client.log().report().to_string();
    println!("\nfor the support of both:\n{report}");
    assert!(report.contains("503") && report.contains("401") && report.contains("x-client-request-id="));
    Ok(())
}

/// Who has answered.
async fn ask(client: &Client) -> Result<String, BoxError> {
    let answer = client.ask(chat()).await?;
    let body: serde_json::Value = serde_json::from_slice(answer.body())?;
    match body["choices"][0]["message"]["content"].as_str() {
        Some(content) => Ok(content.to_owned()),
        None => Err(format!("{}: no completion in the answer", answer.status()).into()),
    }
}

fn chat() -> Chat {
    Chat { prompt: Arc::from("Is all well?") }
}

#[test]
fn it_runs() -> Result<(), BoxError> {
    main()
}
