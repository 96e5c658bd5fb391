//! Text from data made safe for HTML and SVG.
//!
//! Column names and levels come from files that anybody may have written. The five characters with a meaning in markup
//! become references; control characters, which XML forbids and terminals obey, become the replacement character.

/// The text with `& < > " '` as references and control characters, line breaks and tabs apart, as `U+FFFD`.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The text cut to `width` characters, with an ellipsis if something is cut.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Whether a column of such cells reads as numbers and goes to the right.
pub(crate) fn is_numeric<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let mut any = false;
    for cell in cells.map(|cell| cell.trim().trim_end_matches('%').trim_end()) {
        match cell {
            "" | "–" | "-" => {}
            cell if cell.parse::<f64>().is_ok() => any = true,
            _ => return false,
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_harmless() {
        assert_eq!(
            escape("<script>alert('a' & \"b\")</script>"),
            "&lt;script&gt;alert(&#39;a&#39; &amp; &quot;b&quot;)&lt;/script&gt;"
        );
        assert_eq!(escape("a\u{0}b\u{1b}[31m\u{9f}c\r\n\t"), "a\u{fffd}b\u{fffd}[31m\u{fffd}c\u{fffd}\n\t");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(shorten("Zürich", 6), "Zürich");
        assert_eq!(shorten("Zürich", 4), "Zür…");
        assert_eq!(shorten("ab", 0), "…");
    }

    #[test]
    fn numbers_are_told_from_names() {
        assert!(is_numeric(["1.5", "–", "-3e-9", "40 %", ""].into_iter()));
        assert!(!is_numeric(["1.5", "x"].into_iter()) && !is_numeric(["", "–"].into_iter()));
    }
}
