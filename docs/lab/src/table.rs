//! Columns of text: the first to the left, the figures to the right.

/// The lines, with two spaces between the columns.
#[must_use]
pub fn plain(lines: &[Vec<String>]) -> String {
    aligned(lines).iter().map(|line| line.join("  ") + "\n").collect()
}

/// The lines as a table of Markdown, the first of them as its head; it is aligned for those who read it as it is.
#[must_use]
pub fn markdown(lines: &[Vec<String>]) -> String {
    let mut rows = aligned(lines);
    if let Some(head) = rows.first() {
        let rule = |(column, cell): (usize, &String)| {
            let dashes = "-".repeat(cell.chars().count().saturating_sub(1));
            if column == 0 { format!("{dashes}-") } else { format!("{dashes}:") }
        };
        let rule = head.iter().enumerate().map(rule).collect();
        rows.insert(1, rule);
    }
    rows.iter().map(|line| format!("| {} |\n", line.join(" | "))).collect()
}

/// Each cell as wide as the widest of its column.
fn aligned(lines: &[Vec<String>]) -> Vec<Vec<String>> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let pad = |(column, (cell, width)): (usize, (&String, &usize))| {
        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    };
    lines.iter().map(|line| line.iter().zip(&widths).enumerate().map(pad).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Vec<String>> {
        [["name", "n"], ["a", "1.00"], ["é–×", "–"]].map(|line| line.map(str::to_owned).to_vec()).to_vec()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(plain(&lines()), "name     n\na     1.00\né–×      –\n");
    }

    #[test]
    fn markdown_has_a_rule_under_its_head_that_aligns_the_figures() {
        assert_eq!(markdown(&lines()), "| name |    n |\n| ---- | ---: |\n| a    | 1.00 |\n| é–×  |    – |\n");
    }

    #[test]
    fn no_lines_are_no_table() {
        assert_eq!((plain(&[]), markdown(&[])), (String::new(), String::new()));
    }
}
