//! Makes `datasets/loans.csv`: 5,000 loan applications that bring what real tables bring.
//!
//! Numbers, categories with typos, missing values, a date, a protected attribute, the opinions of three annotators of
//! different care, and a later period (2025) in which incomes fall and purposes shift. The same bytes each time.
//!
//! `cargo run --example generate_loans [-- FILE.csv]`

use std::fmt::Write;

use stagewise::core::error::Error;
use stagewise::core::fingerprint::Fingerprint;
use stagewise::numeric::random::Stream;

const ROWS: usize = 5_000;
const HEADER: &str = "loan_id,applied_on,age,sex,region,employment,income,debt,amount,term_months,purpose,late_payments,\
guarantor,label_anna,label_ben,label_cleo,defaulted\n";

fn main() -> stagewise::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "datasets/loans.csv".into());
    let table = loans();
    std::fs::write(&path, &table).map_err(|e| Error::io(&path, e))?;
    println!("rows {ROWS}");
    println!("file {path}");
    println!("sha256 {}", Fingerprint::of(table.as_bytes()));
    Ok(())
}

/// The table as CSV.
pub(crate) fn loans() -> String {
    let mut stream = Stream::new(2024, "loans");
    let mut text = String::from(HEADER);
    for row in 0..ROWS {
        // Four years of applications in order; the last is the later period.
        let day = row * 4 * 365 / ROWS;
        loan(row, day, &mut stream, &mut text);
    }
    text
}

fn loan(row: usize, day: usize, stream: &mut Stream, text: &mut String) {
    let later = day >= 3 * 365;
    let age = (21.0 + 50.0 * stream.unit() * stream.unit().sqrt()).floor();
    let woman = stream.unit() < 0.48;
    let region = pick(&[("north", 0.35), ("south", 0.3), ("east", 0.2), ("west", 0.14), ("islands", 0.01)], stream);
    let employment =
        pick(&[("salaried", 0.6), ("self-employed", 0.22), ("retired", 0.1), ("unemployed", 0.08)], stream);
    let level = match employment {
        "salaried" => 10.3,
        "self-employed" => 10.4,
        "retired" => 9.9,
        _ => 9.4,
    };
    let gap = if woman { 0.12 } else { 0.0 };
    let fall = if later { 0.25 } else { 0.0 };
    let income = (exp(level - gap - fall + 0.45 * stream.normal()) / 10.0).round() * 10.0;
    let purposes = if later {
        [("car", 0.18), ("home", 0.17), ("education", 0.12), ("medical", 0.23), ("business", 0.3)]
    } else {
        [("car", 0.38), ("home", 0.28), ("education", 0.14), ("medical", 0.08), ("business", 0.12)]
    };
    let purpose = pick(&purposes, stream);
    let amount =
        (income * (0.1 + 0.9 * stream.unit()) * if purpose == "home" { 2.5 } else { 1.0 } / 100.0).round() * 100.0;
    let term = [12, 24, 36, 48, 60][stream.below(5)];
    let debt = (income * 0.4 * stream.exponential() / 10.0).round() * 10.0;
    let late = (stream.exponential() * if employment == "unemployed" { 1.6 } else { 0.7 }).floor();
    let guarantor = stream.unit() < 0.2;

    let score = -2.3 + 0.55 * late + 1.1 * (amount / income).min(3.0) + 0.5 * (debt / income).min(3.0)
        - 0.016 * (age - 21.0)
        + if purpose == "business" { 0.5 } else { 0.0 }
        + if employment == "unemployed" { 0.7 } else { 0.0 }
        - if guarantor { 0.8 } else { 0.0 };
    let defaulted = stream.unit() < 1.0 / (1.0 + exp(-score));
    // Anna errs in 5 of 100, Ben in 12, Cleo in 25 and then mostly towards "no".
    let anna = defaulted != (stream.unit() < 0.05);
    let ben = defaulted != (stream.unit() < 0.12);
    let cleo = if stream.unit() < 0.25 { stream.unit() < 0.15 } else { defaulted };

    let word = |yes: bool| if yes { "yes" } else { "no" };
    let date = date(day);
    let sex = if woman { "f" } else { "m" };
    let income_text = maybe(income.to_string(), if later { 0.11 } else { 0.05 }, stream);
    let employment = maybe(employment.into(), 0.03, stream);
    let purpose = typo(purpose, stream);
    let debt = maybe(debt.to_string(), 0.08, stream);
    let (anna, ben, cleo) = (
        maybe(word(anna).into(), 0.3, stream),
        maybe(word(ben).into(), 0.3, stream),
        maybe(word(cleo).into(), 0.3, stream),
    );
    let _ = writeln!(
        text,
        "L{:05},{date},{age},{sex},{region},{employment},{income_text},{debt},{amount},{term},{purpose},{late},{},{anna},{ben},{cleo},{}",
        row + 1,
        word(guarantor),
        word(defaulted)
    );
}

fn pick<'a>(shares: &[(&'a str, f64)], stream: &mut Stream) -> &'a str {
    let mut left = stream.unit();
    for (name, share) in shares {
        left -= share;
        if left < 0.0 {
            return name;
        }
    }
    shares[shares.len() - 1].0
}

fn maybe(value: String, missing: f64, stream: &mut Stream) -> String {
    if stream.unit() < missing { String::new() } else { value }
}

/// One value in forty is written another way, or wrongly.
fn typo(word: &str, stream: &mut Stream) -> String {
    if stream.unit() >= 0.025 {
        return word.into();
    }
    match stream.below(3) {
        0 => word.to_uppercase(),
        1 => word[..word.len() - 1].into(),
        _ => word.replacen(['a', 'e', 'u'], "", 1),
    }
}

/// Day 0 is 2022-01-01; 2024-02-29 is left out, so that every year has 365 days.
fn date(day: usize) -> String {
    const MONTHS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (year, mut left) = (2022 + day / 365, day % 365);
    let mut month = 0;
    while left >= MONTHS[month] {
        left -= MONTHS[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}

/// `eˣ` by its series: the platform's own may differ in the last bit, and the file must not.
fn exp(x: f64) -> f64 {
    let halves = 12;
    let small = x / f64::from(1 << halves);
    let mut term = 1.0;
    let mut sum = 1.0;
    for i in 1..12 {
        term *= small / f64::from(i);
        sum += term;
    }
    (0..halves).fold(sum, |value, _| value * value)
}
