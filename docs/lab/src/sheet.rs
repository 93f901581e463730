//! What an experiment shows: its rows for programs and spreadsheets, a table for people, charts for the book.

use std::{collections::BTreeMap, fmt::Write, io};

use serde::Serialize;

use crate::{
    chart::{Panel, described, grid},
    table,
};

/// The results of one experiment, ready to be printed and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// `{"rows": […]}`, and what else the experiment has, on one line.
    pub json: String,
    /// What was done, tables of Markdown, and how to read them.
    pub text: String,
    /// The rows as comma-separated values (RFC 4180), the first line their names; what there is not is empty.
    pub csv: String,
    /// The same as a chart: all panels side by side.
    pub svg: String,
    /// Each of the panels by itself.
    pub charts: Vec<Chart>,
}

/// One panel, drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What it shows, in a few words.
    pub title: String,
    /// What is to be seen on it, for those who do not see it: [`described`].
    pub alt: String,
    /// The picture, with both of them in it.
    pub svg: String,
}

/// What a [`Sheet`] is made of.
#[derive(Debug)]
pub struct Parts<'a, Row> {
    /// The rows, for programs.
    pub rows: &'a [Row],
    /// What else there is for programs, by name.
    pub more: BTreeMap<&'static str, serde_json::Value>,
    /// What was done, in a sentence or two.
    pub about: String,
    /// The tables, each with its caption; the first line of each is its head.
    pub tables: Vec<(&'a str, Vec<Vec<String>>)>,
    /// What the reader must know to take the figures for what they are.
    pub notes: &'a str,
    /// The charts, side by side.
    pub panels: Vec<Panel>,
}

impl<Row: Serialize> Parts<'_, Row> {
    /// Lays them out.
    ///
    /// # Errors
    ///
    /// When a panel's range is empty or leaves out a point of its lines, or a row is nothing that JSON or CSV can say.
    pub fn sheet(self) -> io::Result<Sheet> {
        let json = serde_json::to_string(&Rows { rows: self.rows, more: &self.more })?;
        let mut text = format!("{}\n", self.about);
        for (caption, lines) in &self.tables {
            // A `String` takes all that it is given.
            let _ = write!(text, "\n{caption}:\n\n{}", table::markdown(lines));
        }
        let _ = write!(text, "\n{}\n", self.notes);
        let charts = self.panels.iter().map(|panel| {
            if let Some((line, (x, y))) = panel.outside() {
                return Err(io::Error::other(format!("{}: {line} is {y} at {x}, outside of the chart", panel.title)));
            }
            let svg = grid(&[vec![panel.clone()]], PANEL).map_err(io::Error::other)?;
            Ok(Chart { title: panel.title.clone(), alt: described(panel), svg })
        });
        let charts = charts.collect::<io::Result<_>>()?;
        let svg = grid(&[self.panels], PANEL).map_err(io::Error::other)?;
        Ok(Sheet { json, text, csv: csv(self.rows)?, svg, charts })
    }
}

fn csv<Row: Serialize>(rows: &[Row]) -> io::Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    rows.iter().try_for_each(|row| csv.serialize(row))?;
    let bytes = csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[derive(Serialize)]
struct Rows<'a, Row> {
    rows: &'a [Row],
    #[serde(flatten)]
    more: &'a BTreeMap<&'static str, serde_json::Value>,
}

/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (620, 400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Line, Scale, colours};

    #[test]
    fn a_chart_that_would_be_cut_is_refused() {
        let sheet = |top: f64| {
            let points = vec![(0.0, Some(1.0)), (1.0, Some(5.0))];
            let panel = Panel {
                title: "Load".to_owned(),
                x_label: "time (s)".to_owned(),
                y_label: "load (requests/s)".to_owned(),
                x: 0.0..1.0,
                y: 0.0..top,
                scale: Scale::Linear,
                bands: Vec::new(),
                lines: vec![Line { label: "naive".to_owned(), colour: colours::BLUE, width: 2, points }],
            };
            let rows: &[u8] = &[];
            let about = String::new();
            Parts { rows, more: BTreeMap::new(), about, tables: Vec::new(), notes: "", panels: vec![panel] }.sheet()
        };
        assert!(sheet(5.0).is_ok());
        let error = sheet(4.0).expect_err("refused").to_string();
        assert_eq!(error, "Load: naive is 5 at 1, outside of the chart");
    }
}
