//! `{{#charts name}}` and `{{#figures name}}` in a page: the charts and the tables of an experiment, or of what was measured.
//!
//! Each stands alone on its line. What is quoted after the name chooses the one whose title or caption it is a part of,
//! `{{#figures hedging "extra load"}}`, and numbers choose by place, from 1: `{{#figures hedging 1 6}}`.

use std::{collections::BTreeSet, fmt::Write as _, ops::Range};

use evenkeel_lab::sheet::{Chart, Sheet};

use crate::{
    Refusal, chart, markdown,
    sheets::{Sheets, Source},
};

/// What a page asks for. `file` is its name, for the refusal.
///
/// # Errors
///
/// What begins with `{{#` outside of code, or nearly so, and is neither of the two, or names nothing that there is.
pub fn wanted(file: &str, text: &str) -> Result<BTreeSet<Source>, Refusal> {
    Ok(inclusions(file, text)?.into_iter().map(|inclusion| inclusion.source).collect())
}

/// The page with its charts and tables. `root` is the way from the page to the root of the site, `""` or `"../"`.
///
/// # Errors
///
/// As [`wanted`]; and a number of which the experiment has no chart or table, or words that not exactly one of them has.
pub fn resolved(file: &str, text: &str, root: &str, sheets: &Sheets) -> Result<String, Refusal> {
    let mut charts = 0;
    let mut has_run = false;
    let mut places = Vec::new();
    for Inclusion { place, part, source, choices } in inclusions(file, text)? {
        let refusal = |why: String| Refusal { file: file.to_owned(), line: markdown::line(text, place.start), why };
        let name = source.name();
        has_run |= matches!(source, Source::Lab(_));
        let sheet = sheets.of(source).ok_or_else(|| refusal(format!("`{name}` has not been run")))?;
        let files = format!("{root}figures/{name}");
        let all = match part {
            Part::Charts => figures(sheet, &files, &mut charts),
            Part::Figures => tables(&sheet.text),
        };
        let mut new = chosen(name, &all, &choices).map_err(refusal)?.join("\n");
        if part == Part::Figures {
            let _ = write!(new, "\n{}", notes(&sheet.text, source, &files));
        }
        // Markdown wants an empty line between a paragraph and what is none.
        places.push((place, format!("\n{}\n", new.trim_end())));
    }
    if sheets.are_quick() && has_run {
        let at = below_title(text);
        places.insert(0, (at..at, QUICK.to_owned()));
    }
    Ok(markdown::replaced(text, places))
}

/// For the reader of a site that was built for a look.
const QUICK: &str = "\n<p class=\"quick\"><strong>Quick run: the figures on this page are rough.</strong></p>\n\n";

/// The place after the first line, where that is a title, and otherwise the start.
fn below_title(text: &str) -> usize {
    let end = text.find('\n').map_or(text.len(), |end| end + 1);
    if text.starts_with("# ") && end < text.len() { end } else { 0 }
}

/// A chart or a table.
struct Shown {
    /// The title of the one, the caption of the other.
    title: String,
    /// What the page has of it.
    text: String,
}

/// Those that are asked for, or all where none is.
fn chosen<'a>(name: &str, all: &'a [Shown], choices: &[Choice]) -> Result<Vec<&'a str>, String> {
    let one = |choice: &Choice| match choice {
        Choice::Number(number) => {
            let none = || format!("`{name}` has {} of them, and no number {number}", all.len());
            number.checked_sub(1).and_then(|index| all.get(index)).ok_or_else(none)
        }
        Choice::Words(words) => {
            let mut found = all.iter().filter(|shown| shown.title.contains(words));
            match (found.next(), found.count()) {
                (Some(shown), 0) => Ok(shown),
                (first, more) => {
                    let count = usize::from(first.is_some()) + more;
                    let titles: Vec<&str> = all.iter().map(|shown| &*shown.title).collect();
                    Err(format!(
                        "`{name}` has {count} of them with \"{words}\", where one is wanted, of: {}",
                        titles.join(" · ")
                    ))
                }
            }
        }
    };
    if choices.is_empty() {
        return Ok(all.iter().map(|shown| &*shown.text).collect());
    }
    choices.iter().map(|choice| one(choice).map(|shown| &*shown.text)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Charts,
    Figures,
}

#[derive(Debug)]
struct Inclusion {
    /// The line, without its end.
    place: Range<usize>,
    part: Part,
    source: Source,
    /// Of the charts or tables; none is all.
    choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    /// From 1.
    Number(usize),
    /// A part of the title.
    Words(String),
}

fn inclusions(file: &str, text: &str) -> Result<Vec<Inclusion>, Refusal> {
    let code = markdown::code(text);
    let outside = |at: &usize| !code.iter().any(|place| place.contains(at));
    let begins = text.match_indices("{{").map(|(at, _)| at).filter(|&at| is_meant(&text[at + 2..])).filter(outside);
    let inclusion = |at| {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        let (part, source, choices) = parsed(&text[start..end]).map_err(|why| Refusal {
            file: file.to_owned(),
            line: markdown::line(text, at),
            why,
        })?;
        Ok(Inclusion { place: start..end, part, source, choices })
    };
    begins.map(inclusion).collect()
}

