//! What an experiment shows: its rows for programs, a table for people, a chart for the book.

use std::{collections::BTreeMap, fmt::Write, io};

use serde::Serialize;

use crate::{
    chart::{Panel, grid},
    table,
};

/// The results of one experiment, ready to be printed and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// `{"rows": […]}`, and what else the experiment has, on one line.
    pub json: String,
    /// What was done, tables of Markdown, and how to read them.
    pub text: String,
    /// The same as a chart.
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
    /// When a panel's range is empty, or a row is nothing that JSON can say.
    pub fn sheet(self) -> io::Result<Sheet> {
        let json = serde_json::to_string(&Rows { rows: self.rows, more: &self.more })?;
        let mut text = format!("{}\n", self.about);
        for (caption, lines) in &self.tables {
            // A `String` takes all that it is given.
            let _ = write!(text, "\n{caption}:\n\n{}", table::markdown(lines));
        }
        let _ = write!(text, "\n{}\n", self.notes);
        let svg = grid(&[self.panels], PANEL).map_err(io::Error::other)?;
        Ok(Sheet { json, text, svg })
    }
}

#[derive(Serialize)]
struct Rows<'a, Row> {
    rows: &'a [Row],
    #[serde(flatten)]
    more: &'a BTreeMap<&'static str, serde_json::Value>,
}

/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (620, 380);
