//! Lognormal latencies, mean 5 ms, standard deviation 2 ms, some of which are ten times as long.

use std::{f64::consts::TAU, time::Duration};

pub(crate) struct Latencies {
    tail: Tail,
    factor: f64,
    second: Option<Duration>,
    random: u64,
}

/// What is slow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail {
    /// This share of the attempts, each by itself.
    Each(f64),
    /// This share of the requests, in all their attempts.
    Request(f64),
}

impl Latencies {
    pub(crate) fn new(tail: Tail) -> Self {
        Self { tail, factor: 1.0, second: None, random: 0x9e37_79b9_7f4a_7c15 }
    }

    pub(crate) fn scale(&mut self, factor: f64) {
        self.factor *= factor;
    }

    pub(crate) fn second_takes(&mut self, always: Duration) {
        self.second = Some(always);
    }

    /// What the two attempts of a request take.
    pub(crate) fn request(&mut self) -> [Duration; 2] {
        let slow = match self.tail {
            Tail::Each(share) => [self.uniform() < share, self.uniform() < share],
            Tail::Request(share) => [self.uniform() < share; 2],
        };
        let normal = self.normal();
        let mut takes = [0, 1].map(|attempt| {
            let millis = (MU + SIGMA * normal[attempt]).exp() * if slow[attempt] { 10.0 } else { 1.0 };
            Duration::from_secs_f64(millis * self.factor / 1e3)
        });
        takes[1] = self.second.unwrap_or(takes[1]);
        takes
    }

    /// Box and Muller.
    fn normal(&mut self) -> [f64; 2] {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let angle = TAU * self.uniform();
        [radius * angle.cos(), radius * angle.sin()]
    }

    /// From 0 to 1. Marsaglia's xorshift, multiplied.
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Of the logarithm of milliseconds: a variance of ln(1 + 2²/5²).
const SIGMA: f64 = 0.385_253_170_1;
const MU: f64 = 1.609_437_912_4 - SIGMA * SIGMA / 2.0;
