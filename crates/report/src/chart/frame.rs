//! What charts have in common: title, legend, axes, notes, and the room they take.

use super::scale::Scale;
use super::svg::{Anchor, Ink, Svg};
use crate::escape::shorten;

/// The width of every chart; a page scales it down where there is less room.
pub(super) const WIDTH: f64 = 720.0;

/// About how wide one character of a label is.
const CHARACTER: f64 = 6.4;
const TITLE_LETTERS: usize = 90;
const LEGEND_LETTERS: usize = 24;

/// The room of a chart: a picture, and where in it the data go.
pub(super) struct Frame {
    pub(super) svg: Svg,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    title: String,
}

/// The layout of a frame.
pub(super) struct Layout<'a> {
    pub(super) title: &'a str,
    /// Names of series; no legend for one or none.
    pub(super) legend: Vec<&'a str>,
    pub(super) left: f64,
    pub(super) right: f64,
    /// How high the data stand.
    pub(super) height: f64,
    /// What could not be shown.
    pub(super) notes: Vec<String>,
}

impl Frame {
    pub(super) fn new(layout: Layout<'_>) -> Self {
        let legend = if layout.legend.len() > 1 { layout.legend.as_slice() } else { &[] };
        let lines = legend_lines(legend);
        let top = 30.0 + 20.0 * lines.len() as f64 + 13.0;
        let bottom = top + layout.height;
        let height = bottom + 44.0 + 18.0 * layout.notes.len() as f64;
        let mut svg = Svg::new(WIDTH, height);
        svg.heading((4.0, 18.0), &shorten(layout.title, TITLE_LETTERS));
        for (row, line) in lines.iter().enumerate() {
            for &(x, series) in line {
                let y = 40.0 + 20.0 * row as f64;
                svg.line((x, y - 4.0), (x + 16.0, y - 4.0), Ink::Series(series), 4.0);
                svg.text((x + 22.0, y), Anchor::Start, Ink::Text, &shorten(legend[series], LEGEND_LETTERS));
            }
        }
        for (row, note) in layout.notes.iter().enumerate() {
            svg.text((4.0, bottom + 56.0 + 18.0 * row as f64 - 4.0), Anchor::Start, Ink::Muted, note);
        }
        let right = WIDTH - layout.right;
        Self { svg, left: layout.left, right, top, bottom, title: layout.title.to_string() }
    }

    /// A horizontal axis below the data, with grid lines.
    pub(super) fn axis_x(&mut self, scale: &Scale, name: &str) {
        for (x, label) in scale.ticks(7) {
            let x = scale.at(x);
            self.svg.line((x, self.top), (x, self.bottom), Ink::Grid, 1.0);
            self.svg.text((x, self.bottom + 17.0), Anchor::Middle, Ink::Muted, &label);
        }
        self.svg.line((self.left, self.bottom), (self.right, self.bottom), Ink::Axis, 1.0);
        if name.is_empty() {
            return;
        }
        let middle = 0.5 * (self.left + self.right);
        self.svg.text((middle, self.bottom + 35.0), Anchor::Middle, Ink::Muted, &shorten(name, TITLE_LETTERS));
    }

    /// A vertical axis on the left, with grid lines.
    pub(super) fn axis_y(&mut self, scale: &Scale, name: &str) {
        for (y, label) in scale.ticks(5) {
            let y = scale.at(y);
            self.svg.line((self.left, y), (self.right, y), Ink::Grid, 1.0);
            self.svg.text((self.left - 7.0, y + 4.0), Anchor::End, Ink::Muted, &label);
        }
        self.svg.upright((14.0, 0.5 * (self.top + self.bottom)), &shorten(name, 40));
    }

    pub(super) fn finish(self) -> String {
        self.svg.finish(&self.title)
    }
}

/// A picture that says why there is none.
pub(super) fn empty(title: &str, notes: Vec<String>) -> String {
    let mut svg = Svg::new(WIDTH, 60.0);
    svg.heading((4.0, 18.0), &shorten(title, TITLE_LETTERS));
    let mut said = vec!["nothing to show".to_string()];
    said.extend(notes);
    svg.text((4.0, 42.0), Anchor::Start, Ink::Muted, &said.join("; "));
    svg.finish(title)
}

/// The note about values that are not finite; none for 0.
pub(super) fn not_shown(count: usize) -> Vec<String> {
    match count {
        0 => Vec::new(),
        1 => vec!["1 value not shown: it is not finite".to_string()],
        n => vec![format!("{n} values not shown: they are not finite")],
    }
}

/// The width that the longest of these labels takes, at most `letters` characters.
pub(super) fn label_width<'a>(labels: impl Iterator<Item = &'a str>, letters: usize) -> f64 {
    labels.map(|label| label.chars().count().min(letters)).max().unwrap_or(0) as f64 * CHARACTER + 14.0
}

/// Where each entry of a legend stands, by line.
fn legend_lines(names: &[&str]) -> Vec<Vec<(f64, usize)>> {
    let mut lines: Vec<Vec<(f64, usize)>> = Vec::new();
    let mut x = WIDTH;
    for (series, name) in names.iter().enumerate() {
        let width = 44.0 + name.chars().count().min(LEGEND_LETTERS) as f64 * CHARACTER;
        if x + width > WIDTH {
            lines.push(Vec::new());
            x = 4.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, series));
        }
        x += width;
    }
    lines
}
