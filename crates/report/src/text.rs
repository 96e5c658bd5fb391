//! Sections as text of a given width.
//!
//! For terminals and logs: plain characters, no colour unless asked for, nothing wider than it should be. Every row of a
//! table is kept; wide columns are cut with an ellipsis, and a table that still does not fit is written row by row. Control
//! characters in data become `U+FFFD`, so that no column name can command the terminal.

mod heat;
mod plot;
mod swarm;
mod table;

use stagewise_core::exhibit::{Block, Section};

use crate::escape::shorten;

/// Narrower is not readable and counts as this.
const NARROWEST: usize = 40;

/// Sections as plain text of at most `width` characters a line; less than 40 counts as 40. O(what is shown).
///
/// ```
/// use stagewise_core::exhibit::{Block, Section};
/// let section = Section::new("Data").block(Block::Facts(vec![("rows".into(), "48842".into())]));
/// assert_eq!(stagewise_report::text::render(&[section], 80), "Data\n────\n\nrows  48842\n");
/// ```
pub fn render(sections: &[Section], width: usize) -> String {
    Text::new(width).render(sections)
}

/// How text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    width: usize,
    color: bool,
}

impl Text {
    /// Text of at most `width` characters a line; less than 40 counts as 40.
    pub fn new(width: usize) -> Self {
        Self { width: width.max(NARROWEST), color: false }
    }

    /// Whether titles and warnings have ANSI colours; default no.
    #[must_use]
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// The sections as text. O(what is shown).
    pub fn render(&self, sections: &[Section]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for section in sections {
            if !lines.is_empty() {
                lines.extend([String::new(), String::new()]);
            }
            let title = shorten(&clean(&section.title), self.width);
            let rule = "─".repeat(title.chars().count());
            lines.push(self.painted(&title, "1"));
            lines.push(rule);
            let mut after_warning = false;
            for block in &section.blocks {
                let warning = matches!(block, Block::Warning(_));
                if !(warning && after_warning) {
                    lines.push(String::new());
                }
                lines.extend(self.block(block));
                after_warning = warning;
            }
        }
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn block(&self, block: &Block) -> Vec<String> {
        match block {
            Block::Chart(chart) => plot::draw(chart, self.width),
            Block::Facts(facts) => self.facts(facts),
            Block::Table { columns, rows } => table::draw(columns, rows, self.width),
            Block::Text(text) => {
                text.split('\n').flat_map(|paragraph| wrapped(&clean(paragraph), self.width)).collect()
            }
            Block::Warning(text) => {
                let lines = wrapped(&clean(text), self.width - 2);
                let mark = |(i, line): (usize, &String)| format!("{} {line}", if i == 0 { "!" } else { " " });
                lines.iter().enumerate().map(|line| self.painted(&mark(line), "33")).collect()
            }
            _ => vec!["(a block that this version cannot show)".to_string()],
        }
    }

    /// Names on the left, values on the right of the longest name.
    fn facts(&self, facts: &[(String, String)]) -> Vec<String> {
        let names: Vec<String> = facts.iter().map(|fact| shorten(&clean(&fact.0), self.width / 2)).collect();
        let indent = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
        let lines = |(name, value): (&String, &String)| -> Vec<String> {
            let first = |i: usize| if i == 0 { name.as_str() } else { "" };
            let value = wrapped(&clean(value), self.width - indent);
            value.iter().enumerate().map(|(i, text)| format!("{:<indent$}{text}", first(i))).collect()
        };
        names.iter().zip(facts.iter().map(|fact| &fact.1)).flat_map(lines).collect()
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
}

/// One line without control characters.
fn clean(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// The text in lines of at most `width` characters, broken at spaces where there are any; one empty line for no text.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let letters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + letters.len() > width {
            lines.push(String::new());
            used = 0;
        }
        for (i, piece) in letters.chunks(width).enumerate() {
            if i > 0 {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                line.extend(piece);
                used += piece.len();
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::exhibit::Chart;

    fn section() -> Section {
        let long = "a rather long level name that goes on and on and on".to_string();
        let rows = (0..3).map(|i| vec![long.clone(), format!("{}.5", 10_i32.pow(i)), format!("{i} %")]).collect();
        Section::new("Drift\u{1b}[2J")
            .text("Two features drifted: age, plan. ".repeat(6))
            .block(Block::Warning("few rows in income".into()))
            .block(Block::Warning("a second warning".into()))
            .block(Block::Facts(vec![("rows".into(), "48842".into()), ("a longer name".into(), "value".into())]))
            .block(Block::Table { columns: vec!["level".into(), "count".into(), "share".into()], rows })
            .block(Block::Chart(Chart::Bars {
                title: "Strength".into(),
                items: vec![("age".into(), 2.0), ("plan".into(), 0.5), ("none".into(), f64::NAN)],
                mark: Some(1.0),
            }))
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        for width in [0, 40, 80, 120] {
            let text = render(&[section(), section()], width);
            for line in text.lines() {
                assert!(line.chars().count() <= width.max(NARROWEST), "{width}: {line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn terminals_take_no_commands_from_data_and_colour_only_on_request() {
        let plain = render(&[section()], 80);
        assert!(!plain.contains('\u{1b}') && plain.starts_with("Drift\u{fffd}[2J\n─────"));
        let coloured = Text::new(80).color(true).render(&[section()]);
        assert!(coloured.contains("\u{1b}[33m! few rows in income\u{1b}[0m\n\u{1b}[33m! a second warning\u{1b}[0m\n"));
    }

    #[test]
    fn facts_are_aligned() {
        assert!(render(&[section()], 80).contains("rows           48842\na longer name  value\n"));
    }

    #[test]
    fn words_are_wrapped_and_long_ones_cut() {
        assert_eq!(wrapped("aa bb  cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
