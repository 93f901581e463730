//! The client's own count: each attempt that it sent, and how that ended.

use std::io::ErrorKind;

use metrics::{Counter, Unit, counter, describe_counter};

use super::{client::Answer, provider::Provider};

/// The series of one provider.
#[derive(Debug)]
pub(super) struct Counted {
    sent: Counter,
    ended: [Counter; 4],
}

/// How an attempt ended. A server has seen each that was answered, and none that was refused; of the others the client
/// cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With whatever status.
    Answered,
    /// Nobody listened.
    Refused,
    /// The connection ended before the answer.
    CutOff,
    /// The client did not wait any longer: its time was over, or another answer was there.
    GivenUp,
}

impl End {
    /// In the order of their declaration.
    const ALL: [Self; 4] = [Self::Answered, Self::Refused, Self::CutOff, Self::GivenUp];

    const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::CutOff => "cut_off",
            Self::GivenUp => "given_up",
        }
    }

    fn of(answer: &Answer) -> Self {
        match answer {
            Ok(_) => Self::Answered,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Self::Refused,
            Err(_) => Self::CutOff,
        }
    }
}

impl Counted {
    pub(super) fn new(provider: Provider) -> Self {
        describe_counter!(SENT, Unit::Count, "Attempts that were sent, refused ones included");
        describe_counter!(ENDED, Unit::Count, "Those that have ended, by how");
        let provider = provider.name();
        Self {
            sent: counter!(SENT, "provider" => provider),
            ended: End::ALL.map(|end| counter!(ENDED, "provider" => provider, "how" => end.name())),
        }
    }

    /// An attempt is sent; it is given up if what this returns is dropped.
    pub(super) fn send(&self) -> Flight<'_> {
        self.sent.increment(1);
        Flight { counted: self, end: End::GivenUp }
    }
}

/// An attempt that has not ended.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    counted: &'a Counted,
    end: End,
}

impl Flight<'_> {
    pub(super) fn end(mut self, answer: &Answer) {
        self.end = End::of(answer);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.counted.ended[self.end as usize].increment(1);
    }
}

/// Of all strategies that run while the recorder is installed.
const SENT: &str = "demo_sent_total";
const ENDED: &str = "demo_ended_total";
