//! Swarms: a cloud of points per name on a common axis, shaded from low to high.

use stagewise_core::exhibit::SwarmItem;

use super::frame::{Frame, Layout, empty, label_width, not_shown};
use super::scale::Scale;
use super::svg::{Anchor, Ink, SHADES};
use crate::escape::shorten;

const SHOWN: usize = 30;
const LETTERS: usize = 30;
const ROW: f64 = 28.0;
const RADIUS: f64 = 1.8;
/// Points that lie this close are put above and below one another.
const CELL: f64 = 2.0 * RADIUS;
/// Points that are drawn before the next shade has its turn again.
const TURN: usize = 125;
/// About how wide one character is.
const CHARACTER: f64 = 6.4;

/// Where a point lies, and its shade.
type Point = (f64, Option<f64>);

/// One row of points per item, in the order given, at most 30; points that lie together are spread, densest widest.
///
/// Points without a shade are grey. Values that are not finite are left out and counted below the chart.
pub fn swarm(title: &str, x: &str, shade: &str, items: &[SwarmItem]) -> String {
    let finite = |item: &SwarmItem| item.points.iter().copied().filter(|p| p.0.is_finite()).collect::<Vec<Point>>();
    let rows: Vec<(&str, Vec<Point>)> = items.iter().map(|item| (item.name.as_str(), finite(item))).collect();
    let given: usize = items.iter().map(|item| item.points.len()).sum();
    let mut notes = not_shown(given - rows.iter().map(|row| row.1.len()).sum::<usize>());
    if rows.iter().all(|row| row.1.is_empty()) {
        return empty(title, notes);
    }
    let shown = &rows[..rows.len().min(SHOWN)];
    if rows.len() > SHOWN {
        notes.push(format!("{} more items not shown", rows.len() - SHOWN));
    }
    let shaded = shown.iter().flat_map(|row| &row.1).any(|point| point.1.is_some());
    let legend = format!("{}: low", shorten(shade, LETTERS));
    if shaded {
        notes.insert(0, legend.clone());
    }
    let mut frame = Frame::new(Layout {
        title,
        legend: Vec::new(),
        left: label_width(shown.iter().map(|row| row.0), LETTERS),
        right: 20.0,
        height: ROW * shown.len() as f64 + 4.0,
        notes,
    });
    let values = shown.iter().flat_map(|row| &row.1).map(|point| point.0).chain([0.0]);
    let scale = Scale::of(values, frame.left + 6.0, frame.right - 6.0);
    frame.axis_x(&scale, x);
    let zero = scale.at(0.0);
    frame.svg.line((zero, frame.top), (zero, frame.bottom), Ink::Axis, 1.0);
    for (row, (name, points)) in shown.iter().enumerate() {
        let middle = frame.top + 2.0 + ROW * (row as f64 + 0.5);
        frame.svg.text((frame.left - 8.0, middle + 4.0), Anchor::End, Ink::Text, &shorten(name, LETTERS));
        let places: Vec<f64> = points.iter().map(|point| scale.at(point.0)).collect();
        let heights = spread(&places);
        let drawn: Vec<(usize, (f64, f64))> = points
            .iter()
            .zip(places.iter().zip(heights))
            .map(|(point, (&place, height))| (step(point.1), (place, middle + height)))
            .collect();
        // Some of every shade in turn, so that none lies on top everywhere.
        for some in drawn.chunks(TURN) {
            for step in (0..=SHADES).rev() {
                let at: Vec<(f64, f64)> = some.iter().filter(|dot| dot.0 == step).map(|dot| dot.1).collect();
                frame.svg.dots(&at, RADIUS, if step == SHADES { Ink::Axis } else { Ink::Shade(step) });
            }
        }
    }
    if shaded {
        key(&mut frame, &legend);
    }
    frame.finish()
}

/// The legend: steps from low to high behind the first note, and what grey is.
fn key(frame: &mut Frame, legend: &str) {
    let (y, mut x) = (frame.bottom + 52.0, 4.0 + CHARACTER * legend.chars().count() as f64 + 6.0);
    for step in 0..SHADES {
        frame.svg.rect((x, y - 9.0), (12.0, 10.0), Ink::Shade(step), 1.0);
        x += 12.0;
    }
    frame.svg.text((x + 6.0, y), Anchor::Start, Ink::Muted, "high");
    frame.svg.rect((x + 50.0, y - 9.0), (12.0, 10.0), Ink::Axis, 1.0);
    frame.svg.text((x + 68.0, y), Anchor::Start, Ink::Muted, "missing, or without order");
}

/// The step of a shade; the last is for none.
fn step(shade: Option<f64>) -> usize {
    match shade {
        Some(share) if !share.is_nan() => ((share.clamp(0.0, 1.0) * SHADES as f64) as usize).min(SHADES - 1),
        _ => SHADES,
    }
}

/// How far from the middle of its row each point is put: those in one cell in turn above and below, and all closer where
/// the fullest cell needs it.
fn spread(places: &[f64]) -> Vec<f64> {
    let cell = |place: f64| (place / CELL).floor() as i64;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&i| (cell(places[i]), i));
    let mut turns = vec![0.0; places.len()];
    let mut fullest = 0.0f64;
    for together in order.chunk_by(|&a, &b| cell(places[a]) == cell(places[b])) {
        for (k, &i) in together.iter().enumerate() {
            let turn = k.div_ceil(2) as f64;
            turns[i] = if k % 2 == 0 { turn } else { -turn };
            fullest = fullest.max(turn);
        }
    }
    let room = 0.5 * ROW - RADIUS - 1.0;
    let apart = if fullest > 0.0 { CELL.min(room / fullest) } else { 0.0 };
    turns.into_iter().map(|turn| turn * apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_lie_together_are_spread_within_the_row() {
        assert_eq!(spread(&[10.0, 200.0, 10.1, 10.2]), [0.0, 0.0, -CELL, CELL]);
        let many = spread(&[50.0; 500]);
        assert!(many.iter().all(|height| height.abs() + RADIUS <= 0.5 * ROW));
        assert!(many.iter().any(|height| *height > 10.0) && many.iter().any(|height| *height < -10.0));
    }

    #[test]
    fn shades_go_from_low_to_high_and_have_a_legend() {
        assert_eq!([Some(0.0), Some(1.0), Some(f64::NAN), None].map(step), [0, SHADES - 1, SHADES, SHADES]);
        let item = |shade| SwarmItem { name: "age".into(), points: vec![(1.0, shade), (-1.0, shade)] };
        let drawn = swarm("t", "score", "value", &[item(Some(1.0))]);
        assert!(drawn.contains(">value: low<") && drawn.contains(">high<") && drawn.contains("#e06614"));
        let plain = swarm("t", "score", "value", &[item(None)]);
        assert!(!plain.contains("low") && plain.contains(">age<"));
    }
}
