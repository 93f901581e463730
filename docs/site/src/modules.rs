//! The modules of a Rust file that are in files of their own: a page of a program without them is half of it.

use crate::files::joined;

/// A module that a file declares, as the files in which it may be: the first that there is has it.
pub(crate) type Candidates = Vec<String>;

/// The modules that `file` declares with `mod name;`, from the root of the repository, in their order. The text is read as
/// rustfmt writes it: a declaration is a line.
pub(crate) fn of(file: &str, text: &str) -> Vec<Candidates> {
    let mut all = Vec::new();
    // The modules that are open, `mod name {`, each with the indent of its end.
    let mut inside: Vec<(&str, &str)> = Vec::new();
    let mut path = None;
    for line in text.lines() {
        let words = line.trim();
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(at) = words.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            path = Some(at);
        } else if let Some(name) = declared(words, ';') {
            all.push(candidates(file, &inside, name, path.take()));
        } else if let Some(name) = declared(words, '{') {
            inside.push((name, indent));
        } else if words == "}" && inside.last().is_some_and(|(_, start)| *start == indent) {
            inside.pop();
        } else if !words.starts_with("#[") && !words.starts_with("//") {
            path = None;
        }
    }
    all
}

/// `name` of `pub(crate) mod name;`.
fn declared(line: &str, end: char) -> Option<&str> {
    let line = line.strip_suffix(end)?.trim_end();
    let (visibility, name) = line.rsplit_once("mod ")?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let visibility = visibility.trim_end();
    let is_visibility =
        matches!(visibility, "" | "pub") || (visibility.starts_with("pub(") && visibility.ends_with(')'));
    (is_name && is_visibility).then_some(name)
}

/// Whether a file is the root of a crate, or has a `#[path]` itself, is not said in it: then its modules are beside it, and
/// otherwise in the folder with its name.
fn candidates(file: &str, inside: &[(&str, &str)], name: &str, path: Option<&str>) -> Candidates {
    let stem = file.strip_suffix(".rs").unwrap_or(file).rsplit('/').next().unwrap_or_default();
    let within: String = inside.iter().map(|(name, _)| format!("{name}/")).collect();
    let folders = match stem {
        "lib" | "main" | "mod" => vec![within],
        _ => vec![format!("{stem}/{within}"), within],
    };
    let links: Vec<String> = match path {
        Some(path) if inside.is_empty() => vec![path.to_owned()],
        Some(path) => folders.iter().rev().map(|folder| format!("{folder}{path}")).collect(),
        None => {
            folders.iter().flat_map(|folder| [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")]).collect()
        }
    };
    links.iter().filter_map(|link| joined(file, link)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_beside_its_file_or_in_the_folder_with_its_name() {
        let beside = ["a/p/args.rs", "a/p/args/mod.rs", "a/args.rs", "a/args/mod.rs"];
        assert_eq!(of("a/p.rs", "pub(crate) mod args;\n"), [beside]);
        assert_eq!(of("a/lib.rs", "mod args;\n"), [["a/args.rs", "a/args/mod.rs"]]);
        assert!(of("a/p.rs", "// mod args;\nlet mod_x = 1;\nmod tests {\n}\nsee the mod args;\n").is_empty());
    }

    #[test]
    fn a_path_says_where_a_module_is() {
        let text = "#[path = \"peers/x.rs\"]\n#[cfg(unix)]\nmod x;\nmod y;\n#[path = \"../../../z.rs\"]\nmod z;\n";
        let all = of("docs/tests/peers.rs", text);
        assert_eq!(all[0], ["docs/tests/peers/x.rs"]);
        assert_eq!(all[1][2], "docs/tests/y.rs");
        assert!(all[2].is_empty(), "out of the repository");
    }

    #[test]
    fn a_module_within_another_is_in_its_folder() {
        let all = of("t/ops.rs", "mod support {\n    pub(crate) mod table;\n}\nmod after;\n");
        assert_eq!(all[0][2], "t/support/table.rs");
        assert_eq!(all[1][2], "t/after.rs");
    }
}
