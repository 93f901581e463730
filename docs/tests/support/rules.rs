//! The rule file and its stories, read line by line: they are ours, and written in one way.

use std::collections::BTreeMap;

/// One rule: what it records or the alert that it is, and its other keys.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) is_alert: bool,
    /// By key, on whatever level: `expr`, `severity`, `summary`, `runbook` …
    pub(crate) keys: BTreeMap<String, String>,
}

/// The rules of a rule file.
pub(crate) fn rules(text: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.trim_start().trim_start_matches("- ").split_once(':') else { continue };
        match key {
            "alert" | "record" => {
                let (name, is_alert) = (value.trim().to_owned(), key == "alert");
                rules.push(Rule { name, is_alert, keys: BTreeMap::new() });
            }
            "expr" | "for" | "severity" | "summary" | "description" | "runbook" => {
                let rule = rules.last_mut().expect("a key follows the name of its rule");
                rule.keys.insert(key.to_owned(), whole(value.trim(), &lines[index..]));
            }
            _ => {}
        }
    }
    rules
}

/// A value in its line, or in the lines below that stand further right.
fn whole(value: &str, lines: &[&str]) -> String {
    if !value.starts_with(['|', '>']) {
        return value.trim_matches('\'').to_owned();
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    let below = lines[1..].iter().take_while(|line| depth(line) > depth(lines[0]));
    below.map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The input series of the stories, as selectors.
pub(crate) fn input_series(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix("- series: "))
}

/// How often the stories say that an alert is firing, and that it is not.
pub(crate) fn told(stories: &str, alert: &str) -> (usize, usize) {
    let firing = format!("- expr: ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}");
    let quiet = format!("alertname: {alert}, exp_alerts: []");
    let lines: Vec<&str> = stories.lines().map(str::trim).collect();
    // A firing alert has samples below the next two lines, and one that has none says so.
    let fires = |index: usize| !lines[index..].iter().take(3).any(|line| line.ends_with("exp_samples: []"));
    let fires_here = lines.iter().enumerate().filter(|(index, line)| **line == firing && fires(*index)).count();
    let in_words = lines.windows(2).filter(|pair| pair[0] == format!("alertname: {alert}") && pair[1] == "exp_alerts:");
    (fires_here + in_words.count(), lines.iter().filter(|line| line.contains(&quiet)).count())
}
