//! Small multiples of line charts, as SVG: rows and columns of panels that share a look.

mod bars;
mod described;
mod range;

use std::{error::Error, fmt, ops::Range};

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, Ranged, ValueFormatter},
    },
    prelude::*,
};

/// Colours that also the colour-blind tell apart (after Okabe and Ito, 2008), and dark enough to be seen as a line on white,
/// light enough on the dark of a page.
pub mod colours {
    /// A colour, as red, green and blue.
    pub type Colour = (u8, u8, u8);

    /// For what is given, and for what is compared with.
    pub const GREY: Colour = (130, 130, 130);
    /// The first colour to take.
    pub const BLUE: Colour = (0, 114, 178);
    /// The second.
    pub const ORANGE: Colour = (213, 94, 0);
    /// The third.
    pub const GREEN: Colour = (0, 158, 115);
    /// The fourth.
    pub const PURPLE: Colour = (192, 106, 154);
    /// The fifth, and a background that catches the eye a little. As a line it is dashed, for to some eyes it is as orange.
    pub const AMBER: Colour = (184, 122, 0);
}

pub use bars::{Bar, Bars};
use colours::Colour;
pub use described::described;
pub use range::top;

/// How values are laid along the axes: the horizontal one is linear unless it says else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are; the range must be above zero.
    Log,
    /// As [`Log`](Self::Log), and so along the horizontal axis.
    LogLog,
}

/// One chart.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Above it.
    pub title: String,
    /// Below the horizontal axis, with the unit.
    pub x_label: String,
    /// Beside the vertical axis, with the unit.
    pub y_label: String,
    /// What the horizontal axis shows.
    pub x: Range<f64>,
    /// What the vertical axis shows; values [`outside`](Self::outside) are drawn at its edge.
    pub y: Range<f64>,
    /// How the axes are laid out.
    pub scale: Scale,
    /// Shaded behind the lines.
    pub bands: Vec<Band>,
    /// Drawn in order, the last on top.
    pub lines: Vec<Line>,
}

/// A shaded part of the horizontal axis, with its name at the top.
#[derive(Clone, Debug)]
pub struct Band {
    /// What it is called.
    pub label: String,
    /// From where to where.
    pub x: Range<f64>,
    /// Its colour, and how much of it (0 to 1).
    pub shade: (Colour, f64),
}

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the legend calls it.
    pub label: String,
    /// Its colour.
    pub colour: Colour,
    /// Its width, in pixels.
    pub width: u32,
    /// Its points; where there is no value there is a gap.
    pub points: Vec<(f64, Option<f64>)>,
}

/// The drawing failed; into a string it does not, unless a panel's range is empty.
#[derive(Debug)]
pub struct DrawError(String);

impl fmt::Display for DrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the chart cannot be drawn: {}", self.0)
    }
}

impl Error for DrawError {}

/// Draws `rows` of panels, each panel `size` pixels, as an SVG document. Above each column is the legend of its first
/// panel, so that panels below one another have the same lines.
///
/// # Errors
///
/// [`DrawError`] when a panel's range is empty.
pub fn grid(rows: &[Vec<Panel>], size: (u32, u32)) -> Result<String, DrawError> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    // So many panels that the size in pixels would pass u32 do not fit in memory.
    let legend_height = scaled(LEGEND_HEIGHT, size.0);
    let (width, height) = (size.0 * columns as u32, size.1 * rows.len() as u32 + legend_height);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let (head, body) = root.split_vertically(legend_height);
        for (area, panel) in head.split_evenly((1, columns)).iter().zip(rows.iter().flatten()) {
            legend(area, panel)?;
        }
        for (areas, row) in body.split_evenly((rows.len(), columns)).chunks(columns.max(1)).zip(rows) {
            for (area, panel) in areas.iter().zip(row) {
                draw(area, panel)?;
            }
        }
        root.present().map_err(failed)?;
    }
    let panels: Vec<&Panel> = rows.iter().flatten().collect();
    Ok(with_text(&dashed(&svg), &panels))
}

