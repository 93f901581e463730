//! How many instructions the [hot paths](crate::hot) take, beside how many they took when it was last written down.

pub mod callgrind;
pub mod compare;
#[cfg(feature = "shown")]
mod sheet;

use std::{collections::BTreeMap, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::hot::PLACE;
#[cfg(feature = "shown")]
pub use sheet::sheet;

/// Instructions a call, by the function's name under [`hot`](crate::hot), and what made them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The compiler: another makes others.
    pub rustc: String,
    /// Whose instructions they are, as a target triple.
    pub target: String,
    /// Rounded.
    pub instructions: BTreeMap<String, u64>,
}

impl Counts {
    /// Reads what is kept.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is nothing of the kind.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    /// Keeps them: a function a line, sorted.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

/// Instructions a call of each hot path in what callgrind counted, those of all that it calls included.
#[must_use]
pub fn of_hot_paths(profile: &callgrind::Profile) -> BTreeMap<String, u64> {
    let hot = profile.functions().filter_map(|(name, function)| Some((hot_path(name)?, function)));
    hot.filter_map(|(name, function)| Some((name.to_owned(), function.inclusive_per_call()?))).collect()
}

/// `breaker::success`, if the function is one: no closure in it, nor what calls the others.
fn hot_path(function: &str) -> Option<&str> {
    let path = function.strip_prefix(PLACE)?;
    let (_, name) = path.split_once("::")?;
    (name != "run" && !name.contains(':')).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_path_is_a_function_of_an_area() {
        assert_eq!(hot_path("evenkeel_bench::hot::breaker::success"), Some("breaker::success"));
        for other in ["run", "measured", "breaker::run", "breaker::success::{{closure}}"] {
            assert_eq!(hot_path(&format!("{PLACE}{other}")), None);
        }
        assert_eq!(hot_path("evenkeel_breaker::hot::breaker::success"), None);
    }

    #[test]
    fn what_is_kept_is_a_function_a_line() {
        let counts = Counts {
            rustc: "1.85.0".to_owned(),
            target: "x86_64".to_owned(),
            instructions: [("b::c".to_owned(), 2), ("a::b".to_owned(), 1)].into(),
        };
        let text = serde_json::to_string_pretty(&counts).expect("JSON has strings and numbers");
        assert_eq!(serde_json::from_str::<Counts>(&text).expect("its own"), counts);
        assert!(text.contains("    \"a::b\": 1,\n    \"b::c\": 2\n"), "{text}");
    }
}
