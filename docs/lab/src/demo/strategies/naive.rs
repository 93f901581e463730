//! The first idea that everyone has: if it fails, ask again, at once.

use super::{Answering, Strategy, is_success};
use crate::demo::client::Request;

#[derive(Debug)]
pub(super) struct Naive;

const RETRIES: usize = 3;

impl Strategy for Naive {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(async move {
            let mut answer = request.send().await;
            for _ in 0..RETRIES {
                if is_success(&answer) {
                    break;
                }
                answer = request.send().await;
            }
            answer
        })
    }
}
