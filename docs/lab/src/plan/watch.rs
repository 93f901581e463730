//! What a fleet has sent: for the requests of the outage, and in the worst second.

use std::{collections::VecDeque, ops::Range, time::Duration};

/// Attempts, told apart by when their requests began.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    outage: Range<Duration>,
    looked_at: Range<Duration>,
    /// Attempts of the requests that began in the outage, whenever they were sent.
    pub(super) of_outage: u64,
    /// The most attempts that came in any one second that is looked at.
    pub(super) peak: usize,
    lately: VecDeque<Duration>,
}

impl Watch {
    /// The peak is that of the time that is `looked_at`.
    pub(super) fn new(outage: Range<Duration>, looked_at: Range<Duration>) -> Self {
        Self { outage, looked_at, of_outage: 0, peak: 0, lately: VecDeque::new() }
    }

    /// An attempt of a request that began then; in the order of time.
    pub(super) fn sent(&mut self, begun: Duration, now: Duration) {
        self.of_outage += u64::from(self.outage.contains(&begun));
        if !self.looked_at.contains(&now) {
            return;
        }
        self.lately.push_back(now);
        while self.lately.front().is_some_and(|first| now - *first >= SECOND) {
            self.lately.pop_front();
        }
        self.peak = self.peak.max(self.lately.len());
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_belongs_to_its_request_and_the_peak_is_that_of_any_second() {
        let ms = Duration::from_millis;
        let mut watch = Watch::new(ms(1_000)..ms(2_000), ms(1_000)..ms(9_000));
        // Begun before it, and sent in it; begun in it, and sent after it.
        [(900, 950), (900, 1_100), (1_000, 1_600), (1_999, 2_000), (1_999, 2_599), (2_000, 2_601), (2_000, 9_000)]
            .iter()
            .for_each(|&(begun, now)| watch.sent(ms(begun), ms(now)));
        assert_eq!((watch.of_outage, watch.peak), (3, 3));
    }
}
