//! What a column of text means: number, timestamp, flag, category or free text.
//!
//! The first rule that fits decides, in that order. A rule fits if every value that is present fits it; only numbers
//! may be mixed with a few strays, which then become missing tokens of the column, so that serving reads them alike.
//! Codes are no numbers: `007` and whole numbers too large to be exact stay text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Result};
use stagewise_core::exhibit::number as number_text;
use stagewise_core::record::parse;
use stagewise_core::schema::{Kind, Levels, MissingTokens};

/// A column is read as numbers although some values are none if those are at most this share of the values present.
pub const STRAY_SHARE: f64 = 0.01;

/// … and are at most this many different words.
pub const STRAY_WORDS: usize = 5;

/// From this share of numbers on, a column that is not read as numbers carries a notice that says why.
pub const MOSTLY_SHARE: f64 = 0.95;

/// Up to this many different texts are always levels of a category, unless all values differ.
pub const FEW_LEVELS: usize = 20;

/// More texts are levels if each stands in at least this many rows on average; otherwise they are free text.
pub const ROWS_PER_LEVEL: usize = 5;

/// From this many values on, texts that all differ are free text even if they are few.
pub const ALL_DIFFERENT: usize = 10;

/// Whole numbers above this are not exact as 64-bit floating point: 2⁵³.
pub const EXACT_WHOLE: f64 = 9_007_199_254_740_992.0;

/// What a column of text was read as.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) column: Column,
    pub(crate) tokens: MissingTokens,
    pub(crate) why: String,
    pub(crate) notice: Option<String>,
}

/// Reads texts by the rules. `O(rows)`.
pub(crate) fn infer(texts: &[Option<&str>], tokens: &MissingTokens) -> Reading {
    let values: Vec<Option<&str>> = texts.iter().map(|t| t.filter(|t| !tokens.contains(t))).collect();
    let present = values.iter().flatten().count();
    let reading = |column: Column, why: String| Reading { column, tokens: tokens.clone(), why, notice: None };
    if present == 0 {
        return reading(Column::missing(Kind::Number, values.len()), "no value is present".into());
    }
    let notice = match numbers(&values, present, tokens) {
        Ok(reading) => return reading,
        Err(notice) => notice,
    };
    if let Some(times) = all(&values, MISSING_TIME, parse::timestamp) {
        return reading(Column::timestamps(times), "every value is a point in time".into());
    }
    if let Some(flags) = all(&values, None, |t| truth_word(t).then(|| parse::flag(t))) {
        return reading(Column::flags(flags), "every value is true or false".into());
    }
    Reading { notice, ..text(texts, &values, present, tokens) }
}

/// Only these two words make a flag unasked: `yes` and `no` stay levels, so that answers say what the file says.
fn truth_word(text: &str) -> bool {
    ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
}

/// Reads texts as what the caller says they are.
pub(crate) fn forced(texts: &[Option<&str>], tokens: &MissingTokens, kind: Kind) -> Result<Reading> {
    let values: Vec<Option<&str>> = texts.iter().map(|t| t.filter(|t| !tokens.contains(t))).collect();
    let column = match kind {
        Kind::Number => Column::numbers(each(&values, f64::NAN, kind, parse::number)?),
        Kind::Timestamp => Column::timestamps(each(&values, MISSING_TIME, kind, parse::timestamp)?),
        Kind::Flag => Column::flags(each(&values, None, kind, |t| parse::flag(t).map(Some))?),
        Kind::Category => categories(&values),
        _ => Column::Text(Arc::new(values.iter().map(|v| v.map(Arc::from)).collect())),
    };
    Ok(Reading { column, tokens: tokens.clone(), why: format!("read as {kind}, as asked"), notice: None })
}

/// A column of numbers, or what to tell a person who expected one.
fn numbers(values: &[Option<&str>], present: usize, tokens: &MissingTokens) -> Result<Reading, Option<String>> {
    let most = ((1.0 - MOSTLY_SHARE) * present as f64) as usize;
    let mut column = Vec::with_capacity(values.len());
    let mut strays: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut stray, mut code, mut large, mut infinite) = (0, None, None, 0_usize);
    for value in values {
        let Some(text) = value else {
            column.push(f64::NAN);
            continue;
        };
        match parse::number(text) {
            Some(x) => {
                code = code.or_else(|| is_code(text).then_some(*text));
                large = large.or_else(|| is_large_whole(text, x).then_some(*text));
                infinite += usize::from(x.is_infinite());
                column.push(x);
            }
            None => {
                stray += 1;
                if stray > most {
                    return Err(decimal_comma(values));
                }
                *strays.entry(text.trim()).or_default() += 1;
                column.push(f64::NAN);
            }
        }
    }
    let read_anyway = "if it counts or measures something, read it as a number";
    if let Some(code) = code {
        return Err(Some(format!("values like `{}` begin with 0, as codes do: {read_anyway}", code.trim())));
    }
    if let Some(large) = large {
        return Err(Some(format!("`{}` is too large to be exact as a number: {read_anyway}", large.trim())));
    }
    let named = |strays: &BTreeMap<&str, usize>| {
        let named = strays.iter().take(STRAY_WORDS).map(|(word, n)| format!("`{}` ({})", cut(word), rows(*n)));
        named.collect::<Vec<_>>().join(", ")
    };
    if stray as f64 > STRAY_SHARE * present as f64 || strays.len() > STRAY_WORDS {
        let numbers = present - stray;
        return Err(Some(format!(
            "{numbers} of {present} values are numbers, but not {}: name such words as missing tokens to read numbers",
            named(&strays)
        )));
    }
    let mut notices = Vec::new();
    let mut tokens = tokens.clone();
    let mut why = "every value is a number".to_string();
    if stray > 0 {
        why = format!("{} of {present} values are numbers", present - stray);
        notices.push(format!("treated as missing, here and when serving: {}", named(&strays)));
        tokens = MissingTokens::new(tokens.iter().chain(strays.keys().copied()));
    }
    if infinite > 0 {
        notices.push(format!("{} beyond the range of numbers became infinite", rows(infinite)));
    }
    let notice = (!notices.is_empty()).then(|| notices.join("; "));
    Ok(Reading { column: Column::numbers(column), tokens, why, notice })
}