/// The picture with a title and a description, which is what a screen reader reads instead of it.
fn with_text(svg: &str, panels: &[&Panel]) -> String {
    let title = panels.iter().map(|panel| panel.title.as_str()).collect::<Vec<_>>().join("; ");
    let text = panels.iter().map(|panel| described(panel)).collect::<Vec<_>>().join(" ");
    let (title, text) = (escaped(&title), escaped(&text));
    // The drawing begins with one `<svg …>`.
    match svg.split_once('>') {
        Some((open, rest)) => {
            let open = open.replacen("<svg ", "<svg role=\"img\" ", 1);
            format!("{open}>\n<title>{title}</title>\n<desc>{text}</desc>{rest}")
        }
        None => svg.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw(area: &Area<'_>, panel: &Panel) -> Result<(), DrawError> {
    let (x, y) = (panel.x.clone(), panel.y.clone());
    let of_log = match panel.scale {
        Scale::Linear => [].as_slice(),
        Scale::Log => &[&y],
        Scale::LogLog => &[&x, &y],
    };
    if x.is_empty() || y.is_empty() || of_log.iter().any(|range| range.start <= 0.0) {
        return Err(DrawError(format!("{} has an empty range", panel.title)));
    }
    match panel.scale {
        Scale::Linear => draw_over(area, panel, x, y),
        Scale::Log => draw_over(area, panel, x, y.log_scale()),
        Scale::LogLog => draw_over(area, panel, x.log_scale(), y.log_scale()),
    }
}

fn draw_over<X, Y>(area: &Area<'_>, panel: &Panel, x: X, y: Y) -> Result<(), DrawError>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let px = |pixels| scaled(pixels, area.dim_in_pixel().0);
    let mut chart = ChartBuilder::on(area)
        .margin(px(10))
        .caption(&panel.title, (FONT, px(17)).into_font().color(&BLACK))
        .x_label_area_size(px(46))
        .y_label_area_size(px(Y_LABELS))
        .build_cartesian_2d(x, y)
        .map_err(failed)?;

    let (bottom, top) = (panel.y.start, panel.y.end);
    chart
        .draw_series(panel.bands.iter().map(|band| {
            let (colour, share) = band.shade;
            Rectangle::new([(band.x.start, bottom), (band.x.end, top)], rgb(colour).mix(share).filled())
        }))
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.5))
        .x_desc(&panel.x_label)
        .y_desc(&panel.y_label)
        .x_labels(9)
        .y_labels(6)
        .y_label_formatter(&|value| number(*value))
        .x_label_formatter(&|value| number(*value))
        .label_style((FONT, px(SMALLEST)))
        .axis_desc_style((FONT, px(15)))
        .draw()
        .map_err(failed)?;
    // The names of the bands stand just inside the upper edge, over the mesh and under the lines.
    chart
        .draw_series(panel.bands.iter().map(|band| {
            let style = (FONT, px(SMALLEST)).into_font().color(&BLACK.mix(0.7));
            EmptyElement::at((band.x.start, top)) + Text::new(band.label.clone(), (3, 3), style)
        }))
        .map_err(failed)?;

    for line in &panel.lines {
        let style = rgb(line.colour).stroke_width(line.width);
        let inside = |(x, y): &(f64, Option<f64>)| y.map(|y| (*x, y.clamp(bottom, top)));
        for part in line.points.split(|(_, y)| y.is_none()) {
            // A point between two gaps is no line, and must be seen all the same.
            let dots = u32::from(part.len() == 1) * line.width;
            chart
                .draw_series(LineSeries::new(part.iter().filter_map(inside), style).point_size(dots))
                .map_err(failed)?;
        }
    }
    Ok(())
}

