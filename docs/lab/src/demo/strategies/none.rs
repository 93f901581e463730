//! No strategy: what the service answers is the answer.

use super::{Answering, Strategy};
use crate::demo::client::Request;

#[derive(Debug)]
pub(super) struct None;

impl Strategy for None {
    fn answer<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(request.send())
    }
}