/// Whether what follows `{{` was written to be one of the two, or something else that mdBook would include.
fn is_meant(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    let word = rest.trim_start_matches('#').trim_start().to_ascii_lowercase();
    rest.starts_with('#') || word.starts_with("chart") || word.starts_with("figure")
}

fn parsed(line: &str) -> Result<(Part, Source, Vec<Choice>), String> {
    let advice = || format!("write `{{{{#charts name}}}}` or `{{{{#figures name}}}}` alone on its line, not `{line}`");
    let inside = line.strip_prefix("{{#").and_then(|rest| rest.strip_suffix("}}")).ok_or_else(advice)?;
    if inside.starts_with(char::is_whitespace) {
        return Err(advice());
    }
    // After the names, each second part is quoted.
    let (names, quoted) = inside.split_at(inside.find('"').unwrap_or(inside.len()));
    let mut words = names.split_whitespace();
    let part = match words.next() {
        Some("charts") => Part::Charts,
        Some("figures") => Part::Figures,
        Some(_) | None => return Err(advice()),
    };
    let name = words.next().ok_or_else(advice)?;
    let unknown = || {
        let names: Vec<_> = Source::all().map(Source::name).collect();
        format!("there is no experiment `{name}`: name one of {}", names.join(", "))
    };
    let source = Source::all().find(|known| known.name() == name).ok_or_else(unknown)?;
    let number = |word: &str| word.parse().map(Choice::Number).map_err(|_| advice());
    let mut choices: Vec<Choice> = words.map(number).collect::<Result<_, _>>()?;
    let parts: Vec<&str> = quoted.split('"').collect();
    for (index, part) in parts.iter().enumerate() {
        match (index % 2 == 1, part.trim()) {
            // A quotation that is empty, or has no end.
            (true, _) if part.trim().is_empty() || index + 1 == parts.len() => return Err(advice()),
            (true, _) => choices.push(Choice::Words((*part).to_owned())),
            (false, between) => {
                choices.extend(between.split_whitespace().map(number).collect::<Result<Vec<_>, _>>()?);
            }
        }
    }
    Ok((part, source, choices))
}

/// Each chart as HTML. `count` is of all charts on the page so far, after which they are named.
fn figures(sheet: &Sheet, files: &str, count: &mut usize) -> Vec<Shown> {
    let figure = |chart: &Chart| {
        *count += 1;
        Shown { title: chart.title.clone(), text: chart::figure(chart, &format!("chart-{count}"), files) }
    };
    sheet.charts.iter().map(figure).collect()
}

/// The tables of an experiment's text, each with the caption before it.
fn tables(text: &str) -> Vec<Shown> {
    let blocks: Vec<&str> = text.trim().split("\n\n").collect();
    let tables = blocks.windows(2).filter(|pair| is_table(pair[1]));
    let shown = |pair: &[&str]| {
        // A caption may be of two lines.
        let title = pair[0].split_whitespace().collect::<Vec<_>>().join(" ");
        Shown { title, text: format!("{}\n\n{}\n", pair[0], pair[1]) }
    };
    tables.map(shown).collect()
}

/// What it says before and after its tables, folded away: it is what the figures are worth, and longer than they are.
fn notes(text: &str, source: Source, files: &str) -> String {
    let blocks: Vec<&str> = text.trim().split("\n\n").collect();
    let is_caption = |index: usize| blocks.get(index + 1).is_some_and(|next| is_table(next));
    let said = blocks.iter().enumerate().filter(|(index, block)| !is_table(block) && !is_caption(*index));
    // No empty lines, at which HTML within Markdown would end.
    let said: String = said.map(|(_, block)| format!("<pre>{}</pre>\n", markdown::escaped(block))).collect();
    format!(
        "<details class=\"figures\">\n<summary>How these figures come about, and how to read them</summary>\n{said}\
         <p>The rows: <a href=\"{files}.csv\">CSV</a>, <a href=\"{files}.json\">JSON</a>. To run it again: \
         <code>{}</code></p>\n</details>\n",
        source.command()
    )
}

