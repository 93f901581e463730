//! How many interleavings the models explored, beside what the book says.

use std::collections::BTreeMap;

/// The page that has the tables.
pub(crate) const PAGE: &str = "docs/book/src/verified.md";

/// Interleavings, by the model's name.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What the models of a library printed: `counts::a_sentence: explored 12 interleavings`.
pub(crate) fn printed(output: &str) -> Counts {
    let lines = output.lines().filter_map(|line| line.strip_suffix(" interleavings")?.split_once(": explored "));
    // A test's name may stand before it, in the same line; folders are not in the table.
    let name = |text: &str| text.rsplit([' ', ':']).next().unwrap_or_default().to_owned();
    lines.filter_map(|(text, count)| Some((name(text), count.parse().ok()?))).collect()
}

/// The rows of the table below the heading that names the library.
pub(crate) fn documented(page: &str, library: &str) -> Counts {
    let heading = format!("### Models of `evenkeel-{library}`");
    let below = page.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with('#'));
    let rows = below.filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    rows.filter_map(|(name, count)| Some((name.to_owned(), count.replace(',', "").parse().ok()?))).collect()
}

/// What the book should say otherwise: the rows that are wrong or missing, and those of no model.
pub(crate) fn compare(printed: &Counts, documented: &Counts) -> Vec<String> {
    let stale = printed.iter().filter(|(name, count)| documented.get(*name) != Some(*count));
    let stale = stale.map(|(name, count)| format!("{PAGE}: stale-models: it is `| `{name}` | {} |`", grouped(*count)));
    let gone = documented.keys().filter(|name| !printed.contains_key(*name));
    stale.chain(gone.map(|name| format!("{PAGE}: stale-models: no model `{name}` was run"))).collect()
}

/// With a comma after each three digits from the right.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let comma = |index: usize| index > 0 && (digits.len() - index) % 3 == 0;
    digits
        .chars()
        .enumerate()
        .flat_map(|(index, digit)| comma(index).then_some(',').into_iter().chain([digit]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 2 tests
test ratio::all_is_well ... ratio::all_is_well: explored 1234 interleavings
all_was_well: explored 7 interleavings
ok
";
    const TABLE: &str = "\
### Models of `evenkeel-budget`

| model | interleavings |
| --- | ---: |
| `all_is_well` | 1,234 |
| `all_was_well` | 7 |

### Models of `evenkeel-breaker`

| `another` | 1 |
";

    #[test]
    fn a_table_that_says_what_was_explored_is_in_order() {
        assert_eq!(compare(&printed(OUTPUT), &documented(TABLE, "budget")), [""; 0]);
    }

    #[test]
    fn another_count_a_missing_row_and_one_too_many_are_found() {
        let against = |from: &str, to: &str| {
            let findings = compare(&printed(OUTPUT), &documented(&TABLE.replace(from, to), "budget"));
            assert_eq!(findings.len(), 1, "{findings:?}");
            findings.into_iter().next().unwrap_or_default()
        };
        assert!(against("1,234", "1,235").ends_with("it is `| `all_is_well` | 1,234 |`"));
        assert!(against("| `all_was_well` | 7 |", "").ends_with("it is `| `all_was_well` | 7 |`"));
        assert!(against("| 7 |", "| 7 |\n| `no_more` | 1 |").ends_with("no model `no_more` was run"));
        assert_eq!(compare(&printed(OUTPUT), &documented(TABLE, "hedging")).len(), 2);
    }

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!([7, 123, 1_234, 1_234_567].map(grouped), ["7", "123", "1,234", "1,234,567"]);
    }
}
