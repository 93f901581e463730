//! All that there is to say of a policy: bounds, figures, warnings.

use serde::Serialize;

use super::{
    Bounds, Load, Measured, Policy, Refused, Warning,
    human::{ms, rounded},
    measured::{Scene, measure},
    timeline::Moment,
};

/// What the calculator answers. Written with `{}` it is text for people, as JSON it is for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub(super) config: Config,
    pub(super) bounds: Bounds,
    /// `none`, `naive` and `yours`, in this order.
    pub(super) measured: [Measured; 3],
    pub(super) added: Added,
    pub(super) warnings: Vec<Warning>,
    #[serde(skip)]
    pub(super) moments: Vec<Moment>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Config {
    pub(super) rps: f64,
    pub(super) clients: u32,
    pub(super) outage_ms: f64,
    pub(super) seed: u64,
    /// What was taken for the service, defaults included.
    pub(super) service: Taken,
    /// What of the fleet was run.
    pub(super) simulated: Scene,
    /// The file.
    pub(super) policy: toml::Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Taken {
    pub(super) latency_ms: f64,
    pub(super) capacity_rps: f64,
    pub(super) queue_ms: f64,
    pub(super) timeout_ms: Option<f64>,
}

/// How much longer callers wait with the policy than where nothing is tried again, whether they are answered or not: less than
/// nothing where it says sooner that it will not be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Added {
    pub(super) calm_p50_ms: Option<f64>,
    pub(super) calm_p99_ms: Option<f64>,
    pub(super) around_p50_ms: Option<f64>,
    pub(super) around_p99_ms: Option<f64>,
}

impl Report {
    /// Works it all out; the same `seed` gives the same.
    ///
    /// # Errors
    ///
    /// When one client alone has more requests than can be followed.
    pub fn of(policy: &Policy, load: &Load, seed: u64) -> Result<Self, Refused> {
        let scene = Scene::of(policy, load)?;
        let bounds = Bounds::of(policy, load);
        let [none, naive, yours] = measure(policy, load, &scene, seed);
        let measured = [none.0, naive.0, yours.0];
        Ok(Self {
            config: Config {
                rps: load.rps(),
                clients: load.clients().get(),
                outage_ms: ms(load.outage()),
                seed,
                service: Taken {
                    latency_ms: ms(policy.service.latency()),
                    capacity_rps: policy.capacity(load.rps()),
                    queue_ms: ms(policy.queue()),
                    timeout_ms: policy.service.timeout.map(ms),
                },
                simulated: scene,
                policy: policy.tables.clone(),
            },
            bounds,
            added: Added::of(&measured),
            warnings: Warning::of_calm(&measured).into_iter().chain(Warning::all(policy, load, &bounds)).collect(),
            measured,
            moments: [none.1, naive.1, yours.1].concat(),
        })
    }

    /// What a fleet with the policy came to.
    #[must_use]
    pub fn yours(&self) -> &Measured {
        &self.measured[2]
    }

    /// What one came to that tries again at once.
    #[must_use]
    pub fn naive(&self) -> &Measured {
        &self.measured[1]
    }

    /// The worst cases.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// What will hurt.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Added {
    fn of([none, _, yours]: &[Measured; 3]) -> Self {
        let added = |of: fn(&Measured) -> Option<f64>| Some(rounded(of(yours)? - of(none)?));
        Self {
            calm_p50_ms: added(|seen| seen.calm_wait_p50_ms),
            calm_p99_ms: added(|seen| seen.calm_wait_p99_ms),
            around_p50_ms: added(|seen| seen.around_wait_p50_ms),
            around_p99_ms: added(|seen| seen.around_wait_p99_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_the_wait_with_the_policy_less_that_without_it() {
        let seen = |calm, around| Measured {
            calm_wait_p50_ms: Some(calm),
            calm_wait_p99_ms: Some(calm * 2.0),
            around_wait_p50_ms: Some(around),
            ..Measured::default()
        };
        let added = Added::of(&[seen(100.0, 900.0), seen(7.0, 7.0), seen(130.0, 400.0)]);
        let expected = Added {
            calm_p50_ms: Some(30.0),
            calm_p99_ms: Some(60.0),
            around_p50_ms: Some(-500.0),
            around_p99_ms: None,
        };
        assert_eq!(added, expected);
    }
}
