//! The rule for Markdown: a link leads somewhere.

use super::{
    Fault, TreeRule,
    fences::{fence, is_markdown},
    tree::Tree,
};
use crate::workspace::LIBRARIES;

pub(super) const RULES: &[TreeRule] = &[TreeRule { name: "dead-link", check: dead_links }];

fn dead_links(tree: &Tree) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| is_markdown(path)) {
        for (line, link) in links(text) {
            if let Err(advice) = resolve(tree, path, &link) {
                faults.push((path.to_owned(), (line, advice)));
            }
        }
    }
    faults
}

/// Where the links of a text lead, with their lines: `[…](…)`, `[…]: …`, `href="…"` and `src="…"`, outside of code.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (line, prose) in prose(text) {
        let definition = prose.strip_prefix('[').filter(|rest| !rest.starts_with('^'));
        if let Some((_, target)) = definition.and_then(|rest| rest.split_once("]: ")) {
            links.push((line, destination(target)));
        }
        let mut after = |start: &str, end: char| {
            let targets = prose.split(start).skip(1).filter_map(|rest| rest.split_once(end));
            links.extend(targets.map(|(target, _)| (line, destination(target))));
        };
        after("](", ')');
        after("href=\"", '"');
        after("src=\"", '"');
    }
    links
}

/// Without its title and the angle brackets that may surround it.
fn destination(target: &str) -> String {
    let target = target.split_whitespace().next().unwrap_or_default();
    target.trim_matches(['<', '>']).to_owned()
}

/// The lines outside of code fences, with their numbers, and without what stands in backquotes.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = fence(line).is_some();
        in_code ^= is_fence;
        let outside = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        (!is_fence && !in_code).then_some((index + 1, outside))
    })
}

fn resolve(tree: &Tree, from: &str, link: &str) -> Result<(), String> {
    // Elsewhere on the net, or an item of a crate or one of ours, which rustdoc checks.
    let scheme = link.split(['/', '#']).next().is_some_and(|start| start.contains(':'));
    let library = link.strip_prefix("evenkeel_").is_some_and(|name| LIBRARIES.contains(&name));
    if scheme || library {
        return Ok(());
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { Some(from.to_owned()) } else { joined(from, file) };
    let Some(path) = path.filter(|path| tree.contains(path)) else {
        return Err(format!("no `{file}` seen from here: correct the link, or add the file"));
    };
    match (anchor, tree.text(&path)) {
        (Some(anchor), Some(text)) if is_markdown(&path) && !anchors(text).iter().any(|known| known == anchor) => {
            Err(format!("no heading `#{anchor}` in {path}"))
        }
        _ => Ok(()),
    }
}

/// `None` if it leads out of the repository.
fn joined(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!link.starts_with('/')).then(|| parts.join("/"))
}

/// What can follow a `#`: the headings as GitHub and mdBook both write them, and what has an `id`.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= fence(line).is_some();
        let title = line.trim_start_matches('#');
        if !in_code && title.len() < line.len() && title.starts_with(' ') {
            let slug = slug(title.trim());
            let earlier = anchors.iter().filter(|known| **known == slug).count();
            // The second of two equal headings is reached by its number.
            anchors.extend((earlier > 0).then(|| format!("{slug}-{earlier}")));
            anchors.push(slug);
        }
        let ids = line.split("id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        anchors.extend(ids.map(|(id, _)| id.to_owned()));
    }
    anchors
}

fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_prose_and_not_in_code() {
        let text =
            "[a](b.md) and ![`c`](<d.png> \"title\")\n[e]: f.md\n<a href=\"g\">\n`[x](y)` [^1]\n```\n[x](y)\n```\n";
        let expected = [(1, "b.md"), (1, "d.png"), (2, "f.md"), (3, "g")];
        assert_eq!(links(text), expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn a_link_leads_to_a_file_a_folder_a_heading_or_the_net() {
        let book = "# Half-open: what `n` means?\n\n[up](../) [b](../b.md#two-words) [#](#half-open-what-n-means)\n\
            [net](https://example.com/#x) [item](crate::Breaker) [crate](evenkeel_budget) [code](../src/lib.rs#L3) [b](../b.md#two-words-1)\n";
        let tree = Tree::from([("book/a.md", book), ("b.md", "## Two words\n## Two words\n"), ("src/lib.rs", "")]);
        assert_eq!(dead_links(&tree), []);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text = "[a](c.md)\n[b](../../x)\n[c](#no-such)\n[d](/a.md)\n[e](b.md#one)\n[f](evenkeel_bulkhead)\n";
        let tree = Tree::from([("book/a.md", text), ("book/b.md", "```\n# one\n```\n")]);
        let lines: Vec<usize> = dead_links(&tree).iter().map(|(_, (line, _))| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6]);
    }
}
