//! Rules for the book: every chapter can be found, and its examples are run.

use super::{Fault, TreeRule, fences::is_markdown, markdown::links, source::code, tree::Tree};

pub(super) const RULES: &[TreeRule] = &[
    TreeRule { name: "unlisted-chapter", check: unlisted },
    TreeRule { name: "missing-chapter", check: missing },
    TreeRule { name: "untested-chapter", check: untested },
];

const SOURCE: &str = "docs/book/src/";
const SUMMARY: &str = "docs/book/src/SUMMARY.md";
const DOCTESTS: &str = "docs/src/lib.rs";

fn unlisted(tree: &Tree) -> Vec<(String, Fault)> {
    let listed: Vec<String> = listed(tree).into_iter().map(|(_, chapter)| chapter).collect();
    let unlisted = chapters(tree).filter(|chapter| !listed.iter().any(|known| known == chapter));
    unlisted
        .map(|chapter| (format!("{SOURCE}{chapter}"), (1, "list it in SUMMARY.md, or remove it".to_owned())))
        .collect()
}

fn missing(tree: &Tree) -> Vec<(String, Fault)> {
    let missing = listed(tree).into_iter().filter(|(_, chapter)| !chapters(tree).any(|known| known == chapter));
    let fault =
        |(line, chapter)| (SUMMARY.to_owned(), (line, format!("write {SOURCE}{chapter}, or take it off the list")));
    missing.map(fault).collect()
}

/// A chapter is run if the library of the docs includes it as its documentation.
fn untested(tree: &Tree) -> Vec<(String, Fault)> {
    let doctests = tree.text(DOCTESTS).unwrap_or_default();
    let included = |chapter: &str| {
        // With a quote or a folder before it, since `a.md` is not `extra.md`.
        let (whole, below) = (format!("\"{chapter}\""), format!("/src/{chapter}\""));
        doctests.contains("include_str!")
            && code(doctests).any(|(_, code)| code.contains(&whole) || code.contains(&below))
    };
    let advice = format!("include it as a doctest: `include_str!` in {DOCTESTS}");
    let untested = chapters(tree).filter(|chapter| !included(chapter));
    untested.map(|chapter| (format!("{SOURCE}{chapter}"), (1, advice.clone()))).collect()
}

/// From the source folder of the book.
fn chapters(tree: &Tree) -> impl Iterator<Item = &str> {
    let pages = tree.texts().filter(|(path, _)| is_markdown(path) && *path != SUMMARY);
    pages.filter_map(|(path, _)| path.strip_prefix(SOURCE))
}

fn listed(tree: &Tree) -> Vec<(usize, String)> {
    let links = links(tree.text(SUMMARY).unwrap_or_default()).into_iter();
    // An empty target is how a summary lists a draft.
    let inside = links.map(|(line, link)| (line, link.trim_start_matches("./").to_owned()));
    inside.filter(|(_, link)| is_markdown(link)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "#[doc = include_str!(\"../book/src/retry.md\")]\nmod a {}\n";

    #[test]
    fn a_chapter_that_is_listed_and_included_is_in_order() {
        let tree = Tree::from([(SUMMARY, "- [Retry](./retry.md)\n"), ("docs/book/src/retry.md", ""), (DOCTESTS, LIB)]);
        let faults: Vec<_> = RULES.iter().flat_map(|rule| (rule.check)(&tree)).collect();
        assert_eq!(faults, []);
    }

    #[test]
    fn a_summary_may_have_parts_and_chapters_below_others() {
        let summary =
            "# Summary\n\n# Part\n\n- [Retry](retry.md)\n  - [More](more/deep.md)\n\n---\n\n- [Gone](gone.md)\n";
        let tree = Tree::from([(SUMMARY, summary), ("docs/book/src/retry.md", ""), ("docs/book/src/more/deep.md", "")]);
        assert_eq!(unlisted(&tree), []);
        let faults: Vec<_> = missing(&tree).into_iter().map(|(_, (line, _))| line).collect();
        assert_eq!(faults, [10]);
    }

    #[test]
    fn a_chapter_that_no_one_can_find_is_found() {
        let tree = Tree::from([(SUMMARY, ""), ("docs/book/src/retry.md", "")]);
        assert_eq!(unlisted(&tree)[0].0, "docs/book/src/retry.md");
    }

    #[test]
    fn a_listed_chapter_must_exist() {
        let tree = Tree::from([(SUMMARY, "# Summary\n\n- [Retry](retry.md)\n- [Draft]()\n")]);
        let faults: Vec<_> = missing(&tree).into_iter().map(|(path, (line, _))| (path, line)).collect();
        assert_eq!(faults, [(SUMMARY.to_owned(), 3)]);
    }

    #[test]
    fn a_chapter_whose_examples_no_one_runs_is_found() {
        let tree = Tree::from([("docs/book/src/try.md", ""), ("docs/book/src/retry.md", ""), (DOCTESTS, LIB)]);
        let paths: Vec<_> = untested(&tree).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["docs/book/src/try.md"]);
    }
}
