//! What the configuration refuses, and what the stack does where one provider is of no use.

use std::path::Path;

use evenkeel_breaker::State;

use super::{
    chat,
    config::Config,
    providers::{Mood, Server},
    stack::Client,
};

const FILE: &str = include_str!("../model_api.toml");

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("model_api.toml"), text).map_err(|refused| refused.to_string())
}

/// Of the file with `from` replaced by `to`, once.
fn refusal(from: &str, to: &str) -> String {
    assert!(FILE.contains(from), "{from}");
    parse(&FILE.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn the_file_is_read() {
    let config = parse(FILE).unwrap();
    let names: Vec<&str> = config.providers.iter().map(|provider| &*provider.name).collect();
    assert_eq!(names, ["usual", "other"]);
}

#[test]
fn what_makes_no_sense_is_refused_by_the_names_of_the_file_its_table_and_its_field() {
    const URL: &str = "\"http://127.0.0.1:1/v1/chat/completions\"";
    for (from, to, field, why) in [
        ("cap = \"5s\"", "cap = \"5 parsecs\"", "retry.schedule: cap", "`5 parsecs`"),
        ("max_attempts = 4", "max_attempts = 0", "retry: max_attempts", "is 0: it must be at least 1"),
        ("max_attempts = 4", "max_attempts = \"four\"", "retry.max_attempts", "invalid type: string"),
        ("attempt_timeout = \"25s\"", "", "retry: attempt_timeout", "must be given"),
        ("quantile = 0.95", "quantile = 95", "hedge: ", "quantile is 95"),
        ("kind = \"aws\"", "kind = \"gcp\"", "budget: kind", "`gcp`"),
        ("in_flight = 8", "in_flight = 0", "bulk.in_flight", "nonzero"),
        ("in_flight = 8", "in_flight = 9223372036854775807", "bulk.in_flight", "9223372036854775807"),
        ("queue = 100", "queue = 100\nqueues = 3", "bulk.queues", "unknown field"),
        ("dropped_after = \"100ms\"", "dropped_after = \"25s\"", "log: dropped_after", "shorter than"),
        ("failure_rate = 0.5", "failure_rate = 50", "providers[0].breaker: failure_rate", "is 50"),
        ("attempt_timeout = \"15s\"", "attempt_timeout = \"0s\"", "providers[1].attempt_timeout", "longer than zero"),
        ("attempt_timeout = \"15s\"", "attempt_timeout = \"25s\"", "providers[1]: attempt_timeout", "shorter than"),
        ("check_every = \"15s\"", "check_every = \"often\"", "providers[0].check_every", "`often`"),
        (URL, "\"/v1\"", "providers[0].url", "names no host"),
        (URL, "\"api.example:443\"", "providers[0].url", "must begin with http://"),
        (URL, "\"ftp://api.example/\"", "providers[0].url", "must begin with http://"),
        (URL, "\"https://api.example/\"", "providers[0].url", "rustls"),
        (URL, "\"http://me:secret@api.example/\"", "providers[0].url", "without a name and a password"),
        (URL, "\"no url\"", "providers[0].url", "is no URL"),
        ("model = \"large\"", "", "providers[0]: ", "missing field `model`"),
        ("model = \"large\"", "model = \" \"", "providers[0].model", "must not be empty"),
        ("name = \"other\"", "name = \"usual\"", "providers[1]: name", "another provider's"),
    ] {
        let refusal = refusal(from, to);
        assert!(refusal.starts_with(&format!("model_api.toml: {field}")) && refusal.contains(why), "{to}: {refusal}");
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let refusal = refusal("[retry]", "[retry");
    assert!(refusal.starts_with("model_api.toml: ") && refusal.contains("line 4"), "{refusal}");
}

#[test]
fn a_file_without_providers_with_too_many_or_that_is_not_there_is_refused() {
    let without = FILE.split("[[providers]]").next().unwrap();
    assert!(parse(without).unwrap_err().starts_with("model_api.toml: missing field `providers`"));
    let none = parse(&format!("providers = []\n{without}")).unwrap_err();
    assert_eq!(none, "model_api.toml: providers: there must be from 1 to 64");
    let provider = FILE.split("[[providers]]").nth(2).unwrap();
    let many: String = (0..65).map(|n| format!("[[providers]]{}", provider.replace("other", &n.to_string()))).collect();
    assert!(parse(&format!("{without}{many}")).unwrap_err().contains("from 1 to 64"));
    let refusal = Config::read(Path::new("nowhere/model_api.toml")).unwrap_err().to_string();
    assert!(refusal.starts_with("nowhere/model_api.toml: "), "{refusal}");
}

/// What cargo has set for this test stands for keys.
#[test]
fn a_key_is_taken_from_the_environment_and_shown_to_nobody() {
    let with = |variable: &str| {
        let key = format!("key_env = \"{variable}\"");
        parse(&FILE.replacen("# key_env = \"USUAL_API_KEY\"", &key, 1)).unwrap().authorizations()
    };
    let refusal = with("EVENKEEL_NO_SUCH_KEY").unwrap_err().to_string();
    assert!(refusal.starts_with("model_api.toml: providers[0].key_env: "), "{refusal}");
    assert!(refusal.ends_with("no variable `EVENKEEL_NO_SUCH_KEY`, or it is empty"), "{refusal}");
    assert!(with("").is_err() && with("A=B").is_err());

    let keys = with("CARGO_PKG_NAME").unwrap();
    let sent = keys[0].as_ref().unwrap();
    assert_eq!((sent.to_str().unwrap(), keys[1].is_none()), ("Bearer evenkeel-docs", true));
    assert!(sent.is_sensitive() && !format!("{keys:?}").contains("evenkeel-docs"));
}

/// The file's stack, with `from` replaced by `to`, in front of two servers.
async fn client(from: &str, to: &str) -> (Client, [Server; 2]) {
    assert!(FILE.contains(from), "{from}");
    let mut config = parse(&FILE.replace(from, to)).unwrap();
    let servers = [Server::start("usual").await.unwrap(), Server::start("other").await.unwrap()];
    config.providers.iter_mut().zip(&servers).for_each(|(provider, server)| provider.moved_to(server.url()));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    (Client::new(&config, &http, tokio::time::sleep).unwrap(), servers)
}

#[tokio::test]
async fn a_provider_that_hangs_is_found_out_while_the_other_one_answers_for_it() {
    let (client, [usual, _other]) = client("until_warm = \"2s\"", "until_warm = \"200ms\"").await;
    usual.is(Mood::Silent);
    let asked: Vec<_> = (0..12)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.ask(chat()).await })
        })
        .collect();
    for answer in asked {
        assert!(answer.await.unwrap().unwrap().status().is_success(), "the other one answers");
    }
    assert_eq!(client.breaker(0).state(), State::Open);
    assert_eq!(client.log().report().service("usual").totals()[0].failures, 12, "{}", client.log().report());
}

