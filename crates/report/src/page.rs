//! One self-contained HTML file from sections.
//!
//! No script, no font, no picture from elsewhere: a page that is mailed or archived shows the same in ten years. It follows
//! the reader's light or dark setting, fits a telephone, prints without its navigation, and says everything a chart shows
//! to those who read without seeing. The bytes depend on what is given alone; a date is there only if it is given.

use std::fmt::Write as _;
use std::path::Path;

use stagewise_core::exhibit::{Block, Section};
use stagewise_core::{Error, Result};

use crate::chart;
use crate::escape::{escape, is_numeric};

/// Longer tables are folded up.
const FOLDED: usize = 25;
const STYLE: &str = include_str!("page.css");

/// A page of sections.
///
/// ```
/// use stagewise_core::exhibit::Section;
/// use stagewise_report::Page;
///
/// let html = Page::new("Churn").section(Section::new("Data").text("48 842 rows & 14 features")).render();
/// assert!(html.starts_with("<!DOCTYPE html>") && html.contains("48 842 rows &amp; 14 features"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    title: String,
    subtitle: String,
    footer: String,
    sections: Vec<Section>,
}

impl Page {
    /// A page without sections.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// What stands below the title, for example a date; default nothing.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = subtitle.into();
        self
    }

    /// What stands at the end; default nothing.
    #[must_use]
    pub fn footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = footer.into();
        self
    }

    /// Adds a section.
    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Adds sections in their order.
    #[must_use]
    pub fn sections(mut self, sections: impl IntoIterator<Item = Section>) -> Self {
        self.sections.extend(sections);
        self
    }

    /// The page as HTML. O(what is shown).
    pub fn render(&self) -> String {
        let title = escape(&self.title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
        );
        if !self.subtitle.is_empty() {
            line(&mut out, &format!("<p>{}</p>", escape(&self.subtitle)));
        }
        line(&mut out, "</header>");
        if self.sections.len() > 1 {
            self.contents(&mut out);
        }
        line(&mut out, "<main>");
        for (i, section) in self.sections.iter().enumerate() {
            line(&mut out, &format!("<section id=\"s{i}\">\n<h2>{}</h2>", escape(&section.title)));
            section.blocks.iter().for_each(|b| block(&mut out, b));
            line(&mut out, "</section>");
        }
        line(&mut out, "</main>");
        if !self.footer.is_empty() {
            line(&mut out, &format!("<footer><p>{}</p></footer>", escape(&self.footer)));
        }
        out.push_str("</body>\n</html>\n");
        out
    }

    /// Writes the page to a file, in place of what is there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](stagewise_core::error::ErrorKind::Io) with the path.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.render()).map_err(|source| Error::io(path, source))
    }

    /// The table of contents; sections with a warning are marked.
    fn contents(&self, out: &mut String) {
        line(out, "<nav aria-label=\"Contents\">\n<ol>");
        for (i, section) in self.sections.iter().enumerate() {
            let warned = section.blocks.iter().any(|b| matches!(b, Block::Warning(_)));
            let mark = if warned { " <span class=\"mark\" title=\"has warnings\">!</span>" } else { "" };
            line(out, &format!("<li><a href=\"#s{i}\">{}</a>{mark}</li>", escape(&section.title)));
        }
        line(out, "</ol>\n</nav>");
    }
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Chart(chart) => line(out, &format!("<figure>\n{}</figure>", chart::draw(chart))),
        Block::Facts(facts) => {
            line(out, "<dl>");
            for (name, value) in facts {
                line(out, &format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value)));
            }
            line(out, "</dl>");
        }
        Block::Table { columns, rows } => table(out, columns, rows),
        Block::Text(text) => {
            for paragraph in text.split("\n\n") {
                line(out, &format!("<p>{}</p>", escape(paragraph)));
            }
        }
        Block::Warning(text) => {
            line(out, &format!("<p class=\"warning\"><strong>Warning</strong> {}</p>", escape(text)));
        }
        _ => line(out, "<p class=\"warning\">A block that this version cannot show.</p>"),
    }
}

