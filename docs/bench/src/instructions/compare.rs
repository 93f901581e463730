//! What was counted, beside what is kept.

use std::fmt;

use super::Counts;

/// So much more is a failure; so much less is to be kept, or it could come back unseen.
const TOLERANCE: f64 = 0.05;

/// What is there to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparison {
    /// Other counts are to be expected, from another compiler or for another processor.
    Incomparable {
        /// What was kept was made by this.
        kept: String,
        /// What was counted was made by that.
        counted: String,
    },
    /// Function by function; none if all is as it was.
    Compared(Vec<Finding>),
}

/// A function whose count is not what is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Its name under [`hot`](crate::hot).
    pub function: String,
    /// How many instructions it took, if it is kept.
    pub kept: Option<u64>,
    /// How many it takes, if it was counted.
    pub counted: Option<u64>,
}

impl Comparison {
    /// Of all functions in either.
    #[must_use]
    pub fn new(kept: &Counts, counted: &Counts) -> Self {
        let maker = |counts: &Counts| format!("rustc {} for {}", counts.rustc, counts.target);
        if maker(kept) != maker(counted) {
            return Self::Incomparable { kept: maker(kept), counted: maker(counted) };
        }
        let new = counted.instructions.keys().filter(|function| !kept.instructions.contains_key(*function));
        let findings = kept.instructions.keys().chain(new).map(|function| Finding {
            function: function.clone(),
            kept: kept.instructions.get(function).copied(),
            counted: counted.instructions.get(function).copied(),
        });
        Self::Compared(findings.filter(Finding::is_one).collect())
    }
}

impl Finding {
    fn is_one(&self) -> bool {
        self.change().is_none_or(|change| change.abs() > TOLERANCE)
    }

    /// Whether it is a failure. Fewer instructions are none.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.change().is_none_or(|change| change > 0.0)
    }

    /// How many more, as a share of what is kept.
    fn change(&self) -> Option<f64> {
        let (kept, counted) = (self.kept? as f64, self.counted? as f64);
        Some((counted - kept) / kept.max(1.0))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, kept, counted } = self;
        match (kept, counted, self.change()) {
            (Some(kept), Some(counted), Some(change)) => {
                let more = if change > 0.0 { "more" } else { "less" };
                write!(f, "{function}: {kept} → {counted} instructions, {:.1} % {more}", 100.0 * change.abs())
            }
            (Some(kept), _, _) => write!(f, "{function}: {kept} instructions are kept, and it was not called"),
            (None, counted, _) => write!(f, "{function}: {} instructions, not kept", counted.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(instructions: &[(&str, u64)]) -> Counts {
        let instructions = instructions.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        Counts { rustc: "1.85.0".to_owned(), target: "x86_64-unknown-linux-gnu".to_owned(), instructions }
    }

    fn found(kept: &[(&str, u64)], counted: &[(&str, u64)]) -> Vec<(String, bool)> {
        match Comparison::new(&counts(kept), &counts(counted)) {
            Comparison::Compared(findings) => {
                findings.iter().map(|finding| (finding.to_string(), finding.fails())).collect()
            }
            other @ Comparison::Incomparable { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn five_per_cent_either_way_is_nothing() {
        assert_eq!(found(&[("a::b", 100), ("a::c", 100)], &[("a::b", 105), ("a::c", 95)]), []);
    }

    #[test]
    fn more_fails_and_says_how_much() {
        let more = ("a::b: 100 → 106 instructions, 6.0 % more".to_owned(), true);
        assert_eq!(found(&[("a::b", 100), ("a::c", 50)], &[("a::b", 106), ("a::c", 50)]), [more]);
    }

    #[test]
    fn less_is_told_and_does_not_fail() {
        let less = ("a::b: 100 → 94 instructions, 6.0 % less".to_owned(), false);
        assert_eq!(found(&[("a::b", 100)], &[("a::b", 94)]), [less]);
    }

    #[test]
    fn one_that_is_not_called_any_more_fails() {
        let gone = ("a::b: 100 instructions are kept, and it was not called".to_owned(), true);
        assert_eq!(found(&[("a::b", 100)], &[]), [gone]);
    }

    #[test]
    fn one_that_is_not_kept_yet_fails() {
        assert_eq!(found(&[], &[("a::b", 100)]), [("a::b: 100 instructions, not kept".to_owned(), true)]);
    }

    #[test]
    fn the_counts_of_another_compiler_or_processor_are_not_compared() {
        let kept = counts(&[("a::b", 100)]);
        let newer = Counts { rustc: "1.86.0".to_owned(), ..counts(&[("a::b", 1)]) };
        let Comparison::Incomparable { kept: before, counted } = Comparison::new(&kept, &newer) else {
            panic!("they are another compiler's")
        };
        assert_eq!(before, "rustc 1.85.0 for x86_64-unknown-linux-gnu");
        assert_eq!(counted, "rustc 1.86.0 for x86_64-unknown-linux-gnu");
        let elsewhere = Counts { target: "aarch64-unknown-linux-gnu".to_owned(), ..counts(&[]) };
        assert!(matches!(Comparison::new(&kept, &elsewhere), Comparison::Incomparable { .. }));
    }
}