#[tokio::test]
async fn a_second_provider_that_refuses_us_does_not_spoil_the_first_ones_retries() {
    let (client, [usual, other]) = client("first = \"200ms\"", "first = \"2ms\"").await;
    usual.is(Mood::FailsOnce);
    other.is(Mood::RefusesUs);
    assert!(client.ask(chat()).await.unwrap().status().is_success());
    assert_eq!((usual.requests(), other.requests()), (2, 1));
}

#[tokio::test]
async fn a_provider_that_refuses_us_is_left_alone_after_some_requests() {
    let (client, [usual, _other]) = client("first = \"200ms\"", "first = \"2ms\"").await;
    usual.is(Mood::RefusesUs);
    for _ in 0..20 {
        assert!(client.ask(chat()).await.unwrap().status().is_success());
    }
    assert_eq!((client.breaker(0).state(), usual.requests()), (State::Open, 10));
}

#[tokio::test]
async fn where_nobody_can_be_reached_the_caller_is_told_and_the_log_says_how() {
    let (client, servers) = client("first = \"200ms\"", "first = \"2ms\"").await;
    drop(servers);
    let failure = client.ask(chat()).await.unwrap_err();
    assert!(failure.into_inner().is_some());
    let report = client.log().report().to_string();
    assert!(report.contains("connection refused"), "{report}");
}
