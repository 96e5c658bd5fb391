//! Files as people have them: a clear error or a named decision, never a panic.

use stagewise::prelude::*;

use crate::recipes::prepared;

/// Reads, splits, fits and predicts; what a newcomer would do with a file.
fn whole_way(bytes: &[u8], target: &str, event: Option<&str>) -> Result<String> {
    fn go<T: Task>(table: Table, problem: Problem<T>, learner: impl Learner<T>) -> Result<String> {
        let rows = table.column(problem.target())?.present_rows();
        let data = Dataset::new(table.take(&rows), &problem)?;
        let cx = FitContext::new(1);
        let (train, holdout) = StratifiedHoldout::new(0.25).split(data, &cx)?;
        let fitted = prepared(problem).model(learner).build()?.fit(&train, &cx)?;
        let evaluation = holdout.evaluate_once(&fitted, &mut Ledger::in_memory())?;
        Ok(format!("{} rows judged", evaluation.rows))
    }
    let loaded = Csv::from_bytes(bytes).read()?;
    match detect_task(&loaded.table, target)? {
        TaskKind::Binary { .. } => {
            let problem = Problem::<Binary>::new(target);
            let problem = if let Some(level) = event { problem.event(level) } else { problem };
            go(loaded.table, problem, LogisticRegression::default())
        }
        TaskKind::Multiclass { .. } => {
            go(loaded.table, Problem::<Multiclass>::new(target), LogisticRegression::default())
        }
        TaskKind::Regression { .. } => {
            go(loaded.table, Problem::<Regression>::new(target), LinearRegression::default())
        }
    }
}

fn repeated(header: &str, rows: usize, row: impl Fn(usize) -> String) -> Vec<u8> {
    let lines: Vec<String> = (0..rows).map(row).collect();
    format!("{header}\n{}\n", lines.join("\n")).into_bytes()
}

#[test]
fn messy_but_usable_files_go_the_whole_way() {
    let text = |i: usize| format!("this is note number {i}, with \"quotes\" and words {}", i * 7919 % 1000);
    let files: Vec<(&str, Vec<u8>)> = vec![
        (
            "text, ids, dates, constant, all missing",
            repeated("id,note,day,same,void,x,y", 200, |i| {
                let note = text(i).replace('"', "\"\"");
                format!("{},\"{note}\",2024-01-{:02},7,,{},{}", 1000 + i, i % 28 + 1, i % 13, ["no", "yes"][i % 13 / 7])
            }),
        ),
        ("duplicate header names", repeated("x,x,y", 60, |i| format!("{i},{},{}", i % 7, ["no", "yes"][i % 2]))),
        ("an empty header name", repeated("x,,y", 60, |i| format!("{i},{},{}", i % 7, ["no", "yes"][i % 2]))),
        ("semicolons and CRLF", repeated("x;c;y", 60, |i| format!("{i};\"a;b{}\";{}\r", i % 3, i % 2))),
        (
            "missing in every third row",
            repeated("x,c,y", 90, |i| {
                if i % 3 == 0 { format!("?,NA,{}", i % 2) } else { format!("{i},c{},{}", i % 4, i % 2) }
            }),
        ),
        (
            "missing targets",
            repeated("x,y", 90, |i| if i % 5 == 0 { format!("{},", i % 17) } else { format!("{},{}", i % 17, i % 2) }),
        ),
        ("huge and tiny numbers", repeated("x,z,y", 80, |i| format!("{}e300,{}e-300,{}", i, i, i % 2))),
        ("a number to predict", repeated("x,c,y", 80, |i| format!("{i},c{},{}.5", i % 3, i * 3))),
        ("classes to predict", repeated("x,y", 90, |i| format!("{},{}", i % 17, ["red", "green", "blue"][i % 3]))),
    ];
    for (name, bytes) in files {
        match whole_way(&bytes, "y", Some("yes").filter(|_| bytes.windows(3).any(|w| w == b"yes"))) {
            Ok(done) => assert!(done.ends_with("rows judged"), "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn unusable_files_are_answered_with_what_where_and_what_to_do() {
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain("x,y\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("ragged", b"x,y\n1,0\n1,0,3\n2,1\n".to_vec(), "line 3"),
        ("short line", b"x,z,y\n1,2,0\n1,0\n2,1,1\n".to_vec(), "line 3"),
        ("empty", Vec::new(), "empty"),
        ("header only", b"x,y\n".to_vec(), "row"),
        ("binary junk", (0..4000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), "line"),
        ("UTF-16", utf16, "UTF-16"),
        ("Latin-1", b"name,y\nM\xFCller,0\nMeier,1\n".to_vec(), "UTF-8"),
        ("one class", repeated("x,y", 50, |i| format!("{i},yes")), "only the level `yes`"),
        ("three rows", b"x,y\n1,no\n2,yes\n3,no\n".to_vec(), ""),
        ("no such target", b"x,z\n1,no\n2,yes\n".to_vec(), "there is no column `y`"),
        ("target all missing", b"x,y\n1,\n2,\n3,\n".to_vec(), ""),
    ];
    for (name, bytes, expected) in files {
        match whole_way(&bytes, "y", Some("yes")) {
            Ok(done) => assert_eq!(name, "three rows", "{name}: {done}"),
            Err(error) => assert!(error.to_string().contains(expected), "{name}: {error}"),
        }
    }
}

#[test]
fn what_comes_at_prediction_is_checked_at_the_door() {
    let bytes = repeated("age,plan,y", 120, |i| format!("{},{},{}", 20 + i % 50, ["a", "b"][i % 2], i % 3 / 2));
    let problem = Problem::<Binary>::new("y");
    let data = Dataset::new(Csv::from_bytes(bytes).read().unwrap().table, &problem).unwrap();
    let fitted = prepared(problem)
        .model(LogisticRegression::default())
        .build()
        .unwrap()
        .fit(&data, &FitContext::new(1))
        .unwrap();
    let mut scorer = fitted.scorer();
    let plan = ("plan", RawCell::Text("a"));

    let error = scorer.score(&[("agee", RawCell::Number(30.0)), plan]).unwrap_err();
    assert_eq!(error.to_string(), "score: there is no column `age`; did you mean `agee`?");
    let error = scorer.score(&[("age", RawCell::Text("old")), plan]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "score › column `age`: `old` is not a number; correct it or name it as a missing token"
    );
    let number = scorer.score(&[("age", RawCell::Number(30.0)), plan]).unwrap();
    let text = scorer.score(&[plan, ("age", RawCell::Text(" 30 ")), ("extra", RawCell::Flag(true))]).unwrap();
    assert_eq!(number.to_bits(), text.to_bits());
    scorer.score(&[("age", RawCell::Missing), ("plan", RawCell::Text("never seen"))]).unwrap();
    let seen = scorer.take_admission();
    assert_eq!((seen.rows, seen.extra["extra"], seen.missing["age"], seen.unseen["plan"]), (3, 1, 1, 1));
}
