//! What is to be seen on a panel, in words: for those who do not see it.

use std::fmt::Write as _;

use super::{Band, Line, Panel};

/// What a panel shows, made of its data: the axes, and of each line where it begins, its lowest and its highest point, its
/// value halfway through each band with a name, or its points a quarter, a half and three quarters of the way where there is
/// no band, and where it ends.
#[must_use]
pub fn described(panel: &Panel) -> String {
    let Panel { x_label, y_label, bands, lines, .. } = panel;
    let bands: Vec<&Band> = bands.iter().filter(|band| !band.label.is_empty()).collect();
    let mut text = format!("{y_label} by {x_label}.");
    for Band { label, x, .. } in &bands {
        // A `String` takes all that it is given.
        let _ = write!(text, " {label} from {} to {}.", short(x.start), short(x.end));
    }
    for line in lines {
        let said = course(line, &bands).unwrap_or_else(|| "no values".to_owned());
        let _ = write!(text, " {}: {said}.", line.label);
    }
    text
}

/// `None` for a line without values.
fn course(line: &Line, bands: &[&Band]) -> Option<String> {
    let seen: Vec<(f64, f64)> = line.points.iter().filter_map(|(x, y)| y.map(|y| (*x, y))).collect();
    let lowest = seen.iter().copied().reduce(|low, point| if point.1 < low.1 { point } else { low })?;
    let highest = seen.iter().copied().reduce(|high, point| if point.1 > high.1 { point } else { high })?;
    let at = |(x, y): (f64, f64)| format!("{} at {}", short(y), short(x));
    let mut parts = vec![at(*seen.first()?), format!("at least {}", at(lowest)), format!("at most {}", at(highest))];
    for band in bands {
        parts.extend(halfway(&seen, band).map(|point| format!("{} ({})", at(point), band.label)));
    }
    if bands.is_empty() {
        let quarters = [1, 2, 3].map(|quarter| seen.len() * quarter / 4);
        parts
            .extend(seen.iter().enumerate().filter(|(index, _)| quarters.contains(index)).map(|(_, point)| at(*point)));
    }
    parts.push(at(*seen.last()?));
    Some(parts.join(", "))
}

/// The point within the band that is nearest to its middle.
fn halfway(seen: &[(f64, f64)], band: &Band) -> Option<(f64, f64)> {
    let middle = f64::midpoint(band.x.start, band.x.end);
    let within = seen.iter().copied().filter(|(x, _)| band.x.contains(x));
    within.min_by(|one, other| (one.0 - middle).abs().total_cmp(&(other.0 - middle).abs()))
}

/// Three digits are what can be read off a chart.
fn short(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (2.0 - magnitude).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::panel, *};

    #[test]
    fn what_is_to_be_seen_is_said_in_the_units_of_the_axes() {
        let said = "load (requests/s) by time (s). outage from 0.25 to 1.5. naive: 1 at 0, at least 0.0123 at 2, \
                    at most 1234 at 1, 1234 at 1 (outage), 0.0123 at 2.";
        assert_eq!(described(&panel()), said);
    }

    #[test]
    fn a_line_that_falls_and_comes_back_reads_unlike_one_that_stays() {
        let mut panel = panel();
        let stays = panel.lines[0].clone();
        let with =
            |middle| Line { points: [(0.0, 1.0), (1.0, middle), (2.0, 1.0)].map(some).to_vec(), ..stays.clone() };
        panel.lines = vec![with(1.0), with(0.0)];
        let text = described(&panel);
        assert!(text.contains(" naive: 1 at 0, at least 1 at 0, at most 1 at 0, 1 at 1 (outage), 1 at 2."), "{text}");
        assert!(text.contains(" naive: 1 at 0, at least 0 at 1, at most 1 at 0, 0 at 1 (outage), 1 at 2."), "{text}");
    }

    fn some((x, y): (f64, f64)) -> (f64, Option<f64>) {
        (x, Some(y))
    }

    #[test]
    fn a_band_without_a_name_or_without_values_says_nothing_of_a_line() {
        let mut panel = panel();
        panel.bands[0].x = 0.25..0.75;
        assert!(!described(&panel).contains("(outage)"));
        panel.bands[0].x = 0.25..1.5;
        panel.bands[0].label.clear();
        let text = described(&panel);
        assert!(text.ends_with(", at most 1234 at 1, 1 at 0, 1234 at 1, 0.0123 at 2, 0.0123 at 2."), "{text}");
    }

    #[test]
    fn a_line_without_values_is_said_to_have_none() {
        let mut empty = panel();
        empty.lines[0].points.clear();
        assert!(described(&empty).ends_with("naive: no values."));
    }
}
