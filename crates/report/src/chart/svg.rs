//! A minimal writer of SVG.
//!
//! Knows shapes, inks and text, not charts. Coordinates are written with two decimals; one that is not finite would make
//! the whole picture invalid, so it is written as 0 (charts leave such values out before). Colours are CSS variables with
//! fallbacks: the same picture stands alone, and follows the page into dark mode. The palette is that of Okabe & Ito
//! (2008), told apart with any colour vision.

use std::fmt::Write as _;

use crate::escape::escape;

/// What a shape is drawn with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ink {
    Axis,
    Grid,
    Mark,
    Muted,
    Series(usize),
    /// A step from low, 0, to high, 7.
    Shade(usize),
    Text,
}

/// How many steps of shade there are.
pub(super) const SHADES: usize = 8;

/// Where a text is held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    End,
    Middle,
    Start,
}

/// A picture in the making.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Ink {
    pub(super) fn css(self) -> &'static str {
        const SERIES: [&str; 6] = [
            "var(--s0,#0072b2)",
            "var(--s1,#d55e00)",
            "var(--s2,#009e73)",
            "var(--s3,#cc79a7)",
            "var(--s4,#e69f00)",
            "var(--s5,#56b4e9)",
        ];
        // From blue over grey to orange, of like lightness: read on white and on black, with any colour vision.
        const STEPS: [&str; SHADES] =
            ["#1e7fc2", "#4f86b8", "#7189a6", "#8a8a92", "#a58778", "#bf7f57", "#d17437", "#e06614"];
        match self {
            Self::Axis => "var(--axis,#6b7280)",
            Self::Grid => "var(--grid,#e5e7eb)",
            Self::Mark => "var(--mark,#111827)",
            Self::Muted => "var(--muted,#6b7280)",
            Self::Series(i) => SERIES[i % SERIES.len()],
            Self::Shade(i) => STEPS[i.min(SHADES - 1)],
            Self::Text => "var(--text,#1f2937)",
        }
    }

    /// Series beyond the palette are told apart by dashes.
    fn dashes(self) -> &'static str {
        match self {
            Self::Mark => ";stroke-dasharray:5 3",
            Self::Series(i) => ["", ";stroke-dasharray:7 3", ";stroke-dasharray:2 3"][(i / 6) % 3],
            _ => "",
        }
    }
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), ink: Ink, opacity: f64) {
        let ((x, y), (w, h)) = (at, size);
        let (w, h) = (px(w.max(0.0)), px(h.max(0.0)));
        let style = format!("fill:{};fill-opacity:{}", ink.css(), px(opacity));
        self.push(format_args!(r#"<rect x="{}" y="{}" width="{w}" height="{h}" style="{style}"/>"#, px(x), px(y)));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) {
        let style = format!("stroke:{};stroke-width:{}{}", ink.css(), px(width), ink.dashes());
        let (x1, y1, x2, y2) = (px(from.0), px(from.1), px(to.0), px(to.1));
        self.push(format_args!(r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" style="{style}"/>"#));
    }

    pub(super) fn path(&mut self, points: &[(f64, f64)], ink: Ink) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y))).collect();
        let style = format!("fill:none;stroke:{};stroke-width:2;stroke-linejoin:round{}", ink.css(), ink.dashes());
        self.push(format_args!(r#"<polyline points="{}" style="{style}"/>"#, points.join(" ")));
    }

    pub(super) fn dot(&mut self, at: (f64, f64), radius: f64, ink: Ink) {
        let (x, y, r) = (px(at.0), px(at.1), px(radius));
        self.push(format_args!(r#"<circle cx="{x}" cy="{y}" r="{r}" style="fill:{}"/>"#, ink.css()));
    }

    /// Many dots as one shape; none for no dots.
    pub(super) fn dots(&mut self, at: &[(f64, f64)], radius: f64, ink: Ink) {
        if at.is_empty() {
            return;
        }
        let dots: String = at.iter().map(|(x, y)| format!("M{},{}h0", px(*x), px(*y))).collect();
        let style = format!("fill:none;stroke:{};stroke-width:{};stroke-linecap:round", ink.css(), px(2.0 * radius));
        self.push(format_args!(r#"<path d="{dots}" style="{style};stroke-opacity:0.75"/>"#));
    }

    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, ink: Ink, text: &str) {
        self.label(at, anchor, ink, "", text);
    }

    pub(super) fn heading(&mut self, at: (f64, f64), text: &str) {
        self.label(at, Anchor::Start, Ink::Text, ";font-weight:600;font-size:14px", text);
    }

    /// A text with a rim of paper, to be read above lines.
    pub(super) fn above(&mut self, at: (f64, f64), text: &str) {
        let rim = ";paint-order:stroke;stroke:var(--paper,#ffffff);stroke-width:4px;stroke-linejoin:round";
        self.label(at, Anchor::Start, Ink::Muted, rim, text);
    }

    /// A text that reads upwards.
    pub(super) fn upright(&mut self, at: (f64, f64), text: &str) {
        let (x, y) = (px(at.0), px(at.1));
        let style = format!("fill:{};text-anchor:middle", Ink::Muted.css());
        let text = escape(text);
        self.push(format_args!(
            r#"<text x="{x}" y="{y}" transform="rotate(-90 {x} {y})" style="{style}">{text}</text>"#
        ));
    }

    /// The picture, with a title for those who do not see it.
    pub(super) fn finish(self, title: &str) -> String {
        let (w, h, title) = (px(self.width), px(self.height), escape(title));
        let font = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:12px";
        let head = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{title}" style="{font}">"#
        );
        format!("{head}\n<title>{title}</title>\n{}</svg>\n", self.body)
    }

    fn label(&mut self, at: (f64, f64), anchor: Anchor, ink: Ink, style: &str, text: &str) {
        let anchor = match anchor {
            Anchor::End => "end",
            Anchor::Middle => "middle",
            Anchor::Start => "start",
        };
        let style = format!("fill:{};text-anchor:{anchor}{style}", ink.css());
        self.push(format_args!(r#"<text x="{}" y="{}" style="{style}">{}</text>"#, px(at.0), px(at.1), escape(text)));
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{shape}");
    }
}

/// A coordinate: two decimals, no needless zeros, never NaN.
fn px(x: f64) -> String {
    let x = if x.is_finite() { x } else { 0.0 };
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_string() } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_finite() {
        let shown = [1.0, -0.001, 0.126, f64::NAN, f64::INFINITY, 20.0].map(px);
        assert_eq!(shown, ["1", "0", "0.13", "0", "0", "20"]);
    }

    #[test]
    fn text_is_escaped_and_the_title_is_there_twice() {
        let mut svg = Svg::new(10.0, 20.0);
        svg.text((1.0, 2.0), Anchor::End, Ink::Text, "a<b");
        let picture = svg.finish("x & \"y\"");
        assert!(picture.contains(">a&lt;b</text>") && picture.contains("<title>x &amp; &quot;y&quot;</title>"));
        assert!(picture.contains(r#"role="img" aria-label="x &amp; &quot;y&quot;""#));
    }
}
