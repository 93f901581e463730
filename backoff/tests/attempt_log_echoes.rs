//! Which of a request's secrets are known again when a server sends them back as an id, and which are not.
#![cfg(all(feature = "http", feature = "tower", not(loom)))]

mod support;

use std::{
    future::ready,
    io,
    pin::pin,
    task::{Context, Waker},
};

use http::{Request, Response};
use proptest::{prelude::*, sample::select};
use support::clocks::log;
use tower::{Layer, Service, service_fn};

/// The id on record, if the server answers this request with this one.
fn kept(uri: &str, headers: &[(&str, &str)], echoed: &str) -> Option<String> {
    let log = log(1);
    let echo = service_fn(|_: Request<()>| {
        ready(Ok::<_, io::Error>(Response::builder().status(500).header("x-request-id", echoed).body(()).unwrap()))
    });
    let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
    let mut service = log.layer("openai").layer(echo);
    let answer = pin!(service.call(request.body(()).unwrap()));
    assert!(answer.poll(&mut Context::from_waker(Waker::noop())).is_ready());
    log.records()[0].request_ids.first().map(|id| id.value.to_string())
}

#[test]
fn a_secret_of_the_url_is_left_out_however_it_is_written() {
    for (uri, echoed) in [
        ("http://h/?api_key=s3cret", "s3cret"),
        ("http://h/?api_key=s3%2Fcret", "s3%2Fcret"),
        ("http://h/?api_key=s3%2fcret", "s3/cret"),
        ("http://h/?api%5Fke%79=s3cret", "s3cret"),
        ("http://h/?a=1;api_key=s3cret", "s3cret"),
        ("http://h/?api_key=s3;cret", "s3;cret"),
        ("http://h/?x=%zz%&key=s3%cret%", "s3%cret%"),
        ("http://h/?sig=s3cret", "s3cret"),
        ("http://h/?db_pwd=s3cret", "s3cret"),
        ("http://h/?pass=s3cret", "s3cret"),
        ("http://h/?code=s3cret", "s3cret"),
        ("http://user:s3cret@h/", "s3cret"),
        ("http://user:s3cret@h/", "user:s3cret"),
        ("http://s3cret@h/", "s3cret"),
        ("http://s3cret:@h/", "s3cret"),
        ("http://user:s3%40cret@h/", "s3@cret"),
    ] {
        assert_eq!(kept(uri, &[], echoed), None, "{echoed} of {uri}");
    }
    // A name longer than is looked at may be any.
    let long = format!("http://h/?api%5Fkey{}=s3cret", "x".repeat(100));
    assert_eq!(kept(&long, &[], "s3cret"), None);
}

#[test]
fn a_secret_in_a_header_is_left_out_without_its_scheme_its_name_and_its_quotes() {
    for (name, value, echoed) in [
        ("authorization", "Bearer s3cret", "s3cret"),
        ("authorization", "Bearer s3cret==", "s3cret=="),
        ("authorization", "Bearer s3cret, Bearer other", "s3cret"),
        ("authorization", "Token token=s3cret", "s3cret"),
        ("authorization", "Token token=\"s3cret\"", "s3cret"),
        ("authorization", "Digest username=\"u\", response=\"s3cret\"", "s3cret"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260314/eu/s3, Signature=s3cret", "s3cret"),
        ("authorization", "Basic dTpzM2NyZXQ=", "dTpzM2NyZXQ="),
        ("cookie", "a=b; sid=\"s3cret\"", "s3cret"),
        ("cookie", "a=b; sid=s3cret", "s3cret"),
        ("x-pass", "s3cret", "s3cret"),
    ] {
        assert_eq!(kept("http://h/", &[(name, value)], echoed), None, "{echoed} of {name}: {value}");
    }
}

#[test]
fn what_is_documented_as_not_found_is_not() {
    for (uri, headers, echoed) in [
        ("http://h/bots3cret/send", vec![], "s3cret"),
        ("http://h/", vec![("authorization", "Bearer s3cret")], "key:s3cret"),
        ("http://h/", vec![("authorization", "Bearer s3cret")], "S3CRET"),
        ("http://h/", vec![("authorization", "Basic dTpzM2NyZXQ=")], "u:s3cret"),
        ("http://h/", vec![("x-tenant", "s3cret")], "s3cret"),
    ] {
        assert_eq!(kept(uri, &headers, echoed).as_deref(), Some(echoed), "{uri} {headers:?}");
    }
}

#[test]
fn common_parameters_that_have_a_part_of_such_a_name_do_not_count() {
    let harmless = "max_tokens=9&maxTokens=9&max_output_tokens=9&keyword=j&keywords=k&author=l&authors=m&status_code=n";
    let uri = format!("http://h/?{harmless}&design=o&compass=p&passenger=q");
    for id in ["9", "j", "k", "l", "m", "n", "o", "p", "q"] {
        assert_eq!(kept(&uri, &[], id).as_deref(), Some(id));
    }
    for (uri, echoed) in
        [("authorization=a", "a"), ("tokens=b", "b"), ("max_tokens_key=c", "c"), ("keyword_token=d", "d")]
    {
        assert_eq!(kept(&format!("http://h/?{uri}"), &[], echoed), None, "{uri}");
    }
}

#[test]
fn sixteen_secrets_are_told_apart_and_of_more_every_id_is_left_out() {
    // Of cookies there is the whole header as well.
    let cookies = |count: usize| (0..count).map(|number| format!("c{number}=v{number}")).collect::<Vec<_>>().join("; ");
    let kept = |count: usize, id: &str| kept("http://h/", &[("cookie", &cookies(count))], id);
    assert_eq!(kept(15, "req_1").as_deref(), Some("req_1"));
    assert_eq!(kept(15, "v14"), None);
    assert_eq!(kept(16, "req_1"), None);
    let same = vec!["c=v"; 100].join("; ");
    assert_eq!(self::kept("http://h/", &[("cookie", &same)], "req_1").as_deref(), Some("req_1"), "the same is one");
}

proptest! {
    /// Whatever a secret is, and however much of it a URL writes with `%`: it comes back neither as it was sent nor as it was meant.
    #[test]
    fn a_secret_of_any_length_is_known_as_it_is_written_and_as_it_is_read(
        secret in "[!-~]{1,300}",
        name in select(vec!["api_key", "sig", "access%5Ftoken"]),
        escaped in any::<u64>(),
    ) {
        let plain = |byte: u8, at: usize| byte.is_ascii_alphanumeric() && escaped >> (at % 64) & 1 == 0;
        let write = |(at, byte): (usize, u8)| if plain(byte, at) { char::from(byte).into() } else { format!("%{byte:02X}") };
        let written: String = secret.bytes().enumerate().map(write).collect();
        let uri = format!("http://h/?{name}={written}");
        prop_assert_eq!(kept(&uri, &[], &secret), None);
        prop_assert_eq!(kept(&uri, &[], &written), None);
        prop_assert!(kept(&uri, &[], "another").is_some() || secret == "another");
    }
}
