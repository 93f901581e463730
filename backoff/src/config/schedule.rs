//! Schedules and their jitter from a configuration file.

use serde::{Deserialize, Deserializer, de};

use super::human::{Human, Refused};
use crate::{
    AnySchedule, Builder, Constant, Decorrelated, Exponential, Fibonacci, Invalid, Jitter, Linear, Ratio, Schedule,
    curve::{Curve, Jittered},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Constant,
    Linear,
    Exponential,
    Fibonacci,
    Decorrelated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSchedule {
    kind: Kind,
    first: Human,
    step: Option<Human>,
    factor: Option<f64>,
    jitter: Option<Jitter>,
    floor: Option<Human>,
    cap: Option<Human>,
    within: Option<Human>,
    seed: Option<u64>,
}

impl<'de> Deserialize<'de> for AnySchedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawSchedule::deserialize(deserializer)?.build().map_err(de::Error::custom)
    }
}

impl RawSchedule {
    fn build(&self) -> Result<AnySchedule, Refused> {
        let first = self.first.read("first")?;
        self.refuse(Kind::Linear, "step", self.step.is_some(), "left out: only a linear schedule has it")?;
        self.refuse(
            Kind::Exponential,
            "factor",
            self.factor.is_some(),
            "left out: only an exponential schedule has it",
        )?;
        match self.kind {
            Kind::Constant => self.jittered(Constant::builder(first)),
            Kind::Linear => {
                let step =
                    self.step.as_ref().ok_or(Invalid::absent("step", "given for a linear schedule"))?.read("step")?;
                self.jittered(Linear::builder(first, step))
            }
            Kind::Exponential => {
                let builder = Exponential::builder(first);
                self.jittered(self.factor.map_or(builder, |factor| builder.factor(factor)))
            }
            Kind::Fibonacci => self.jittered(Fibonacci::builder(first)),
            Kind::Decorrelated => {
                let own = "left out: a decorrelated schedule spreads by itself, from its first delay up";
                if self.jitter.is_some() {
                    return Err(Invalid::given("jitter", own).into());
                }
                if self.floor.is_some() {
                    return Err(Invalid::given("floor", own).into());
                }
                self.bounded(Decorrelated::new(first).to_builder())
            }
        }
    }

    fn jittered<C: Jittered>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Refused>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(jitter) = self.jitter {
            builder = builder.jitter(jitter);
        }
        if let Some(floor) = &self.floor {
            builder = builder.floor(floor.read("floor")?);
        }
        self.bounded(builder)
    }

    fn bounded<C: Curve>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Refused>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(cap) = &self.cap {
            builder = builder.cap(cap.read("cap")?);
        }
        if let Some(within) = &self.within {
            builder = builder.within(within.read("within")?);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        Ok(builder.build()?.into())
    }

    /// Refuses a field that only the schedule `only` has, where it is given for another.
    fn refuse(&self, only: Kind, field: &'static str, given: bool, range: &'static str) -> Result<(), Invalid> {
        if given && self.kind != only { Err(Invalid::given(field, range)) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Jitter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Raw {
            None,
            Full,
            Equal,
            Around(f64),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::None => Self::None,
            Raw::Full => Self::Full,
            Raw::Equal => Self::Equal,
            Raw::Around(share) => {
                let refused = |_| de::Error::custom(Invalid::number("jitter.around", share, "a number from 0 to 1"));
                Self::Around(Ratio::new(share).map_err(refused)?)
            }
        })
    }
}
