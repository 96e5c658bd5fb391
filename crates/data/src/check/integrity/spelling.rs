//! Levels that are one value written in two ways: variants of case, blanks, accents and punctuation, and likely typos.
//!
//! A variant is found by folding; a typo is a rare level close to a much more frequent one. Both are guesses, so each comes
//! with a decision that a person can strike out. What has a meaning is not folded: signs such as `<`, `+` or `%`, and
//! whatever stands between digits.

use std::collections::BTreeMap;

/// A level and how many rows have it.
pub(super) type Count<'a> = (&'a str, u64);

/// A level that is likely another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Respelt {
    /// As it is written.
    pub(super) from: String,
    /// The level that is meant.
    pub(super) to: String,
}

/// Levels that fold to the same text, each with the most frequent of them; of equally frequent ones the first by spelling.
/// `O(levels · log levels)`.
pub(super) fn variants(levels: &[Count<'_>]) -> Vec<Respelt> {
    let mut groups: BTreeMap<String, Vec<Count<'_>>> = BTreeMap::new();
    for &(name, rows) in levels {
        groups.entry(folded(name)).or_default().push((name, rows));
    }
    groups.remove("");
    let mut found = Vec::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        found.extend(group[1..].iter().map(|(name, _)| Respelt { from: (*name).into(), to: group[0].0.into() }));
    }
    found
}

/// Rare levels within reach of a level that has at least `ratio` times their rows, by Damerau–Levenshtein distance of the
/// folded texts: 1 if the frequent one has 4 to 7 letters, 2 if more, none if fewer. Digits must agree: `type 1` is no
/// typo of `type 2`. The nearest is meant; of equally near ones the most frequent, then the first by spelling.
/// `O(levels² · length²)`.
pub(super) fn typos(levels: &[Count<'_>], ratio: f64) -> Vec<Respelt> {
    let folds: Vec<(String, String)> = levels.iter().map(|(name, _)| (folded(name), digits(name))).collect();
    let meant = |rare: usize| {
        (0..levels.len())
            .filter(|&often| levels[often].1 as f64 >= ratio * levels[rare].1 as f64 && often != rare)
            .filter(|&often| folds[often].1 == folds[rare].1 && folds[often].0 != folds[rare].0)
            .filter_map(|often| {
                let (a, b) = (&folds[rare].0, &folds[often].0);
                let (m, n) = (a.chars().count(), b.chars().count());
                let reach = reach(n);
                let near = m.abs_diff(n) <= reach && reach > 0;
                let distance = if near { strsim::damerau_levenshtein(a, b) } else { usize::MAX };
                (distance <= reach).then_some((distance, std::cmp::Reverse(levels[often].1), levels[often].0))
            })
            .min()
    };
    let respelt = |rare: usize| meant(rare).map(|(.., to)| Respelt { from: levels[rare].0.into(), to: to.into() });
    (0..levels.len()).filter_map(respelt).collect()
}

fn reach(letters: usize) -> usize {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_numeric()).collect()
}

/// The text in lower case, without accents, blanks and punctuation that mean nothing.
fn folded(text: &str) -> String {
    let chars: Vec<char> = text.trim().chars().collect();
    let mut out = String::with_capacity(text.len());
    for (i, &c) in chars.iter().enumerate() {
        // What stands to both sides, blanks aside.
        let before = chars[..i].iter().rev().find(|c| !c.is_whitespace());
        let after = chars[i + 1..].iter().find(|c| !c.is_whitespace());
        let between = |test: fn(&char) -> bool| before.is_some_and(test) && after.is_some_and(test);
        let digits = between(|c| c.is_numeric());
        let dropped = match c {
            c if c.is_whitespace() => !digits,
            '-' | '–' | '—' | '/' => between(|c| c.is_alphabetic()),
            '_' | '.' | ',' | ';' | ':' | '\'' | '’' | '`' | '"' | '(' | ')' | '[' | ']' => !digits,
            _ => false,
        };
        if !dropped {
            c.to_lowercase().for_each(|c| match plain(c) {
                Some(plain) => out.push_str(plain),
                None if ('\u{300}'..='\u{36f}').contains(&c) => {}
                None => out.push(c),
            });
        }
    }
    out
}

/// Latin letters without their accents.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(found: &[Respelt]) -> Vec<(&str, &str)> {
        found.iter().map(|r| (r.from.as_str(), r.to.as_str())).collect()
    }

    #[test]
    fn variants_fold_and_what_has_a_meaning_does_not() {
        let levels =
            [("U.S.", 3), ("US", 40), ("us ", 1), ("self-emp", 5), ("Self emp", 4), ("Zürich", 9), ("Zurich", 2)];
        let told = [("Self emp", "self-emp"), ("U.S.", "US"), ("us ", "US"), ("Zurich", "Zürich")];
        assert_eq!(pairs(&variants(&levels)), told);
        let different = [
            ("<=50K", 1),
            (">50K", 1),
            ("A+", 1),
            ("A-", 1),
            ("A", 1),
            ("1.5", 1),
            ("15", 1),
            ("1 5", 1),
            ("18-25", 1),
            ("1825", 1),
            ("C", 1),
            ("C++", 1),
            ("C#", 1),
            ("-", 1),
            (".", 1),
            ("", 1),
            ("n/2", 1),
            ("n2", 1),
            ("5 %", 1),
            ("5", 1),
        ];
        assert_eq!(variants(&different), []);
    }

    #[test]
    fn a_typo_is_rare_near_and_not_a_number() {
        let levels =
            [("california", 500), ("Califronia", 2), ("calfornai", 1), ("nevada", 90), ("nevad", 9), ("nebada", 40)];
        let found = typos(&levels, 10.0);
        assert_eq!(pairs(&found), [("Califronia", "california"), ("calfornai", "california"), ("nevad", "nevada")]);
        assert_eq!(
            typos(&[("type 1", 900), ("type 2", 1), ("male", 900), ("female", 1), ("yes", 900), ("yet", 1)], 10.0),
            []
        );
        // Case alone is a variant.
        assert_eq!(typos(&[("Nevada", 900), ("nevada", 1)], 10.0), []);
    }
}
