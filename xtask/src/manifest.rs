//! A reader for our own `Cargo.toml` files: enough of TOML for them, and no more.

/// One `key = value`, with the table and the line in which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) table: String,
    /// As written, dots included: `license.workspace`.
    pub(crate) key: String,
    /// As written, on one line.
    pub(crate) value: String,
}

/// All entries, top to bottom. A value may go on over lines inside of brackets; strings of several lines are not understood.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut table = String::new();
    let mut depth = 0;
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        if depth > 0 {
            // An entry is open only after it has been pushed.
            let open = entries.last_mut().expect("the open entry");
            open.value.push(' ');
            open.value.push_str(line);
            depth += nesting(line);
        } else if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            depth = nesting(&value);
            entries.push(Entry { line: index + 1, table: table.clone(), key, value });
        }
    }
    entries
}

/// The names of the features, `default` included.
pub(crate) fn features(text: &str) -> Vec<String> {
    entries(text).into_iter().filter(|entry| entry.table == "features").map(|entry| entry.key).collect()
}

/// How many brackets the line leaves open; negative where it closes more.
fn nesting(line: &str) -> isize {
    outside_of_strings(line)
        .map(|(_, c)| match c {
            '[' | '{' => 1,
            ']' | '}' => -1,
            _ => 0,
        })
        .sum()
}

fn without_comment(line: &str) -> &str {
    let end = outside_of_strings(line).find(|&(_, c)| c == '#');
    end.map_or(line, |(end, _)| &line[..end])
}

fn outside_of_strings(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    line.char_indices().filter(move |&(_, c)| match quote {
        Some(open) => {
            if c == open {
                quote = None;
            }
            false
        }
        None => {
            if c == '"' || c == '\'' {
                quote = Some(c);
            }
            true
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r##"
[package]
name = "a#b" # a comment
license.workspace = true

[target.'cfg(not(loom))'.dev-dependencies]
tokio = { workspace = true, features = [
    "rt", # ]
    "time",
] }

[features]
default = ["std"]
std = []
retry = [
    "std",
]
"##;

    #[test]
    fn an_entry_knows_its_table_its_line_and_its_whole_value() {
        let entries = entries(MANIFEST);
        let [name, license, tokio, ..] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((name.line, name.value.as_str()), (3, r##""a#b""##));
        assert_eq!((license.table.as_str(), license.key.as_str()), ("package", "license.workspace"));
        assert_eq!(tokio.table, "target.'cfg(not(loom))'.dev-dependencies");
        assert_eq!(tokio.value, r#"{ workspace = true, features = [ "rt", "time", ] }"#);
    }

    #[test]
    fn the_features_are_the_keys_of_their_table() {
        assert_eq!(features(MANIFEST), ["default", "std", "retry"]);
        assert!(features("[package]\nname = 'x'\n").is_empty());
    }
}
