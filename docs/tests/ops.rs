//! What is in `docs/ops` and the playbook fits the table of metrics, fits together, and is what Prometheus understands.

#![cfg(not(loom))]

mod support {
    pub(crate) mod promql;
    pub(crate) mod rules;
    pub(crate) mod sample;
    pub(crate) mod table;
    pub(crate) mod tool;
}

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use support::{
    promql::{Selector, selectors},
    rules::{Rule, input_series, rules, told},
    sample,
    table::{Kind, Series, Values, documented},
    tool,
};

const README: &str = include_str!("../ops/README.md");
const DASHBOARD: &str = include_str!("../ops/dashboard.json");
const PLAYBOOK: &str = include_str!("../book/src/playbook.md");

type Table = BTreeMap<String, Series>;

fn table() -> Table {
    documented().into_iter().map(|series| (series.name.clone(), series)).collect()
}

/// What is wrong with a selector, by the table, and by the labels of what rules record.
fn faults(selector: &Selector, table: &Table, recorded: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let Selector { series, matchers, by, .. } = selector;
    let asked = matchers.iter().map(|(label, ..)| label).chain(by);
    if let Some(kept) = recorded.get(series) {
        let missing = asked.filter(|label| !kept.contains(label));
        return missing.map(|label| format!("`{series}` keeps no label `{label}`")).collect();
    }
    let parts = ["_bucket", "_sum", "_count"];
    let whole = parts.iter().find_map(|part| series.strip_suffix(part)).filter(|whole| table.contains_key(*whole));
    let Some(of) = table.get(whole.unwrap_or(series)) else { return vec![format!("`{series}` is not in the table")] };
    let mut faults = Vec::new();
    if (of.kind == Kind::Histogram) != whole.is_some() {
        faults.push(format!("`{series}` is a {}: a part of it, and only of a histogram", of.kind.as_str()));
    }
    for label in asked {
        let of_prometheus = ["job", "instance"].contains(&label.as_str());
        let of_buckets = label == "le" && series.ends_with("_bucket");
        if !(of_prometheus || of_buckets || of.labels.contains_key(label)) {
            faults.push(format!("`{series}` has no label `{label}`"));
        }
    }
    for (label, operator, values) in matchers.iter().filter(|(.., value)| !value.contains('$')) {
        let Some(Values::Of(known)) = of.labels.get(label) else { continue };
        let values = if operator.ends_with('~') { values.split('|').collect() } else { vec![values.as_str()] };
        let unknown = values.into_iter().filter(|value| !known.contains(*value));
        faults.extend(unknown.map(|value| format!("`{label}` of `{series}` is never `{value}`")));
    }
    faults
}

/// As [`faults`]; and that what only rises is looked at by its rate, and what is a state is not.
fn faults_of_use(selector: &Selector, table: &Table, recorded: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut faults = faults(selector, table, recorded);
    if !recorded.contains_key(&selector.series) {
        let is_gauge = table.get(&selector.series).is_some_and(|series| series.kind == Kind::Gauge);
        let by_rate = selector.function.as_deref().is_some_and(|name| ["rate", "increase"].contains(&name));
        if is_gauge == by_rate {
            faults.push(format!("`{}`: rates are for counters, and nothing else is for them", selector.series));
        }
    }
    faults
}

/// The rules of all files.
fn alerts() -> String {
    files("alerts").iter().map(|file| read(file)).collect()
}

/// The stories of all files.
fn stories() -> String {
    files("stories").iter().map(|file| read(file)).collect()
}

/// The files of a folder in `docs/ops`, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(ops(folder)).expect("the folder is there");
    let files: BTreeSet<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    assert!(files.len() > 1 && files.iter().all(|file| file.extension().is_some_and(|end| end == "yml")), "{files:?}");
    files.into_iter().collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The labels that recorded series keep.
fn recorded(rules: &[Rule]) -> BTreeMap<String, Vec<String>> {
    let records = rules.iter().filter(|rule| !rule.is_alert);
    records.map(|rule| (rule.name.clone(), vec!["job".to_owned(), "name".to_owned()])).collect()
}

fn expressions_of_the_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let mut expressions = Vec::new();
    each_object(&dashboard, &mut |object| {
        expressions.extend(object.get("expr").and_then(Value::as_str).map(str::to_owned));
    });
    expressions
}

