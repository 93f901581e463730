//! Which headers hold ids, and which of their values are kept.

use std::{boxed::Box, vec::Vec};

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::{RequestId, secrets::Secrets};

/// As many ids as an attempt has.
const MAX_IDS: usize = 4;
/// As many bytes as are kept of one.
const MAX_BYTES: usize = 128;

/// The names of those that are known, the one that clients send first.
const KNOWN: [&str; 7] = [
    "x-client-request-id",
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "x-ms-request-id",
    "apim-request-id",
    "cf-ray",
];

/// The headers that ids are read from.
pub(super) struct IdHeaders {
    names: Box<[HeaderName]>,
    /// So many of them, from the first, are read of requests, too.
    sent: usize,
}

impl IdHeaders {
    /// With these before those that are known.
    pub(super) fn with(mut names: Vec<HeaderName>) -> Self {
        names.extend(KNOWN.map(HeaderName::from_static));
        let sent = names.len() - KNOWN.len() + 1;
        Self { names: names.into(), sent }
    }

    /// The id that a request is sent with.
    pub(super) fn of_request(&self, headers: &HeaderMap, is_secret: impl Fn(&[u8]) -> bool) -> Option<SentId> {
        let sent = (0..=u16::MAX).zip(&self.names[..self.sent]);
        let mut found = sent.filter_map(|(name, header)| Some((name, first(headers, header, &is_secret)?)));
        found.next().map(|(name, text)| SentId::new(name, text))
    }

    /// All ids of an attempt: the request's, and those of the response, if there was one.
    pub(super) fn of_attempt(
        &self,
        sent: Option<&SentId>,
        response: Option<&HeaderMap>,
        is_secret: impl Fn(&[u8]) -> bool,
    ) -> Vec<RequestId> {
        let mut ids: Vec<RequestId> =
            sent.map(|sent| id(&self.names[usize::from(sent.name)], sent.text())).into_iter().collect();
        let received = response.into_iter().flat_map(|headers| self.names.iter().map(move |header| (header, headers)));
        for (header, headers) in received {
            let Some(text) = first(headers, header, &is_secret) else { continue };
            // Some answer with the id that they were sent.
            if ids.len() < MAX_IDS && !ids.iter().any(|id| id.header == *header && *id.value == *text) {
                ids.push(id(header, text));
            }
        }
        ids
    }
}

/// The id of a request that is under way. Its text is here and not on the heap: most attempts succeed, and then nobody reads
/// it.
pub(super) struct SentId {
    name: u16,
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl SentId {
    fn new(name: u16, text: &str) -> Self {
        let mut bytes = [0; MAX_BYTES];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        // `readable` has cut it to `MAX_BYTES`.
        Self { name, length: text.len() as u8, bytes }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

fn id(header: &HeaderName, text: &str) -> RequestId {
    RequestId { header: header.clone(), value: text.into() }
}

/// The first value of a header that is an id.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName, is_secret: impl Fn(&[u8]) -> bool) -> Option<&'a str> {
    headers.get_all(name).into_iter().find_map(|value| readable(value, &is_secret))
}

/// Visible ASCII, and neither marked as a secret nor known as one. Without spaces: no id has one, and what is `Bearer …`
/// does.
fn readable(value: &HeaderValue, is_secret: impl Fn(&[u8]) -> bool) -> Option<&str> {
    let text = std::str::from_utf8(value.as_bytes().trim_ascii()).ok()?;
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_id && !value.is_sensitive() && !is_secret(text.as_bytes())).then(|| &text[..text.len().min(MAX_BYTES)])
}

/// How a request's own secrets are asked for a value.
pub(super) fn no_secret_of(secrets: &Secrets, key: &std::hash::RandomState) -> impl Fn(&[u8]) -> bool {
    move |value| secrets.contain(key, value)
}
