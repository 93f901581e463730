//! Bars that lie side by side: one figure for each of several names, as SVG.

use plotters::prelude::*;

use super::{DrawError, FONT, colours::Colour, escaped, failed, rgb};

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Before it.
    pub label: String,
    /// How long it is.
    pub value: f64,
    /// Its colour.
    pub colour: Colour,
}

/// A chart of bars, one below the other, the first on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Above it.
    pub title: String,
    /// What they show, with its unit.
    pub unit: String,
    /// All of them; each is drawn from zero.
    pub bars: Vec<Bar>,
}

const WIDTH: u32 = 620;
const HEAD: u32 = 46;
const ROW: u32 = 40;
const FOOT: u32 = 10;
/// The space to the right of a bar, for its figure.
const FIGURE: i32 = 80;

impl Bars {
    /// What is to be seen, for those who do not see it: each name with its figure.
    #[must_use]
    pub fn described(&self) -> String {
        let bar = |bar: &Bar| format!("{}: {}", bar.label, figure(bar.value));
        format!("{}. {}.", self.unit, self.bars.iter().map(bar).collect::<Vec<_>>().join("; "))
    }

    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`DrawError`] when a value is negative or no number, or there is no bar.
    pub fn svg(&self) -> Result<String, DrawError> {
        let longest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let legal = |bar: &Bar| bar.value.is_finite() && bar.value >= 0.0;
        if self.bars.is_empty() || !self.bars.iter().all(legal) || longest <= 0.0 {
            return Err(DrawError(format!("{} has no bar, or one that is no length", self.title)));
        }
        let height = HEAD + ROW * self.bars.len() as u32 + FOOT;
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
            root.fill(&WHITE).map_err(failed)?;
            let text = |size: u32, share: f64| (FONT, size).into_font().color(&BLACK.mix(share));
            root.draw(&Text::new(self.title.as_str(), (10, 6), text(17, 1.0))).map_err(failed)?;
            root.draw(&Text::new(self.unit.as_str(), (10, 26), text(14, 0.7))).map_err(failed)?;
            for (index, bar) in self.bars.iter().enumerate() {
                let top = (HEAD + ROW * index as u32) as i32;
                let right = 10 + ((f64::from(WIDTH as i32 - FIGURE - 10) * bar.value / longest) as i32).max(1);
                root.draw(&Text::new(bar.label.as_str(), (10, top), text(14, 1.0))).map_err(failed)?;
                let shape = Rectangle::new([(10, top + 18), (right, top + 32)], rgb(bar.colour).filled());
                root.draw(&shape).map_err(failed)?;
                root.draw(&Text::new(figure(bar.value), (right + 6, top + 17), text(14, 1.0))).map_err(failed)?;
            }
            root.present().map_err(failed)?;
        }
        let (title, description) = (escaped(&self.title), escaped(&self.described()));
        let open = format!("<svg role=\"img\" aria-label=\"{}\" ", title.replace('"', "&quot;"));
        let svg = svg.replacen("<svg ", &open, 1);
        Ok(svg.replacen(">\n", &format!(">\n<title>{title}</title>\n<desc>{description}</desc>\n"), 1))
    }
}

/// Three digits or so.
fn figure(value: f64) -> String {
    match value {
        small if small < 10.0 => format!("{small:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::colours;

    fn bars(values: &[f64]) -> Bars {
        let bar =
            |(index, value): (usize, &f64)| Bar { label: format!("<{index}>"), value: *value, colour: colours::BLUE };
        Bars { title: "A call".to_owned(), unit: "ns".to_owned(), bars: values.iter().enumerate().map(bar).collect() }
    }

    #[test]
    fn each_bar_has_its_name_and_its_figure() {
        let svg = bars(&[2.5, 16.4]).svg().expect("lengths");
        for text in ["&lt;0&gt;", "2.5", "&lt;1&gt;", "16", "<title>A call</title>", "<desc>ns. &lt;0&gt;: 2.5; "] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn the_longest_bar_is_so_many_times_longer_as_it_says() {
        let svg = bars(&[10.0, 40.0]).svg().expect("lengths");
        let width =
            |part: &str| part.split_once("width=\"").and_then(|(_, rest)| rest.split('"').next()?.parse::<f64>().ok());
        let widths: Vec<f64> = svg.split("<rect ").skip(2).filter_map(width).collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[1] / widths[0] - 4.0).abs() < 0.05, "{widths:?}");
    }

    #[test]
    fn no_bars_and_none_of_a_length_are_refused() {
        assert!(bars(&[]).svg().is_err() && bars(&[0.0]).svg().is_err());
        assert!(bars(&[1.0, f64::NAN]).svg().is_err() && bars(&[1.0, -1.0]).svg().is_err());
    }
}
