//! What a cost weighs against another.

use crate::observe::Costs;

/// The greatest weight.
const HEAVIEST: f64 = 1e9;

/// Weights of the costs and of the faults; none is negative.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Of a minute that a healthy instance was missing at a server that had evicted it.
    pub healthy: f64,
    /// Of a minute that a dead instance was kept at a server.
    pub dead: f64,
    /// Of a call to a dead instance.
    pub calls: f64,
    /// Of a minute of self-preservation at a server while nothing was wrong.
    pub protection: f64,
    /// Of a minute in which a server would have evicted nobody.
    pub no_eviction: f64,
    /// How often faults happen, in the order in which they were named: by name (`one-death`) or by what the
    /// names of several begin with (`deaths` for `deaths-5-percent` and so on). What is not named happens
    /// once; of several that fit the last counts.
    pub faults: Vec<(String, f64)>,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            healthy: 10.0,
            dead: 1.0,
            calls: 0.0,
            protection: 1.0,
            no_eviction: 0.0,
            faults: Vec::new(),
        }
    }
}

/// Why a text is no weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// A part of it is not `NAME=NUMBER`.
    #[error("`{0}` is no weight: write NAME=NUMBER, as in healthy=10,dead=1")]
    Malformed(String),
    /// There is no such cost, and no such fault in the sweep.
    #[error(
        "there is no cost `{0}` (there are healthy, dead, calls, protection and no-eviction) and no fault \
             of that name, or that begins so; there are: {1}"
    )]
    Unknown(String, String),
    /// A number is negative or too large.
    #[error("the weight of `{0}` must be a number from 0 to {HEAVIEST}")]
    OutOfRange(String),
    /// A name stands there twice.
    #[error("`{0}` has two weights")]
    Twice(String),
    /// All costs weigh 0, or all faults.
    #[error("all weights are 0: nothing would cost anything")]
    Nothing,
}

impl Weights {
    /// Reads `healthy=10,dead=1`; what is not named has its default. Any other name is a fault's: which
    /// there are, the sweep knows ([`Weights::fit`]).
    ///
    /// # Errors
    /// If it is something else, or nothing weighs anything.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        let mut weights = Self::default();
        let mut named = Vec::new();
        for part in text.split(',') {
            let malformed = || WeightsError::Malformed(part.trim().to_owned());
            let (name, number) = part.split_once('=').ok_or_else(malformed)?;
            let (name, number) = (name.trim(), number.trim().parse::<f64>());
            let number = number.map_err(|_| malformed())?;
            if !(0.0..=HEAVIEST).contains(&number) {
                return Err(WeightsError::OutOfRange(name.to_owned()));
            }
            if named.contains(&name) {
                return Err(WeightsError::Twice(name.to_owned()));
            }
            named.push(name);
            match name {
                "healthy" => weights.healthy = number,
                "dead" => weights.dead = number,
                "calls" => weights.calls = number,
                "protection" => weights.protection = number,
                "no-eviction" => weights.no_eviction = number,
                fault => weights.faults.push((fault.to_owned(), number)),
            }
        }
        match weights.named().iter().all(|(_, weight)| *weight == 0.0) {
            true => Err(WeightsError::Nothing),
            false => Ok(weights),
        }
    }

    /// Whether every fault that is named is one of these, and one of these weighs something.
    ///
    /// # Errors
    /// If not.
    pub fn fit<'a>(
        &self,
        faults: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), WeightsError> {
        match self.faults.iter().find(|(name, _)| !faults.clone().any(|fault| is_of(name, fault))) {
            None if faults.clone().all(|fault| self.of_fault(fault) == 0.0) => {
                Err(WeightsError::Nothing)
            }
            None => Ok(()),
            Some((name, _)) => {
                let known: Vec<&str> = faults.collect();
                Err(WeightsError::Unknown(name.clone(), known.join(", ")))
            }
        }
    }

    /// How often a fault happens.
    #[must_use]
    pub fn of_fault(&self, fault: &str) -> f64 {
        let found = self.faults.iter().rev().find(|(name, _)| is_of(name, fault));
        found.map_or(1.0, |(_, weight)| *weight)
    }

    /// Those of the costs, each with its name.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, f64); 5] {
        let &Self { healthy, dead, calls, protection, no_eviction, .. } = self;
        [
            ("healthy", healthy),
            ("dead", dead),
            ("calls", calls),
            ("protection", protection),
            ("no-eviction", no_eviction),
        ]
    }

    /// What a run weighs.
    #[must_use]
    pub fn of(&self, costs: &Costs) -> f64 {
        self.healthy * minutes(costs.healthy_missing_ms)
            + self.dead * minutes(costs.ghost_ms)
            + self.calls * costs.calls_to_dead as f64
            + self.protection * minutes(costs.false_protection_ms)
            + self.no_eviction * minutes(costs.no_eviction_ms)
    }
}

/// Whether a fault has this name, or begins with it.
fn is_of(name: &str, fault: &str) -> bool {
    fault.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Minutes of so many ms.
pub(super) fn minutes(millis: u64) -> f64 {
    millis as f64 / 60_000.0
}

#[cfg(test)]
mod tests {
    use super::Weights;
    use crate::observe::Costs;

    #[test]
    fn what_is_not_named_has_its_default() {
        let weights = Weights::parse("dead=3, no-eviction=0.5").expect("weights");
        let wanted = Weights { dead: 3.0, no_eviction: 0.5, ..Weights::default() };
        assert_eq!(weights, wanted);
    }

    #[test]
    fn a_fault_weighs_as_its_name_or_what_it_begins_with_says() {
        let text = "deaths=3,deaths-5-percent=0.5,one-death=0";
        let weights = Weights::parse(text).expect("weights");
        let faults = ["none", "one-death", "deaths-5-percent", "deaths-50-percent"];
        assert_eq!(weights.fit(faults.into_iter()), Ok(()));
        assert_eq!(faults.map(|fault| weights.of_fault(fault)), [1.0, 0.0, 0.5, 3.0]);
    }

    #[test]
    fn a_run_weighs_its_minutes_and_calls() {
        let costs = Costs {
            evicted_healthy: 9,
            healthy_missing_ms: 60_000,
            ghost_ms: 120_000,
            calls_to_dead: 7,
            false_protection_ms: 30_000,
            no_eviction_ms: 240_000,
        };
        let text = "healthy=1000,dead=100,calls=10,protection=2,no-eviction=0.25";
        let weights = Weights::parse(text).expect("weights");
        assert!((weights.of(&costs) - (1000.0 + 200.0 + 70.0 + 1.0 + 1.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_weight_is_refused() {
        for text in [
            "",
            "healthy",
            "healthy=x",
            "dead=-1",
            "dead=inf",
            "dead=nan",
            "dead=1e10",
            "dead=1,dead=1",
        ] {
            assert!(Weights::parse(text).is_err(), "{text}");
        }
        let faults = ["one-death", "deaths-5-percent"];
        let weights = Weights::parse("death=1").expect("a fault's name, perhaps");
        assert!(weights.fit(faults.into_iter()).is_err());
        let weights = Weights::parse("one-death=0,deaths=0").expect("weights");
        assert!(weights.fit(faults.into_iter()).is_err());
        let nothing = "healthy=0,dead=0,protection=0";
        assert!(Weights::parse(nothing).is_err());
    }
}
