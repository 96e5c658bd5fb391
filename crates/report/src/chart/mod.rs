//! Charts as SVG: one file per kind.
//!
//! Every chart has a title, nice ticks, a legend where there are several series, and a note where something is left out.
//! Nothing a result can hold breaks it: no data, one point, values that are not finite, names with markup.

mod bars;
mod frame;
mod heat;
mod histogram;
mod intervals;
mod lines;
pub(crate) mod scale;
mod svg;
mod swarm;

use stagewise_core::exhibit::Chart;

pub use bars::bars;
pub use heat::heat;
pub use histogram::histogram;
pub use intervals::intervals;
pub use lines::lines;
pub use swarm::swarm;

/// A chart as one SVG element, ready for a file or a page. O(points).
///
/// ```
/// use stagewise_core::exhibit::Chart;
/// let items = vec![("age".to_string(), 2.5), ("plan".to_string(), f64::NAN)];
/// let svg = stagewise_report::chart::draw(&Chart::Bars { title: "Drift".into(), items, mark: Some(1.0) });
/// assert!(svg.starts_with("<svg") && svg.contains("1 value not shown"));
/// ```
pub fn draw(chart: &Chart) -> String {
    match chart {
        Chart::Bars { title, items, mark } => bars(title, items, *mark),
        Chart::Heat { title, x, y, columns, rows } => heat(title, x, y, columns, rows),
        Chart::Histogram { title, edges, series } => histogram(title, edges, series),
        Chart::Intervals { title, items } => intervals(title, items),
        Chart::Lines { title, x, y, series } => lines(title, x, y, series),
        Chart::Swarm { title, x, shade, items } => swarm(title, x, shade, items),
        _ => frame::empty("Chart", vec!["this version cannot draw it".to_string()]),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use stagewise_core::exhibit::SwarmItem;

    fn named(values: &[f64]) -> Vec<(String, f64)> {
        values.iter().map(|&x| (format!("<{x}> & \"co\""), x)).collect()
    }

    /// Charts that data can bring about, good and bad.
    pub(crate) fn charts() -> Vec<Chart> {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 0.0, 5e-324];
        let title = "<script>alert(1)</script>".to_string();
        let lines = |series: Vec<(String, Vec<(f64, f64)>)>| Chart::Lines {
            title: title.clone(),
            x: "x".into(),
            y: "y".into(),
            series,
        };
        let bars = |items: Vec<(String, f64)>| Chart::Bars { title: title.clone(), items, mark: Some(f64::NAN) };
        let histogram = |edges: &[f64], shares: &[f64]| {
            let series = vec![("a".to_string(), shares.to_vec()), ("b".to_string(), shares.to_vec())];
            Chart::Histogram { title: title.clone(), edges: edges.to_vec(), series }
        };
        let intervals = |items: Vec<(String, f64, f64, f64)>| Chart::Intervals { title: title.clone(), items };
        let mut charts = vec![
            bars(Vec::new()),
            bars(named(&odd)),
            bars(named(&[0.0])),
            bars(named(&[-3.0, 2.0])),
            bars(named(&(0..500).map(f64::from).collect::<Vec<_>>())),
            histogram(&[], &[]),
            histogram(&[1.0], &[1.0]),
            histogram(&[0.0, 1.0, 2.0], &[0.4, 0.6, 0.9]),
            histogram(&[f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY], &[0.2, f64::NAN, 0.5]),
            intervals(Vec::new()),
            intervals(vec![("a name that is long".into(), -1.2345e300, 1.2345e-9, 1.2345e300)]),
            intervals(vec![("a".into(), 0.1, 0.2, 0.3), ("b".into(), f64::NAN, 0.2, 0.3)]),
            lines(Vec::new()),
            lines(vec![("one".into(), vec![(1.0, 1.0)]), ("none".into(), Vec::new())]),
            lines(
                (0..9)
                    .map(|k| {
                        (
                            format!("s{k}"),
                            (0..5000).map(|i| (f64::from(i), (f64::from(i) / 300.0 + f64::from(k)).sin())).collect(),
                        )
                    })
                    .collect(),
            ),
        ];
        charts.push(lines(vec![("odd".into(), odd.iter().flat_map(|&a| odd.map(|b| (a, b))).collect())]));
        type Item<'a> = (&'a str, Vec<(f64, Option<f64>)>);
        let swarm = |items: Vec<Item<'_>>| Chart::Swarm {
            title: title.clone(),
            x: "x".into(),
            shade: "<b>".into(),
            items: items.into_iter().map(|(name, points)| SwarmItem { name: name.into(), points }).collect(),
        };
        let heat = |columns: usize, rows: Vec<(String, Vec<f64>)>| Chart::Heat {
            title: title.clone(),
            x: "<x>".into(),
            y: "<y>".into(),
            columns: (0..columns).map(|column| format!("<column> {column}")).collect(),
            rows,
        };
        charts.push(heat(0, Vec::new()));
        charts.push(heat(2, vec![("short".into(), vec![1.0]), ("long".into(), vec![0.0; 9])]));
        charts.push(heat(7, vec![("odd".into(), odd.to_vec()), ("<none>".into(), Vec::new())]));
        let wave = |row: usize| (0..60).map(|column| ((row * column) as f64 / 50.0).sin()).collect();
        charts.push(heat(60, (0..60).map(|row| (format!("row {row}"), wave(row))).collect()));
        charts.push(swarm(Vec::new()));
        charts.push(swarm(vec![("none", Vec::new())]));
        charts.push(swarm(vec![("odd", odd.iter().flat_map(|&a| [(a, Some(a)), (a, None)]).collect())]));
        let wave = |k: f64| (0..500).map(|i| ((f64::from(i) * k).sin(), Some(f64::from(i) / 499.0))).collect();
        charts.push(swarm((0..20).map(|k| ("a name that is <longer> than others", wave(f64::from(k)))).collect()));
        charts
    }

    #[test]
    fn nothing_breaks_a_chart() {
        for chart in charts() {
            let svg = draw(&chart);
            assert!(!svg.contains("NaN") && !svg.contains("\"inf") && !svg.contains("<script"), "{chart:?}\n{svg}");
            assert!(svg.contains("role=\"img\"") && svg.contains("<title>"));
            assert!(svg.len() < 400_000, "{}", svg.len());
            crate::page::tests::assert_balanced(&svg);
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let svg = bars("t", &named(&[1.0, f64::NAN, f64::INFINITY]), None);
        assert!(svg.contains("2 values not shown"), "{svg}");
        let svg = bars("t", &named(&vec![1.0; 75]), None);
        assert!(svg.contains("15 more items not shown"));
        assert!(lines("t", "x", "y", &[]).contains("nothing to show"));
    }

    #[test]
    fn several_series_have_a_legend_and_one_has_none() {
        let curve = vec![(0.0, 0.0), (1.0, 1.0)];
        let two = lines("t", "x", "y", &[("first".into(), curve.clone()), ("second".into(), curve.clone())]);
        assert!(two.contains(">first<") && two.contains(">second<"));
        assert!(!lines("t", "x", "y", &[("first".into(), curve)]).contains(">first<"));
    }
}
