//! Which charts the chapters ask for, each of them: what the picture of an experiment says that it has.

use std::{collections::BTreeMap, fs, io, path::Path};

/// The charts of one experiment.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The titles of all of its charts, with `; ` in between, as its picture has them. A title may have `; ` in it.
    pub(crate) titles: String,
    /// How many of them; `None` is all.
    pub(crate) chosen: Option<usize>,
}

/// Whether the charts of these titles are those that are asked for, in this order, and no more.
pub(crate) fn are(asked: &[Asked], titles: &[&str]) -> bool {
    let mut rest = titles;
    for Asked { titles: all, chosen } in asked {
        let is_one = |title: &&str| format!("; {all}; ").contains(&format!("; {title}; "));
        let count = match chosen {
            Some(count) => Some(*count).filter(|count| *count <= rest.len() && rest[..*count].iter().all(is_one)),
            None => (1..=rest.len()).find(|count| rest[..*count].join("; ") == *all),
        };
        let Some(count) = count else { return false };
        rest = &rest[count..];
    }
    rest.is_empty()
}

/// What each page asks for whose chapter does, and the page without a name, which is the first chapter. `site` has the pictures.
pub(crate) fn by_page(chapters: &Path, site: &Path) -> io::Result<BTreeMap<String, Vec<Asked>>> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(chapters)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".md") else { continue };
        let mut asked = Vec::new();
        for (experiment, chosen) in experiments(&fs::read_to_string(entry.path())?) {
            let picture = site.join("figures").join(format!("{experiment}.svg"));
            let titles = title(&fs::read_to_string(picture)?).unwrap_or_default();
            asked.push(Asked { titles, chosen });
        }
        pages.extend(Some((format!("{name}.html"), asked)).filter(|(_, asked)| !asked.is_empty()));
    }
    let first = pages.get("introduction.html").cloned();
    pages.extend(first.map(|asked| ("index.html".to_owned(), asked)));
    Ok(pages)
}

fn experiments(chapter: &str) -> Vec<(&str, Option<usize>)> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in chapter.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if let Some(what) = line.trim().strip_prefix("{{#charts ").filter(|_| !in_code) {
            let (name, choices) =
                what.trim_end_matches('}').split_once(' ').unwrap_or((what.trim_end_matches('}'), ""));
            // Each second part is quoted: one choice, however many words it has.
            let count = |(index, part): (usize, &str)| if index % 2 == 1 { 1 } else { part.split_whitespace().count() };
            let chosen: usize = choices.split('"').enumerate().map(count).sum();
            found.push((name, Some(chosen).filter(|chosen| *chosen > 0)));
        }
    }
    found
}

fn title(svg: &str) -> Option<String> {
    let (title, _) = svg.split_once("<title>")?.1.split_once("</title>")?;
    Some(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

#[test]
fn what_a_chapter_asks_for_is_read() {
    let chapter = "{{#charts outage}}\n\n{{#charts hedging 1 3}}\n`{{#charts x}}`\n";
    assert_eq!(experiments(chapter), [("outage", None), ("hedging", Some(2))]);
    assert_eq!(experiments("{{#charts bench \"a b\" 2 \"c\"}}\n"), [("bench", Some(3))]);
    assert_eq!(experiments("```md\n{{#charts outage}}\n```\n{{#figures outage}}\n"), []);
    assert_eq!(title("<svg>\n<title>A &amp; b; c</title>").as_deref(), Some("A & b; c"));
}

#[test]
fn a_chart_that_is_lost_or_another_is_told() {
    let asked = |chosen| Asked { titles: "A; B; b; C".to_owned(), chosen };
    let all = [asked(None)];
    assert!(are(&all, &["A", "B; b", "C"]) && are(&[asked(Some(2)), asked(None)], &["C", "B; b", "A", "B; b", "C"]));
    for other in [&[][..], &["A", "B; b"], &["A", "C"], &["A", "B; b", "C", "C"], &["A", "A", "C"], &["A; B", "C"]] {
        assert!(!are(&all, other), "{other:?}");
    }
    for other in [&["A"][..], &["A", "D"], &["A", "B; b", "C"], &["A", ""]] {
        assert!(!are(&[asked(Some(2))], other), "{other:?}");
    }
    assert!(are(&[], &[]) && !are(&[], &["A"]));
}
