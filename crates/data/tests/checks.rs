//! The checks on a table as it comes: what was planted is found, and little else.

use stagewise_core::column::Column;
use stagewise_core::decision::Remedy;
use stagewise_core::schema::Role;
use stagewise_core::table::Table;
use stagewise_data::check::{
    Condition, DataSchema, Environment, Expectation, Expectations, Fault, Integrity, Leakage, LeakageKind, Severity,
};
use stagewise_data::{Csv, Profile};

/// 5,000 loans; `purpose` has variants and typos, and nothing else is wrong.
fn loans() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/loans.csv");
    let table = Csv::new(path).read().unwrap().table;
    let mut fields = table.schema().fields().to_vec();
    let target = table.schema().position("defaulted").unwrap();
    fields[target].role = Role::Target;
    table.relabelled(std::sync::Arc::new(stagewise_core::schema::Schema::new(fields).unwrap())).unwrap()
}

fn rows(table: &Table, range: std::ops::Range<usize>) -> Table {
    table.take(&range.collect::<Vec<_>>())
}

#[test]
fn spellings_are_put_right_and_nothing_else_is_touched() {
    let loans = loans();
    let report = Integrity::new().check(&loans).unwrap();
    let purpose: Vec<Fault> =
        report.findings.iter().filter(|f| f.severity >= Severity::Warning).map(|f| f.fault).collect();
    assert_eq!(purpose, [Fault::Variants, Fault::Typos]);
    assert!(report.suggestions.iter().all(|(column, ..)| column == "purpose"));
    assert_eq!(report.suggestions.of("purpose", "BUSINESS"), Some(&Remedy::Map("business".into()).into()));
    let applied = report.suggestions.apply(&loans).unwrap();
    // What is too short to say what was meant stays: `ca` and `cr`.
    let known = ["car", "home", "education", "medical", "business", "ca", "cr"];
    let again = Expectations::new().expect(Expectation::in_set("purpose", known)).check(&applied.table).unwrap();
    assert_eq!(again.results[0].condition, Condition::Pass, "{:?}", again.results[0]);
}

#[test]
fn a_later_year_departs_from_the_schema_of_the_first_three() {
    let loans = loans();
    let schema = DataSchema::infer(&rows(&loans, 0..3750));
    assert_eq!(DataSchema::from_toml(&schema.to_toml().unwrap()).unwrap(), schema);
    assert!(schema.check(&rows(&loans, 0..3750), Environment::Training).anomalies.is_empty());
    let report = schema.check(&rows(&loans, 3750..5000), Environment::Serving);
    let found: Vec<(String, String, Severity)> = report
        .anomalies
        .iter()
        .map(|a| (a.column.clone().unwrap_or_default(), a.kind.to_string(), a.severity))
        .collect();
    let low = ("income".to_string(), "FEATURE_TYPE_LOW_FRACTION_PRESENT".to_string(), Severity::Error);
    let target = ("defaulted".to_string(), "COLUMN_OF_ANOTHER_ENVIRONMENT".to_string(), Severity::Warning);
    assert!(found.contains(&low) && found.contains(&target), "{found:?}");
}

#[test]
fn leaks_are_found_where_they_are() {
    let loans = loans();
    let (train, test) = (rows(&loans, 0..3750), rows(&loans, 3750..5000));
    let clean = Leakage::new().check(&train, &test).unwrap();
    assert!(clean.passed(), "{:?}", clean.findings);
    let leaky = test.stacked(&rows(&loans, 100..120)).unwrap();
    let report = Leakage::new().check(&train, &leaky).unwrap();
    let pairs: Vec<(usize, usize)> = (0..20).map(|i| (1250 + i, 100 + i)).collect();
    let kinds: Vec<LeakageKind> = report.findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [LeakageKind::SameRows, LeakageKind::SharedIds]);
    assert!(report.findings.iter().all(|f| f.pairs == pairs), "{:?}", report.findings);
    let flags = |table: &Table| {
        let column = table.column("defaulted").unwrap();
        let said = (0..column.len()).map(|row| Some(column.cell(row) == column.cell(0)));
        Column::flags(said.collect::<Vec<_>>())
    };
    let with = |table: &Table| {
        let (schema, mut columns) = table.clone().into_parts();
        let mut fields = schema.fields().to_vec();
        fields.push(stagewise_core::schema::Field::new("dunned", stagewise_core::schema::Kind::Flag));
        columns.push(flags(table));
        Table::new(std::sync::Arc::new(stagewise_core::schema::Schema::new(fields).unwrap()), columns).unwrap()
    };
    let report = Leakage::new().check(&with(&train), &with(&test)).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!((report.findings[0].kind, report.findings[0].column.as_deref()), (LeakageKind::Proxy, Some("dunned")));
}

#[test]
fn the_profile_knows_what_the_target_hangs_on() {
    let profile = Profile::of(&loans(), Some("defaulted")).unwrap();
    let named: Vec<&str> = profile.relations.iter().filter(|r| r.adjusted < 0.01).map(|r| r.column.as_str()).collect();
    for column in ["late_payments", "guarantor", "label_anna", "employment"] {
        assert!(named.contains(&column), "{named:?}");
    }
    assert!(!named.contains(&"sex"));
    assert!(profile.missing.together.iter().all(|(.., phi)| phi.abs() < 0.1), "{:?}", profile.missing.together);
}
