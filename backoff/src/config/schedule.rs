//! Schedules and their jitter from a configuration file.

use serde::{Deserialize, Deserializer, de};

use super::human::Human;
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
    fn build(&self) -> Result<AnySchedule, Invalid> {
        let Human(first) = self.first;
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
                let Human(step) = self.step.ok_or(Invalid::absent("step", "given for a linear schedule"))?;
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
                    return Err(Invalid::given("jitter", own));
                }
                if self.floor.is_some() {
                    return Err(Invalid::given("floor", own));
                }
                self.bounded(Decorrelated::new(first).to_builder())
            }
        }
    }

    fn jittered<C: Jittered>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Invalid>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(jitter) = self.jitter {
            builder = builder.jitter(jitter);
        }
        if let Some(Human(floor)) = self.floor {
            builder = builder.floor(floor);
        }
        self.bounded(builder)
    }

    fn bounded<C: Curve>(&self, mut builder: Builder<C>) -> Result<AnySchedule, Invalid>
    where
        Schedule<C>: Into<AnySchedule>,
    {
        if let Some(Human(cap)) = self.cap {
            builder = builder.cap(cap);
        }
        if let Some(Human(within)) = self.within {
            builder = builder.within(within);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        builder.build().map(Into::into)
    }

    /// Refuses a field that only the schedule `only` has, where it is given for another.
    fn refuse(&self, only: Kind, field: &'static str, given: bool, range: &'static str) -> Result<(), Invalid> {
        if given && self.kind != only { Err(Invalid::given(field, range)) } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
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
            Around(Ratio),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::None => Self::None,
            Raw::Full => Self::Full,
            Raw::Equal => Self::Equal,
            Raw::Around(ratio) => Self::Around(ratio),
        })
    }
}
