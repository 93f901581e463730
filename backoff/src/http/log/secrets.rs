//! The secrets of one request, to know them again without having them.

use std::hash::{BuildHasher, RandomState};

use ::http::{HeaderMap, Uri, header::COOKIE};

use super::{
    credential::{credential, parameter},
    percent::{Tail, decoded},
};

/// As many as are told apart: `Authorization` is two of them, with its scheme and without.
const MAX_SECRETS: usize = 16;

/// Fingerprints of a request's secrets.
pub(super) struct Secrets {
    prints: [u32; MAX_SECRETS],
    count: u32,
}

impl Secrets {
    /// Of credentials by their name, of what is marked as sensitive, and of what a URL has of them.
    pub(super) fn of(key: &RandomState, headers: &HeaderMap, uri: Option<&Uri>) -> Self {
        let mut secrets = Self { prints: [0; MAX_SECRETS], count: 0 };
        for (name, value) in headers {
            if value.is_sensitive() || credential(name.as_str()).is_some() {
                let text = value.as_bytes().trim_ascii();
                secrets.add(key, text);
                if name == COOKIE {
                    text.split(|byte| *byte == b';').for_each(|pair| secrets.add_value_of(key, pair));
                } else {
                    secrets.add_parameters(key, after(text, b' ').unwrap_or_default());
                }
            }
        }
        if let Some(uri) = uri {
            secrets.add_user(key, uri.authority().map_or("", |authority| authority.as_str()));
            for pair in uri.query().into_iter().flat_map(|query| query.split('&')) {
                secrets.add_pair(key, pair);
                // Some servers part at these as well, and to others they are of the value.
                pair.split(';').filter(|part| part.len() < pair.len()).for_each(|part| secrets.add_pair(key, part));
            }
        }
        secrets
    }

    /// Whether `value` is one of them; of more than can be told apart, any may be.
    pub(super) fn contain(&self, key: &RandomState, value: &[u8]) -> bool {
        self.prints.get(..self.count as usize).is_none_or(|prints| prints.contains(&print(key, value)))
    }

    /// Of `Bearer abc`, `Token token="abc"` or `Digest username="u", response="abc"`, what is behind the scheme.
    fn add_parameters(&mut self, key: &RandomState, text: &[u8]) {
        self.add(key, text);
        for parameter in text.split(|byte| *byte == b',') {
            self.add(key, parameter);
            self.add_value_of(key, parameter);
        }
    }

    /// Of `name=value` the value, as it is and without its quotes.
    fn add_value_of(&mut self, key: &RandomState, pair: &[u8]) {
        let value = after(pair, b'=').unwrap_or_default();
        // What pads base64 is no value.
        if value.iter().any(|byte| *byte != b'=') {
            self.add(key, value);
            let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
            self.add(key, unquoted.unwrap_or_default());
        }
    }

    /// Of the query.
    fn add_pair(&mut self, key: &RandomState, pair: &str) {
        if let Some((_, value)) = pair.split_once('=').filter(|(name, _)| parameter(name)) {
            self.add_with_decoded(key, value);
        }
    }

    /// Of `user:password@host`, both: some send a token in the place of the name.
    fn add_user(&mut self, key: &RandomState, authority: &str) {
        if let Some((user, _)) = authority.rsplit_once('@') {
            self.add_with_decoded(key, user);
            let (name, password) = user.split_once(':').unwrap_or_default();
            [name, password].into_iter().for_each(|part| self.add_with_decoded(key, part));
        }
    }

    fn add_with_decoded(&mut self, key: &RandomState, text: &str) {
        self.add(key, text.as_bytes());
        if text.contains('%') {
            let mut tail = Tail::default();
            decoded(text).for_each(|byte| tail.push(byte));
            self.add_print(print_of(key, tail.length(), tail.bytes()));
        }
    }

    fn add(&mut self, key: &RandomState, secret: &[u8]) {
        let secret = secret.trim_ascii();
        if !secret.is_empty() {
            self.add_print(print(key, secret));
        }
    }

    fn add_print(&mut self, print: u32) {
        let count = self.count as usize;
        if self.prints.get(..count).is_some_and(|prints| prints.contains(&print)) {
            return;
        }
        if let Some(place) = self.prints.get_mut(count) {
            *place = print;
        }
        self.count = self.count.saturating_add(1);
    }
}

/// What follows the first `mark`, if there is one.
fn after(text: &[u8], mark: u8) -> Option<&[u8]> {
    text.iter().position(|byte| *byte == mark).map(|at| text[at + 1..].trim_ascii())
}

/// Of a long one, its end and its length are enough to know it again.
fn print(key: &RandomState, secret: &[u8]) -> u32 {
    print_of(key, secret.len(), &secret[secret.len().saturating_sub(Tail::BYTES)..])
}

fn print_of(key: &RandomState, length: usize, end: &[u8]) -> u32 {
    // Half of a hash with a key: one of four thousand million ids is left out for nothing.
    key.hash_one((length, end)) as u32
}
