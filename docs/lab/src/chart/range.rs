//! What an axis must show so that all values have a place on it.

use super::{Line, Panel};

/// The least of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8 and their tenfolds that is at or above all values of the lines, and
/// at or above `least`, which is above zero.
#[must_use]
pub fn top(lines: &[Line], least: f64) -> f64 {
    let values = lines.iter().flat_map(|line| &line.points).filter_map(|(_, y)| *y);
    let highest = values.fold(least, f64::max);
    let ten = 10_f64.powf(highest.log10().floor());
    let round = MARKS.into_iter().map(|mark| mark * ten).find(|mark| *mark >= highest);
    round.unwrap_or(10.0 * ten)
}

const MARKS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

impl Panel {
    /// The first point that the axes do not show, with the line that it is of: it would be drawn at the edge, and read as
    /// what it is not.
    #[must_use]
    pub fn outside(&self) -> Option<(&str, (f64, f64))> {
        let points = self.lines.iter().flat_map(|line| {
            let seen = line.points.iter().filter_map(|(x, y)| y.map(|y| (*x, y)));
            seen.map(|point| (line.label.as_str(), point))
        });
        // A place that was computed is at the edge when it is next to it.
        let within = |range: &std::ops::Range<f64>, value: f64| {
            let near = (range.end - range.start) * 1e-9;
            (range.start - near..=range.end + near).contains(&value)
        };
        let mut points = points;
        points.find(|(_, (x, y))| !within(&self.x, *x) || !within(&self.y, *y))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::panel, *};

    fn line(highest: f64) -> Line {
        Line { points: vec![(0.0, Some(0.0)), (1.0, None), (2.0, Some(highest))], ..panel().lines[0].clone() }
    }

    #[test]
    fn the_top_is_the_next_round_number() {
        for (highest, round) in [(6.3, 7.0), (7.0, 7.0), (0.97, 1.0), (1.01, 1.2), (8.1, 10.0), (29.0, 30.0)] {
            let top = top(&[line(0.1), line(highest)], 0.1);
            assert!((top - round).abs() < 1e-9, "{highest}: {top}");
        }
        assert!((top(&[line(0.5)], 1.2) - 1.2).abs() < 1e-9);
        assert!((top(&[], 1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_point_beyond_an_axis_is_found() {
        let within = panel();
        assert_eq!(within.outside(), None);
        let lower = Panel { y: 0.0..1_000.0, ..within.clone() };
        assert_eq!(lower.outside(), Some(("naive", (1.0, 1234.5))));
        let higher = Panel { y: 0.5..2_000.0, ..within.clone() };
        assert_eq!(higher.outside(), Some(("naive", (2.0, 0.01234))));
        let shorter = Panel { x: 0.0..1.5, ..within };
        assert_eq!(shorter.outside(), Some(("naive", (2.0, 0.01234))));
    }
}