fn table(out: &mut String, columns: &[String], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return line(out, &format!("<p class=\"none\">No rows ({}).</p>", escape(&columns.join(", "))));
    }
    let folded = rows.len() > FOLDED;
    if folded {
        line(out, &format!("<details>\n<summary>Table of {} rows</summary>", rows.len()));
    }
    let width = rows.iter().map(Vec::len).chain([columns.len()]).max().unwrap_or(0);
    let cell = |row: &'_ [String], column: usize| row.get(column).map_or_else(String::new, |c| escape(c));
    let numeric = |column: usize| is_numeric(rows.iter().map(|r| r.get(column).map_or("", String::as_str)));
    let class: Vec<&str> = (0..width).map(|c| if numeric(c) { " class=\"n\"" } else { "" }).collect();
    line(out, "<div class=\"table\">\n<table>\n<thead>");
    let head: String = (0..width).map(|c| format!("<th scope=\"col\"{}>{}</th>", class[c], cell(columns, c))).collect();
    line(out, &format!("<tr>{head}</tr>\n</thead>\n<tbody>"));
    for row in rows {
        let cells: String = (0..width).map(|c| format!("<td{}>{}</td>", class[c], cell(row, c))).collect();
        line(out, &format!("<tr>{cells}</tr>"));
    }
    line(out, "</tbody>\n</table>\n</div>");
    if folded {
        line(out, "</details>");
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use stagewise_core::exhibit::Chart;

    /// Panics unless every tag is closed in order, every attribute is quoted and no `&` or `<` stands bare.
    pub(crate) fn assert_balanced(markup: &str) {
        const VOID: [&str; 1] = ["meta"];
        let mut open: Vec<&str> = Vec::new();
        let mut rest = markup.strip_prefix("<!DOCTYPE html>").unwrap_or(markup);
        while let Some(start) = rest.find('<') {
            assert_text(&rest[..start]);
            let end = rest[start..].find('>').expect("a tag ends") + start;
            let tag = &rest[start + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closed out of order");
                continue;
            }
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "`{tag}` is no tag");
            assert_eq!(tag.matches('"').count() % 2, 0, "`{tag}` has an open quote");
            if !tag.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
        assert_text(rest);
        assert!(open.is_empty(), "not closed: {open:?}");
    }

    fn assert_text(text: &str) {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "control character in `{text}`");
        for (at, _) in text.match_indices('&') {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
            assert!(known.iter().any(|k| text[at..].starts_with(k)), "bare & in `{text}`");
        }
    }

    const EVIL: &str = "</td><script>alert(\"x\" & 'y')</script>\u{0}\u{1b}[31m]]>-->";

    fn evil() -> Page {
        let text = || EVIL.to_string();
        let section = Section::new(EVIL)
            .text(EVIL)
            .text("one\n\ntwo")
            .block(Block::Warning(text()))
            .block(Block::Facts(vec![(text(), text())]))
            .block(Block::Table { columns: vec![text()], rows: vec![vec![text(), text()], vec![]] })
            .block(Block::Table { columns: vec![text()], rows: Vec::new() })
            .block(Block::Table { columns: vec!["n".into()], rows: vec![vec!["1".into()]; 40] })
            .block(Block::Chart(Chart::Bars { title: text(), items: vec![(text(), 1.0)], mark: None }));
        Page::new(EVIL).subtitle(EVIL).footer(EVIL).sections([section, Section::new("")])
    }

    #[test]
    fn nothing_from_data_becomes_markup() {
        let html = evil().render();
        assert_balanced(&html);
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
        assert!(!html.contains('\u{0}') && !html.contains('\u{1b}'));
    }

    #[test]
    fn the_checker_finds_what_is_wrong() {
        for wrong in ["<p>", "<p></b>", "<b><i></b></i>", "a & b", "<a href=\"x></a>", "a\u{1}"] {
            assert!(std::panic::catch_unwind(|| assert_balanced(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_fetched_and_the_bytes_are_the_same() {
        let html = evil().render();
        assert_eq!(html, evil().render());
        let elsewhere = html.replace("http://www.w3.org/2000/svg", "");
        for fetch in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!elsewhere.contains(fetch), "{fetch}");
        }
    }

    #[test]
    fn numbers_stand_on_the_right_and_long_tables_are_folded() {
        let html = evil().render();
        assert!(html.contains("<td class=\"n\">1</td>") && html.contains("<summary>Table of 40 rows</summary>"));
        assert!(html.contains("<p>one</p>\n<p>two</p>"));
        assert!(html.contains("<nav aria-label=\"Contents\">"));
        assert!(!Page::new("t").section(Section::new("alone")).render().contains("<nav"));
        assert_balanced(&Page::default().render());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let path = std::env::temp_dir().join("stagewise-no-such-folder").join("page.html");
        let error = Page::new("t").write(&path).unwrap_err().to_string();
        assert!(error.contains("page.html"), "{error}");
        let path = std::env::temp_dir().join(format!("stagewise-page-{}.html", std::process::id()));
        Page::new("t").write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), Page::new("t").render());
        std::fs::remove_file(&path).unwrap();
    }
}
