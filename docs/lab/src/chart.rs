//! Small multiples of line charts, as SVG: rows and columns of panels that share a look.

use std::{error::Error, fmt, ops::Range};

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, Ranged, ValueFormatter},
    },
    prelude::*,
};

/// Colours that also the colour-blind tell apart (Okabe and Ito, 2008).
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
    pub const PURPLE: Colour = (204, 121, 167);
    /// A background that catches the eye a little.
    pub const AMBER: Colour = (230, 159, 0);
}

use colours::Colour;

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
    /// What the vertical axis shows; values outside are drawn at its edge.
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
    let (width, height) = (size.0 * columns as u32, size.1 * rows.len() as u32 + LEGEND_HEIGHT);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let (head, body) = root.split_vertically(LEGEND_HEIGHT);
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
    Ok(svg)
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
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .caption(&panel.title, (FONT, 15).into_font().color(&BLACK))
        .x_label_area_size(36)
        .y_label_area_size(Y_LABELS)
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
        .label_style((FONT, 11))
        .axis_desc_style((FONT, 12))
        .draw()
        .map_err(failed)?;
    // The names of the bands stand just inside the upper edge, over the mesh and under the lines.
    chart
        .draw_series(panel.bands.iter().map(|band| {
            let style = (FONT, 10).into_font().color(&BLACK.mix(0.7));
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
    let (mut x, middle) = (Y_LABELS as i32, LEGEND_HEIGHT as i32 / 2 + 4);
    for line in &panel.lines {
        let style = rgb(line.colour).stroke_width(line.width + 1);
        area.draw(&PathElement::new([(x, middle), (x + 20, middle)], style)).map_err(failed)?;
        let text = (FONT, 12).into_font().color(&BLACK);
        area.draw(&Text::new(line.label.as_str(), (x + 26, middle - 7), text)).map_err(failed)?;
        x += 26 + LETTER * line.label.chars().count() as i32 + 20;
    }
    Ok(())
}

/// Pixels.
const LEGEND_HEIGHT: u32 = 28;
const Y_LABELS: u32 = 58;
const LETTER: i32 = 7;

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
