//! Bars: one value per name, lying, so that long names can be read.

use stagewise_core::exhibit::number;

use super::frame::{Frame, Layout, empty, label_width, not_shown};
use super::scale::Scale;
use super::svg::{Anchor, Ink};
use crate::escape::shorten;

/// More bars than these are not read.
const SHOWN: usize = 60;
const LETTERS: usize = 30;
const ROW: f64 = 22.0;

/// One bar per item from zero to its value, in the order given, at most 60; `mark` is a dashed line.
///
/// Values that are not finite are left out and counted below the chart.
pub fn bars(title: &str, items: &[(String, f64)], mark: Option<f64>) -> String {
    let finite: Vec<&(String, f64)> = items.iter().filter(|item| item.1.is_finite()).collect();
    let mut notes = not_shown(items.len() - finite.len());
    if finite.is_empty() {
        return empty(title, notes);
    }
    let shown = &finite[..finite.len().min(SHOWN)];
    if finite.len() > SHOWN {
        notes.push(format!("{} more items not shown", finite.len() - SHOWN));
    }
    let mark = mark.filter(|m| m.is_finite());
    let values: Vec<String> = shown.iter().map(|item| number(item.1)).collect();
    let mut frame = Frame::new(Layout {
        title,
        legend: Vec::new(),
        left: label_width(shown.iter().map(|item| item.0.as_str()), LETTERS),
        right: label_width(values.iter().map(String::as_str), 12).max(24.0),
        height: ROW * shown.len() as f64 + 4.0,
        notes,
    });
    let ends = shown.iter().map(|item| item.1).chain(mark).chain([0.0]);
    let scale = Scale::of(ends, frame.left, frame.right);
    frame.axis_x(&scale, "");
    let zero = scale.at(0.0);
    for (row, (name, value)) in shown.iter().enumerate() {
        let y = frame.top + 4.0 + ROW * row as f64;
        let x = scale.at(*value);
        frame.svg.rect((zero.min(x), y), ((x - zero).abs(), ROW - 6.0), Ink::Series(0), 0.85);
        frame.svg.text((frame.left - 8.0, y + 12.0), Anchor::End, Ink::Text, &shorten(name, LETTERS));
    }
    frame.svg.line((zero, frame.top), (zero, frame.bottom), Ink::Axis, 1.0);
    if let Some(mark) = mark {
        let x = scale.at(mark);
        frame.svg.line((x, frame.top - 4.0), (x, frame.bottom), Ink::Mark, 1.5);
        frame.svg.text((x, frame.top - 7.0), Anchor::Middle, Ink::Text, &number(mark));
    }
    // Last, so that no line runs through a number.
    for (row, (item, text)) in shown.iter().zip(&values).enumerate() {
        let at = (zero.max(scale.at(item.1)) + 5.0, frame.top + 16.0 + ROW * row as f64);
        frame.svg.above(at, text);
    }
    frame.finish()
}