fn legend(area: &Area<'_>, panel: &Panel) -> Result<(), DrawError> {
    let width = area.dim_in_pixel().0;
    let px = |pixels| scaled(pixels, width) as i32;
    let long = |line: &Line| px(29 + LETTER * line.label.chars().count() as u32 + 14);
    // What is too long for one row has two.
    let is_long = px(20) + panel.lines.iter().map(long).sum::<i32>() > width as i32 + px(14);
    let (mut x, mut middle) = (px(20), if is_long { px(10) } else { px(LEGEND_HEIGHT) / 2 + px(4) });
    for line in &panel.lines {
        if is_long && x > px(20) && x + long(line) > width as i32 + px(14) {
            (x, middle) = (px(20), middle + px(16));
        }
        let style = rgb(line.colour).stroke_width(line.width + 1);
        area.draw(&PathElement::new([(x, middle), (x + px(24), middle)], style)).map_err(failed)?;
        let text = (FONT, px(SMALLEST)).into_font().color(&BLACK);
        area.draw(&Text::new(line.label.as_str(), (x + px(29), middle - px(8)), text)).map_err(failed)?;
        x += long(line);
    }
    Ok(())
}

/// plotters draws a dashed line as a line for each dash, where SVG has a word for it.
fn dashed(svg: &str) -> String {
    let (red, green, blue) = colours::AMBER;
    let stroke = format!("stroke=\"#{red:02X}{green:02X}{blue:02X}\"");
    let line = |line: &str| {
        let is_line = line.starts_with("<polyline ");
        if is_line { line.replacen(&stroke, &format!("{stroke} stroke-dasharray=\"8 4\""), 1) } else { line.to_owned() }
    };
    svg.lines().map(|one| line(one) + "\n").collect()
}

/// Pixels of a panel that is [`WIDTH`] wide; in a narrower one all is smaller.
fn scaled(pixels: u32, width: u32) -> u32 {
    // Half a pixel is rounded up.
    (pixels * width + WIDTH / 2) / WIDTH
}

/// For which the sizes are given.
const WIDTH: u32 = 620;
const LEGEND_HEIGHT: u32 = 32;
const Y_LABELS: u32 = 66;
const LETTER: u32 = 8;
/// The height of the text of legends, marks and bands: the site shows a panel no narrower than lets it be read.
const SMALLEST: u32 = 14;

/// What the reader's system has for it; nothing is embedded, and nothing is measured but roughly.
const FONT: &str = "sans-serif";

fn rgb((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

/// As few digits as tell neighbouring marks apart.
fn number(value: f64) -> String {
    match value.abs() {
        // Marks below a tenth are powers of ten.
        small @ 1e-9..0.095 => format!("{value:.0$}", (-small.log10() - 1e-9).ceil() as usize),
        large if large >= 10.0 || large.fract() < 1e-9 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

fn failed(error: impl fmt::Display) -> DrawError {
    DrawError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn panel() -> Panel {
        let points = vec![(0.0, Some(1.0)), (0.5, None), (1.0, Some(1234.5)), (2.0, Some(0.01234))];
        Panel {
            title: "Load & <time>".to_owned(),
            x_label: "time (s)".to_owned(),
            y_label: "load (requests/s)".to_owned(),
            x: 0.0..2.0,
            y: 0.0..2_000.0,
            scale: Scale::Linear,
            bands: vec![Band { label: "outage".to_owned(), x: 0.25..1.5, shade: (colours::GREY, 0.1) }],
            lines: vec![Line { label: "naive".to_owned(), colour: colours::BLUE, width: 2, points }],
        }
    }

    #[test]
    fn a_picture_carries_its_title_and_its_description() {
        let svg = grid(&[vec![panel()]], (400, 300)).expect("a range that is not empty");
        assert!(svg.starts_with("<svg role=\"img\" "), "{}", &svg[..80]);
        assert!(svg.contains("<title>Load &amp; &lt;time&gt;</title>\n<desc>load (requests/s) by"));
    }

    #[test]
    fn amber_is_dashed_in_the_legend_and_as_a_line_and_nothing_else_is() {
        let mut panel = panel();
        panel.lines[0].points = vec![(0.0, Some(1.0)), (1.0, Some(2.0))];
        let svg = |panel: &Panel| grid(&[vec![panel.clone()]], (400, 300)).expect("a range that is not empty");
        assert_eq!(svg(&panel).matches("stroke-dasharray").count(), 0);
        panel.lines[0].colour = colours::AMBER;
        panel.bands[0].shade = (colours::AMBER, 0.5);
        assert_eq!(svg(&panel).matches("stroke-dasharray").count(), 2);
    }
}