fn each_object(value: &Value, look: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            look(object);
            object.values().for_each(|value| each_object(value, look));
        }
        Value::Array(values) => values.iter().for_each(|value| each_object(value, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The panels, without the rows that they are in.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("a dashboard has panels");
    panels.iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

fn titles() -> BTreeSet<String> {
    panels().iter().map(|panel| panel["title"].as_str().expect("a panel has a title").to_owned()).collect()
}

/// The expressions in the playbook, in code fences of their own.
fn expressions_of_the_playbook() -> Vec<String> {
    PLAYBOOK.split("```promql\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn each_series_and_label_in_rules_stories_panels_and_playbook_is_in_the_table() {
    let (table, rules) = (table(), rules(&alerts()));
    let recorded = recorded(&rules);
    let used = rules.iter().map(|rule| rule.keys["expr"].clone());
    let used = used.chain(expressions_of_the_dashboard()).chain(expressions_of_the_playbook());
    let selected: Vec<Selector> = used.flat_map(|expression| selectors(&expression)).collect();
    assert!(selected.len() > 130, "they are found: {}", selected.len());
    let faults_of_use = selected.iter().flat_map(|selector| faults_of_use(selector, &table, &recorded));
    let stories = stories();
    let written: Vec<Selector> = input_series(&stories).flat_map(selectors).collect();
    assert!(written.len() > 80, "they are found: {}", written.len());
    let found: Vec<String> =
        faults_of_use.chain(written.iter().flat_map(|selector| faults(selector, &table, &recorded))).collect();
    assert_eq!(found, [""; 0]);

    // What is named in the text of the playbook. Words of two parts are the crates.
    let words = PLAYBOOK.split(|c: char| !c.is_alphanumeric() && c != '_');
    let named = words.filter(|word| word.starts_with("evenkeel_") && word.matches('_').count() > 1);
    let unknown: Vec<&str> = named.filter(|word| !table.keys().any(|series| word.starts_with(series))).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn recorded_series_keep_the_labels_that_their_names_say() {
    for rule in rules(&alerts()).iter().filter(|rule| !rule.is_alert) {
        assert!(rule.name.starts_with("job_name:"), "{}", rule.name);
        for selector in selectors(&rule.keys["expr"]).iter().filter(|selector| !selector.series.contains(':')) {
            assert_eq!(selector.by, ["job", "name"], "{}", rule.name);
        }
    }
}

#[test]
fn each_series_of_the_table_is_in_the_dashboard() {
    let selected: Vec<Selector> = expressions_of_the_dashboard().iter().flat_map(|text| selectors(text)).collect();
    let shown = |series: &str| selected.iter().any(|selector| selector.series.starts_with(series));
    let table = table();
    let missing: Vec<&String> = table.keys().filter(|series| !shown(series)).collect();
    assert!(missing.is_empty() && table.len() > 40, "{missing:?}");
}

#[test]
fn each_alert_says_how_urgent_it_is_and_what_to_do() {
    let (titles, stories) = (titles(), stories());
    for rule in rules(&alerts()).iter().filter(|rule| rule.is_alert) {
        let Rule { name, keys, .. } = rule;
        assert!(["page", "ticket"].contains(&keys["severity"].as_str()), "{name}");
        assert!(!keys["summary"].is_empty() && keys["description"].ends_with(['.', '?']), "{name}");
        assert_eq!(keys["runbook"], format!("playbook.md#{}", name.to_lowercase()));
        assert!(PLAYBOOK.lines().any(|line| line == format!("### {name}")), "no section on {name}");
        let quoted = keys["description"].split('"').skip(1).step_by(2);
        let unknown: Vec<&str> = quoted.filter(|title| !titles.contains(*title)).collect();
        assert_eq!(unknown, [""; 0], "{name} names panels that are not there");
        let (firing, quiet) = told(&stories, name);
        assert!(firing > 0 && quiet > 0, "{name} fires in {firing} stories and must not in {quiet}");
    }
}

#[test]
fn the_playbook_names_panels_and_alerts_that_are_there() {
    let (titles, rules) = (titles(), rules(&alerts()));
    let bold: Vec<&str> = PLAYBOOK.split("**").skip(1).step_by(2).collect();
    assert!(bold.len() > 20 && bold.iter().all(|title| titles.contains(*title)), "{bold:?}");
    let sections = PLAYBOOK.lines().filter_map(|line| line.strip_prefix("### Evenkeel"));
    for section in sections {
        assert!(rules.iter().any(|rule| rule.name == format!("Evenkeel{section}")), "no alert Evenkeel{section}");
    }
}

#[test]
fn each_panel_says_what_it_shows_and_asks_the_source_that_was_chosen() {
    let panels = panels();
    assert_eq!(titles().len(), panels.len(), "no title twice");
    for panel in &panels {
        let title = &panel["title"];
        let description = panel["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.') && !description.contains(". "), "one sentence on {title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "a unit for {title}");
        assert!(!panel["targets"].as_array().is_none_or(Vec::is_empty), "something in {title}");
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    each_object(&dashboard, &mut |object| {
        if let Some(source) = object.get("datasource") {
            assert_eq!(source["uid"], "${datasource}", "{object:?}");
        }
        assert!(object.get("expr").is_none_or(|expr| expr.as_str().is_some_and(|expr| expr.contains("$name"))));
    });
    let ids: BTreeSet<u64> =
        dashboard["panels"].as_array().into_iter().flatten().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), dashboard["panels"].as_array().map_or(0, Vec::len), "no id twice");
}

/// Left, top, right, bottom.
fn place(panel: &Value) -> [u64; 4] {
    let [x, y, w, h] =
        ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a panel has a place and a size"));
    [x, y, x + w, y + h]
}

#[test]
fn no_panel_covers_another_or_leaves_the_grid() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("a dashboard has panels");
    for (index, panel) in panels.iter().enumerate() {
        let [left, top, right, bottom] = place(panel);
        assert!(left < right && right <= 24 && top < bottom, "{}", panel["title"]);
        for other in &panels[index + 1..] {
            let [other_left, other_top, other_right, other_bottom] = place(other);
            let apart = right <= other_left || other_right <= left || bottom <= other_top || other_bottom <= top;
            assert!(apart, "{} and {}", panel["title"], other["title"]);
        }
    }
}

#[test]
fn the_readme_counts_the_alerts_and_no_line_of_a_rule_is_too_long() {
    let count = rules(&alerts()).iter().filter(|rule| rule.is_alert).count();
    assert!(README.contains(&format!("{count} alerts")), "there are {count}");
    let too_long: Vec<String> = alerts().lines().filter(|line| line.chars().count() > 128).map(str::to_owned).collect();
    assert_eq!(too_long, [""; 0]);
}

#[test]
fn the_report_in_the_playbook_is_what_the_log_prints() {
    let report = sample::report();
    assert!(PLAYBOOK.contains(&format!("```text\n{report}```\n")), "{report}");
}

#[test]
fn promtool_accepts_the_rules_and_every_expression_of_the_dashboard_and_the_playbook() {
    let Some(promtool) = tool::found("promtool") else { return };
    succeeds(Command::new(&promtool).args(["check", "rules"]).args(files("alerts")));

    let folder = tempfile::tempdir().expect("there is room for a file");
    let yours = README.split("```yaml\n").filter_map(|rest| rest.split("```").next());
    let yours = yours.filter(|yaml| yaml.starts_with("groups:")).collect::<Vec<_>>();
    assert_eq!(yours.len(), 1, "the rules that are not in a file are in the README");
    let file = folder.path().join("yours.yml");
    fs::write(&file, yours[0]).expect("there is room for a file");
    succeeds(Command::new(&promtool).args(["check", "rules"]).arg(&file));

    let expressions = expressions_of_the_dashboard().into_iter().chain(expressions_of_the_playbook());
    let mut rules = String::from("groups:\n  - name: panels\n    rules:\n");
    for (number, expression) in expressions.enumerate() {
        let expression = expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$name", ".*");
        // A text in JSON is one in YAML.
        let quoted = Value::String(expression).to_string();
        rules.push_str(&format!("      - record: panel:number_{number}\n        expr: {quoted}\n"));
    }
    let file = folder.path().join("panels.yml");
    fs::write(&file, rules).expect("there is room for a file");
    succeeds(Command::new(&promtool).args(["check", "rules"]).arg(&file));
}

#[test]
fn promtool_tells_the_stories_of_the_alerts() {
    let Some(promtool) = tool::found("promtool") else { return };
    succeeds(Command::new(promtool).args(["test", "rules"]).args(files("stories")));
}

fn ops(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(file)
}

fn succeeds(command: &mut Command) {
    let output = command.output().expect("it is installed");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}\n{said}");
}
