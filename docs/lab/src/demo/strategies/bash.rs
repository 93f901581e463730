//! The loop around `curl` in many a script: 5 tries, waits of 5·2ⁿ s, only a 500 is tried again. There is no timeout: what hangs, hangs.

use std::time::Duration;

use super::{Answering, Strategy, is_500};
use crate::demo::{client::Request, incident::compressed};

#[derive(Debug)]
pub(super) struct Bash;

/// In real life; the try after the last wait is the fifth.
const WAITS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(20), Duration::from_secs(40)];

impl Strategy for Bash {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(async move {
            let mut answer = request.send().await;
            for wait in WAITS {
                if !is_500(&answer) {
                    break;
                }
                tokio::time::sleep(compressed(wait)).await;
                answer = request.send().await;
            }
            answer
        })
    }
}