fn is_table(block: &str) -> bool {
    block.starts_with('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        wanted("docs/book/src/a.md", text).expect_err("refused").to_string()
    }

    const BUDGETS: Source = Source::Lab(evenkeel_lab::experiment::Experiment::Budgets);

    fn sheets(source: Source) -> Sheets {
        let mut sheets = Sheets::new(true);
        sheets.run(&BTreeSet::from([source])).expect("figures");
        sheets
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_file_and_the_line() {
        let why = why("# A\n\n{{#charts outtage}}\n");
        assert!(
            why.starts_with("docs/book/src/a.md:3: there is no experiment `outtage`: name one of breaker, "),
            "{why}"
        );
    }

    #[test]
    fn what_is_neither_of_the_two_is_refused() {
        for line in [
            "{{#chart outage}}",
            "{{#include a.rs}}",
            "{{#charts}}",
            "see {{#charts outage}}",
            "{{#charts outage x}}",
            "{{charts outage}}",
            "{{ #charts outage }}",
            "{{# figures outage}}",
            "{{ Figures outage }}",
            "{{#figures outage \"a}}",
            "{{#figures outage \"\"}}",
            "{{#figures outage \"a\" b}}",
        ] {
            assert!(
                why(&format!("a\n{line}\n")).starts_with("docs/book/src/a.md:2: write `{{#charts name}}`"),
                "{line}"
            );
        }
    }

    #[test]
    fn in_code_it_is_what_it_is() {
        let text = "Write `{{#charts none}}`:\n\n```text\n{{#charts none}}\n```\n";
        assert_eq!(wanted("a.md", text), Ok(BTreeSet::new()));
        assert_eq!(resolved("a.md", text, "", &Sheets::default()), Ok(text.to_owned()));
    }

    #[test]
    fn charts_are_figures_with_ids_of_their_own_and_a_way_to_the_rows() {
        let sheets = sheets(BUDGETS);
        let page = resolved("a.md", "A:\n{{#charts budgets}}\nB:\n{{#charts budgets 2}}\nC\n", "../", &sheets)
            .expect("charts");
        assert_eq!(page.matches("<svg ").count(), 3);
        for id in ["chart-1", "chart-2", "chart-4"] {
            assert!(page.contains(&format!("<figure class=\"chart\" id=\"{id}\">")), "{id}");
        }
        assert!(page.contains("href=\"../figures/budgets.csv\""), "{page}");
        assert!(page.starts_with(&format!("{QUICK}A:\n\n<figure ")) && page.ends_with("</figure>\n\nC\n"), "{page}");
    }

    #[test]
    fn tables_have_their_captions_and_a_number_chooses_one() {
        let sheets = sheets(BUDGETS);
        let page = resolved("a.md", "{{#figures budgets 2}}", "", &sheets).expect("tables");
        assert!(page.contains("\nRequests answered:\n\n| failure rate |"), "{page}");
        assert!(!page.contains("Attempts per request:"), "{page}");
        assert!(page.contains("<pre>One client, 100 requests a second"), "{page}");
        let details = page.split_once("<details").expect("notes").1;
        assert!(!details.trim().contains("\n\n"), "{details}");
    }

    #[test]
    fn a_number_that_there_is_not_is_refused() {
        let sheets = sheets(BUDGETS);
        let why = |line: &str| resolved("a.md", line, "", &sheets).expect_err("refused").to_string();
        assert_eq!(why("{{#charts budgets 3}}"), "a.md:1: `budgets` has 2 of them, and no number 3");
        assert_eq!(why("{{#figures budgets 0}}"), "a.md:1: `budgets` has 2 of them, and no number 0");
    }

    #[test]
    fn the_same_page_has_the_same_bytes() {
        let page = |sheets| resolved("a.md", "{{#charts budgets}}\n{{#figures budgets}}\n", "", &sheets);
        assert_eq!(page(sheets(BUDGETS)), page(sheets(BUDGETS)));
    }

    #[test]
    fn words_choose_the_one_that_has_them() {
        let sheets = sheets(BUDGETS);
        let page = |line: &str| resolved("a.md", line, "", &sheets).map_err(|refusal| refusal.to_string());
        assert_eq!(page("{{#figures budgets \"answered\"}}"), page("{{#figures budgets 2}}"));
        assert_eq!(page("{{#figures budgets 2 \"Attempts per\"}}"), page("{{#figures budgets 2 1}}"));
        let titles = &sheets.of(BUDGETS).expect("figures").charts;
        assert_eq!(page(&format!("{{{{#charts budgets \"{}\"}}}}", titles[0].title)), page("{{#charts budgets 1}}"));
        let why = page("{{#figures budgets \"lost\"}}").expect_err("refused");
        assert!(why.starts_with("a.md:1: `budgets` has 0 of them with \"lost\", where one is wanted, of: "), "{why}");
        assert!(
            page("{{#figures budgets \"e\"}}").expect_err("refused").contains("`budgets` has 2 of them with \"e\"")
        );
    }

    #[test]
    fn what_is_quick_says_so_once_below_the_title() {
        let sheets = sheets(BUDGETS);
        let page = |text: &str| resolved("a.md", text, "", &sheets).expect("a page");
        let both = page("# A\n\n{{#charts budgets}}\n\n{{#figures budgets}}\n");
        assert!(both.starts_with(&format!("# A\n{QUICK}")) && both.matches(QUICK).count() == 1, "{both}");
        assert_eq!(page("# A\n\nNo figures.\n"), "# A\n\nNo figures.\n");
        let full = Sheets::of_a_full_run(BUDGETS, &sheets);
        assert!(!resolved("a.md", "# A\n\n{{#charts budgets}}\n", "", &full).expect("a page").contains("Quick run"));
    }
}
