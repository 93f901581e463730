//! What became of a fleet's requests, bin by bin.

use std::time::Duration;

use crate::stats::Latencies;

/// What was counted while the bin lasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Requests that users began.
    pub begun: u32,
    /// Of these, those that were answered, whenever that was.
    pub of_begun_answered: u32,
    /// Attempts that came to the server.
    pub sent: u32,
    /// Answers that came to users.
    pub answered: u32,
}

/// All bins, from the start.
#[derive(Clone, Debug)]
pub struct Tally {
    width: Duration,
    bins: Vec<Bin>,
    spans: Vec<Span>,
}

/// The requests that began from one time to that of the next span, counted apart from the bins.
#[derive(Clone, Debug)]
pub struct Span {
    from: Duration,
    /// Requests that users began.
    pub begun: u32,
    /// How long those took that were answered.
    pub answered: Latencies,
    /// How long users waited, whether they were answered or not.
    pub waits: Latencies,
}

impl Span {
    fn new(from: Duration) -> Self {
        Self { from, begun: 0, answered: Latencies::new(), waits: Latencies::new() }
    }

    /// The share of its requests that were answered, 0 to 1; 1 when there are none.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.begun == 0 { 1.0 } else { self.answered.len() as f64 / f64::from(self.begun) }
    }
}

impl Tally {
    /// Bins of this width, above zero; and spans from each of these times on, in their order, the first of them zero.
    #[must_use]
    pub fn new(width: Duration, spans: &[Duration]) -> Self {
        Self { width, bins: Vec::new(), spans: spans.iter().copied().map(Span::new).collect() }
    }

    /// A user has asked.
    pub fn begin(&mut self, at: Duration) {
        self.bin(at).begun += 1;
        if let Some(span) = self.span_of(at) {
            span.begun += 1;
        }
    }

    /// An attempt came to the server.
    pub fn send(&mut self, at: Duration) {
        self.bin(at).sent += 1;
    }

    /// A request that began then is answered.
    pub fn answer(&mut self, begun: Duration, at: Duration) {
        self.bin(begun).of_begun_answered += 1;
        self.bin(at).answered += 1;
        if let Some(span) = self.span_of(begun) {
            span.answered.record(at - begun);
            span.waits.record(at - begun);
        }
    }

    /// A request that began then has failed.
    pub fn fail(&mut self, begun: Duration, at: Duration) {
        if let Some(span) = self.span_of(begun) {
            span.waits.record(at - begun);
        }
    }

    /// How wide a bin is.
    #[must_use]
    pub fn width(&self) -> Duration {
        self.width
    }

    /// Each bin that began in this time, with when.
    pub fn bins(&self, from: Duration, until: Duration) -> impl DoubleEndedIterator<Item = (Duration, Bin)> {
        let at = (0..).map(|number| self.width * number);
        at.zip(self.bins.iter().copied())
            .skip_while(move |(at, _)| *at < from)
            .take_while(move |(at, _)| *at < until)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// All of this time in one.
    #[must_use]
    pub fn sum(&self, from: Duration, until: Duration) -> Bin {
        self.bins(from, until).fold(Bin::default(), |sum, (_, bin)| Bin {
            begun: sum.begun + bin.begun,
            of_begun_answered: sum.of_begun_answered + bin.of_begun_answered,
            sent: sum.sent + bin.sent,
            answered: sum.answered + bin.answered,
        })
    }

    /// From when on, within this time, of the requests of every bin at least `share` were answered; none when of the last ones
    /// not.
    #[must_use]
    pub fn answered_from(&self, from: Duration, until: Duration, share: f64) -> Option<Duration> {
        let well = |bin: &Bin| f64::from(bin.of_begun_answered) >= share * f64::from(bin.begun);
        self.bins(from, until).rev().take_while(|(_, bin)| well(bin)).last().map(|(at, _)| at)
    }

    /// The latencies of the requests that began in the span that began then; none if there is no such span.
    #[must_use]
    pub fn latencies(&self, from: Duration) -> Option<&Latencies> {
        self.spans.iter().find(|span| span.from == from).map(|span| &span.answered)
    }

    /// The spans that began in this time, in one: what began from the first of them to the one after them.
    #[must_use]
    pub fn spans(&self, from: Duration, until: Duration) -> Span {
        let mut all = Span::new(from);
        for span in self.spans.iter().filter(|span| (from..until).contains(&span.from)) {
            all.begun += span.begun;
            all.answered.add(&span.answered);
            all.waits.add(&span.waits);
        }
        all
    }

    fn span_of(&mut self, begun: Duration) -> Option<&mut Span> {
        self.spans.iter_mut().rfind(|span| span.from <= begun)
    }

    fn bin(&mut self, at: Duration) -> &mut Bin {
        let number = (at.as_nanos() / self.width.as_nanos()) as usize;
        if self.bins.len() <= number {
            self.bins.resize(number + 1, Bin::default());
        }
        &mut self.bins[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn what_happens_counts_in_its_bin_and_an_answer_in_that_of_its_request_as_well() {
        let mut tally = Tally::new(S, &[Duration::ZERO, S * 3]);
        tally.begin(S);
        tally.send(S);
        tally.send(S * 2);
        tally.answer(S, S * 5);
        assert_eq!(tally.sum(S, S * 2), Bin { begun: 1, of_begun_answered: 1, sent: 1, answered: 0 });
        assert_eq!(tally.sum(S * 2, S * 6), Bin { begun: 0, of_begun_answered: 0, sent: 1, answered: 1 });
        let spans = [Duration::ZERO, S * 3].map(|from| tally.latencies(from).map(Latencies::len));
        assert_eq!(spans, [Some(1), Some(0)]);
    }

    #[test]
    fn spans_are_exact_where_bins_are_not_and_failures_wait_too() {
        let mut tally = Tally::new(S * 10, &[Duration::ZERO, S * 3, S * 5]);
        [2, 3, 4, 5].iter().for_each(|second| tally.begin(S * *second));
        tally.answer(S * 3, S * 4);
        tally.fail(S * 4, S * 8);
        let told = |span: &Span| (span.begun, span.answered.len(), span.waits.len(), span.share());
        assert_eq!(told(&tally.spans(S * 3, S * 5)), (2, 1, 2, 0.5));
        assert_eq!(told(&tally.spans(Duration::ZERO, S * 9)), (4, 1, 2, 0.25));
        assert!(tally.spans(S * 3, S * 5).waits.quantile_ms(1.0) >= Some(3_990.0));
        assert_eq!(tally.spans(S * 6, S * 9).share(), 1.0);
    }

    #[test]
    fn it_is_well_from_the_bin_after_the_last_bad_one() {
        let mut tally = Tally::new(S, &[Duration::ZERO]);
        for (second, answered) in [9, 3, 10, 2, 10, 10].into_iter().enumerate() {
            let at = S * second as u32;
            (0..10).for_each(|_| tally.begin(at));
            (0..answered).for_each(|_| tally.answer(at, at));
        }
        assert_eq!(tally.answered_from(S, S * 6, 0.95), Some(S * 4));
        assert_eq!(tally.answered_from(S, S * 4, 0.95), None, "not while the last bin is bad");
        assert_eq!(tally.answered_from(S, S * 6, 0.2), Some(S));
    }
}
