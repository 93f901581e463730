//! What callgrind writes (`--compress-strings=no --compress-pos=no`): costs by line, and calls, under the function that has them.

use std::collections::BTreeMap;

/// All functions of a run, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    functions: BTreeMap<String, Function>,
}

/// What one function took in all its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// How often it was called.
    pub calls: u64,
    /// Its own instructions, what was inlined into it included, by `file:line`.
    pub own: BTreeMap<String, u64>,
    /// What it called, and how many instructions those took with all that they called.
    pub callees: BTreeMap<String, u64>,
}

impl Profile {
    /// Reads the whole file; lines of no interest are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut profile = Self::default();
        let (mut file, mut name) = ("", "");
        let (mut callee, mut is_call) = ("", false);
        for line in text.lines() {
            if let Some((key, value)) = line.split_once('=') {
                match key {
                    // What is inlined comes from another file, and is the function's own.
                    "fl" | "fi" | "fe" => file = value,
                    "fn" => name = value,
                    "cfn" => callee = value,
                    // The line after this has the cost of these calls.
                    "calls" => {
                        let calls = value.split(' ').next().and_then(|calls| calls.parse().ok()).unwrap_or(0);
                        profile.function(callee).calls += calls;
                        is_call = true;
                    }
                    _ => {}
                }
            } else if let Some((at, cost)) = cost(line) {
                let function = profile.function(name);
                if !std::mem::take(&mut is_call) {
                    *function.own.entry(format!("{file}:{at}")).or_default() += cost;
                } else if callee != name {
                    // One that calls itself has those instructions already.
                    *function.callees.entry(callee.to_owned()).or_default() += cost;
                }
            }
        }
        profile
    }

    /// All functions with their names.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &Function)> {
        self.functions.iter().map(|(name, function)| (name.as_str(), function))
    }

    /// The function of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    fn function(&mut self, name: &str) -> &mut Function {
        self.functions.entry(name.to_owned()).or_default()
    }
}

impl Function {
    /// Instructions of a call, with all that it calls: rounded, and none if it was not called.
    #[must_use]
    pub fn inclusive_per_call(&self) -> Option<u64> {
        let inclusive: u64 = self.own.values().chain(self.callees.values()).sum();
        (self.calls > 0).then(|| (inclusive + self.calls / 2) / self.calls)
    }

    /// Where the most instructions of a call are, the most first: lines of its own, and functions that it calls.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(&str, f64)> {
        let places = self.own.iter().chain(&self.callees);
        let mut top: Vec<_> =
            places.map(|(place, &cost)| (place.as_str(), cost as f64 / self.calls.max(1) as f64)).collect();
        top.sort_by(|a, b| b.1.total_cmp(&a.1));
        top.truncate(count);
        top
    }
}

/// `<line> <instructions>`.
fn cost(line: &str) -> Option<(&str, u64)> {
    let (at, cost) = line.split_once(' ')?;
    at.parse::<u64>().ok()?;
    Some((at, cost.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# callgrind format
version: 1
part: 1

desc: Timerange: Basic block 0 - 10
positions: line
events: Ir
summary: 260

ob=/bin/hot
fl=hot.rs
fn=measured
10 20
cfn=path
calls=4 7
11 220
12 20

fn=path
7 40
fi=atomic.rs
38 8
fe=hot.rs
8 12
cob=/lib/libc.so
cfi=memcpy.S
cfn=memcpy
calls=4 100
9 40
cfn=depth
calls=8 30
9 120

fn=depth
30 80
cfn=depth
calls=8 30
31 70
jump=8 35
32
fl=memcpy.S
fn=memcpy
100 40
totals: 260
";

    fn function(name: &str) -> Function {
        Profile::parse(SAMPLE).get(name).expect("it is in the sample").clone()
    }

    #[test]
    fn a_function_has_its_own_lines_what_is_inlined_and_what_it_calls() {
        let path = function("path");
        let own = [("atomic.rs:38", 8), ("hot.rs:7", 40), ("hot.rs:8", 12)];
        assert_eq!(path.own, own.map(|(place, cost)| (place.to_owned(), cost)).into());
        assert_eq!(path.callees, [("depth", 120), ("memcpy", 40)].map(|(name, cost)| (name.to_owned(), cost)).into());
        assert_eq!((path.calls, path.inclusive_per_call()), (4, Some(55)));
    }

    #[test]
    fn calls_of_itself_are_not_counted_twice() {
        let depth = function("depth");
        assert_eq!((depth.own.values().sum::<u64>(), depth.callees.len()), (80, 0));
    }

    #[test]
    fn one_that_nobody_called_has_no_count() {
        assert_eq!((function("measured").calls, function("measured").inclusive_per_call()), (0, None));
    }

    #[test]
    fn a_function_in_two_parts_of_the_file_is_one() {
        let twice = format!("{SAMPLE}\nfl=hot.rs\nfn=path\n7 4\n");
        let path = Profile::parse(&twice).get("path").expect("it is in the sample").clone();
        assert_eq!((path.own["hot.rs:7"], path.inclusive_per_call()), (44, Some(56)));
    }

    #[test]
    fn the_most_comes_first() {
        assert_eq!(function("path").top(2), [("depth", 30.0), ("hot.rs:7", 10.0)]);
    }
}
