//! What is written with `%` in a URL, read without taking memory for it.

/// The bytes that `text` stands for. A `%` that begins no byte is itself.
pub(super) fn decoded(text: &str) -> impl Iterator<Item = u8> + '_ {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (byte, length) = match *rest {
            [] => return None,
            [b'%', high, low, ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => (high * 16 + low, 3),
                _ => (b'%', 1),
            },
            [byte, ..] => (byte, 1),
        };
        rest = &rest[length..];
        Some(byte)
    })
}

fn digit(byte: u8) -> Option<u8> {
    // A hexadecimal digit is less than 16.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The last bytes of some, in a place that does not grow, and how many there were.
pub(super) struct Tail {
    bytes: [u8; 2 * Self::BYTES],
    held: usize,
    dropped: usize,
}

impl Tail {
    pub(super) const BYTES: usize = 64;

    pub(super) fn push(&mut self, byte: u8) {
        if self.held == self.bytes.len() {
            self.bytes.copy_within(Self::BYTES.., 0);
            self.held -= Self::BYTES;
            self.dropped += Self::BYTES;
        }
        self.bytes[self.held] = byte;
        self.held += 1;
    }

    /// How many there were.
    pub(super) const fn length(&self) -> usize {
        self.dropped + self.held
    }

    /// At most the last [`BYTES`](Self::BYTES).
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.held.saturating_sub(Self::BYTES)..self.held]
    }
}

impl Default for Tail {
    fn default() -> Self {
        Self { bytes: [0; 2 * Self::BYTES], held: 0, dropped: 0 }
    }
}