/// Whether text is digits that begin with a zero which would be lost.
fn is_code(text: &str) -> bool {
    let text = text.trim();
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether text is a whole number beyond [`EXACT_WHOLE`]. That bound itself reads as the next number does, so the digits
/// decide; a whole number too long for them is far beyond.
fn is_large_whole(text: &str, value: f64) -> bool {
    let digits = text.trim().trim_start_matches(['-', '+']);
    value.abs() >= EXACT_WHOLE
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.parse().map_or(true, is_beyond_exact)
}

/// Whether a whole number of this size is beyond [`EXACT_WHOLE`], and so may not be what a number column keeps of it.
pub(crate) fn is_beyond_exact(size: u64) -> bool {
    size > EXACT_WHOLE as u64
}

/// What to say of a column that holds such numbers and keeps them as numbers.
pub(crate) const BEYOND_EXACT: &str = "holds whole numbers too large to be exact: write them as text if they are names";

/// What to say if all values are numbers once a comma is a point.
fn decimal_comma(values: &[Option<&str>]) -> Option<String> {
    let mut example = None;
    for text in values.iter().flatten() {
        if text.contains('.') || text.matches(',').count() > 1 {
            return None;
        }
        parse::number(&text.replace(',', "."))?;
        example = example.or_else(|| text.contains(',').then_some(*text));
    }
    example.map(|text| {
        format!("values like `{}` have a decimal comma: write a decimal point to read numbers", cut(text.trim()))
    })
}

/// The values, if `read` takes each.
fn all<V: Clone>(values: &[Option<&str>], missing: V, read: impl Fn(&str) -> Option<V>) -> Option<Vec<V>> {
    values.iter().map(|v| v.map_or_else(|| Some(missing.clone()), &read)).collect()
}

/// The values; an error names the first that `read` does not take.
fn each<V: Clone>(values: &[Option<&str>], missing: V, kind: Kind, read: impl Fn(&str) -> Option<V>) -> Result<Vec<V>> {
    let one = |(row, value): (usize, &Option<&str>)| match value {
        None => Ok(missing.clone()),
        Some(text) => {
            read(text).ok_or_else(|| DataError::Unparsable { value: cut(text), expected: kind }).at(|| Crumb::Row(row))
        }
    };
    values.iter().enumerate().map(one).collect()
}

/// A category column of trimmed levels, numbered in order of appearance.
fn categories(values: &[Option<&str>]) -> Column {
    let mut codes_of: HashMap<&str, u32> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    let codes = values.iter().map(|value| {
        value.map_or(MISSING_CODE, |text| {
            let text = text.trim();
            *codes_of.entry(text).or_insert_with(|| {
                names.push(text);
                (names.len() - 1) as u32
            })
        })
    });
    let codes = Arc::new(codes.collect::<Vec<_>>());
    Column::Category { codes, levels: Arc::new(Levels::new(names)) }
}

/// A category or free text.
fn text(texts: &[Option<&str>], values: &[Option<&str>], present: usize, tokens: &MissingTokens) -> Reading {
    let category = categories(values);
    let distinct = category.as_categories().map_or(0, |(_, levels)| levels.len());
    let all_differ = distinct == present && present >= ALL_DIFFERENT;
    let of = |column: Column, why: String| Reading { column, tokens: tokens.clone(), why, notice: None };
    let texts_are = if distinct == 1 { "1 distinct text".to_string() } else { format!("{distinct} distinct texts") };
    if !all_differ && (distinct <= FEW_LEVELS || present >= ROWS_PER_LEVEL * distinct) {
        return of(category, format!("{texts_are} in {}", rows(present)));
    }
    // Free text is kept as it stands, blanks included: the input contract does the same with a request.
    let free = texts.iter().zip(values).map(|(text, value)| value.and(*text).map(Arc::from)).collect();
    of(Column::Text(Arc::new(free)), format!("{texts_are} in {}: free text", rows(present)))
}

/// `1 row`, `3 rows`.
pub(crate) fn rows(count: usize) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

/// Text for a message: at most 40 characters of it.
pub(crate) fn cut(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The first three different values of a column, for people.
pub(crate) fn examples(column: &Column) -> Vec<String> {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = Vec::new();
    for row in 0..column.len() {
        let text = match column {
            Column::Number(v) => v.get(row).filter(|x| !x.is_nan()).map(|&x| number_text(x)),
            Column::Category { codes, levels } => codes.get(row).and_then(|&c| levels.name(c)).map(|name| cut(name)),
            Column::Flag(v) => v.get(row).copied().flatten().map(|b| b.to_string()),
            Column::Text(v) => v.get(row).and_then(Option::as_ref).map(|text| cut(text)),
            Column::Timestamp(v) => v.get(row).filter(|&&t| t != MISSING_TIME).map(|&t| crate::write::timestamp(t)),
            _ => None,
        };
        if let Some(text) = text.filter(|text| !shown.contains(text)) {
            shown.push(text);
            if shown.len() == SHOWN {
                break;
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Reading {
        infer(&values.iter().map(|v| Some(*v)).collect::<Vec<_>>(), &MissingTokens::default())
    }

    fn many(values: &[&str], times: usize) -> Vec<String> {
        values.iter().cycle().take(values.len() * times).map(ToString::to_string).collect()
    }

    #[test]
    fn each_kind_is_recognised() {
        for (values, kind) in [
            (vec!["1", " -2.5e3 ", "?", "NA"], Kind::Number),
            (vec!["0", "1", "1"], Kind::Number),
            (vec!["yes", "no", ""], Kind::Category),
            (vec!["true", "False", "NA"], Kind::Flag),
            (vec!["2024-02-29", "2024/03/01 10:00"], Kind::Timestamp),
            (vec!["m", "f", "m"], Kind::Category),
            (vec!["01", "02"], Kind::Category),
            (vec!["90071992547409931", "1"], Kind::Category),
            (vec!["9007199254740992", "-9007199254740992"], Kind::Number),
            (vec!["9007199254740993", "1"], Kind::Category),
            (vec!["1", "-9007199254740993"], Kind::Category),
            (vec!["18446744073709551615", "1"], Kind::Category),
            (vec!["340282366920938463463374607431768211456", "1"], Kind::Category),
            (vec!["9007199254740993.5", "1e300"], Kind::Number),
            (vec!["", "NA"], Kind::Number),
        ] {
            assert_eq!(read(&values).column.kind(), kind, "{values:?}");
        }
    }

    #[test]
    fn texts_are_levels_if_they_repeat_and_free_text_if_not() {
        let names: Vec<String> = (0..30).map(|i| format!("name {i}")).collect();
        let few: Vec<&str> = names.iter().map(String::as_str).take(10).collect();
        assert_eq!(read(&few).column.kind(), Kind::Text);
        assert_eq!(read(&few[..9]).column.kind(), Kind::Category);
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        for (times, kind) in [(4, Kind::Text), (5, Kind::Category)] {
            let values = many(&all, times);
            assert_eq!(read(&values.iter().map(String::as_str).collect::<Vec<_>>()).column.kind(), kind);
        }
    }

    #[test]
    fn few_strays_become_missing_tokens_and_are_named() {
        let mut values = many(&["1", "2", "3", "4"], 100);
        values[7] = "abc".into();
        values[8] = "abc".into();
        let reading = read(&values.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((reading.column.kind(), reading.column.missing_count()), (Kind::Number, 2));
        assert!(reading.tokens.contains("ABC") && reading.tokens.contains("NA"));
        assert_eq!(reading.notice.unwrap(), "treated as missing, here and when serving: `abc` (2 rows)");
        values.truncate(100);
        let reading = read(&values.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(reading.column.kind(), Kind::Category);
        assert_eq!(
            reading.notice.unwrap(),
            "98 of 100 values are numbers, but not `abc` (2 rows): name such words as missing tokens to read numbers"
        );
    }

    #[test]
    fn a_decimal_comma_is_pointed_out() {
        let notice = read(&["1,5", "2", "0,25"]).notice.unwrap();
        assert_eq!(notice, "values like `1,5` have a decimal comma: write a decimal point to read numbers");
        assert_eq!(read(&["1,5,6", "2"]).notice, None);
    }

    #[test]
    fn levels_are_trimmed_and_free_text_is_kept() {
        let reading = read(&[" a", "a ", "b"]);
        assert_eq!(reading.column.as_categories().unwrap().1.to_strings(), ["a", "b"]);
        let forced = forced(&[Some(" a ")], &MissingTokens::default(), Kind::Text).unwrap();
        assert_eq!(forced.column, Column::texts([Some(" a ")]));
    }

    #[test]
    fn a_kind_that_does_not_fit_names_the_value() {
        let error = forced(&[Some("1"), Some("x")], &MissingTokens::default(), Kind::Number).unwrap_err();
        assert_eq!(error.to_string(), "row 1: `x` is not a number; correct it or name it as a missing token");
    }
}
