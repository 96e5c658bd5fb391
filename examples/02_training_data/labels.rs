//! From the answers of several annotators to one label for each row.

use stagewise::core::exhibit::{Exhibit, Section};
use stagewise::core::schema::{Field, Kind};
use stagewise::core::target::number_text;
use stagewise::data::label::Priority;
use stagewise::prelude::*;

use crate::faults::Faults;

/// The annotator who was planted: whatever the row, any label.
const CARELESS: &str = "dora";
/// Rows whose label an expert gave.
const GOLD: usize = 300;

/// The answers, and what an expert would have said.
pub(crate) struct Answers {
    answers: Annotations,
    truth: Vec<Option<String>>,
}

/// The labels, how many are right, and what is to be shown of them.
pub(crate) struct Labelled {
    pub(crate) labels: Vec<Option<String>>,
    pub(crate) right: f64,
    pub(crate) sections: Vec<Section>,
}

/// The values of a column as words.
pub(crate) fn words(column: &Column) -> Result<Vec<Option<String>>> {
    Ok(match column {
        Column::Number(values) => values.iter().map(|&x| (!x.is_nan()).then(|| number_text(x))).collect(),
        Column::Flag(values) => values.iter().map(|flag| flag.map(|flag| flag.to_string())).collect(),
        Column::Category { codes, levels } => {
            codes.iter().map(|&code| levels.name(code).map(ToString::to_string)).collect()
        }
        Column::Text(values) => values.iter().map(|text| text.as_ref().map(ToString::to_string)).collect(),
        other => vec![None; other.len()],
    })
}

/// All answers in long form: those of the file's annotators, or made up, and those of the one who was planted.
pub(crate) fn answers(table: &Table, target: &str, opinions: &[&str], cx: &FitContext) -> Result<Answers> {
    let truth = words(table.column(target)?)?;
    let mut classes: Vec<&String> = truth.iter().flatten().collect();
    classes.sort_unstable();
    classes.dedup();
    let mut stream = cx.stream("annotators");
    let mut any = |share: f64, instead: &Option<String>| {
        if stream.unit() < share { Some(classes[stream.below(classes.len())].clone()) } else { instead.clone() }
    };
    let (mut task, mut worker, mut label) = (Vec::new(), Vec::new(), Vec::new());
    let mut note = |name: &str, answers: Vec<Option<String>>| {
        for (row, answer) in answers.into_iter().enumerate().filter(|(_, answer)| answer.is_some()) {
            task.push(row.to_string());
            worker.push(name.to_string());
            label.push(answer);
        }
    };
    let known = opinions.iter().filter(|name| table.column(name).is_ok());
    let mut known: Vec<(&str, Vec<Option<String>>)> =
        known.map(|name| Ok((*name, words(table.column(name)?)?))).collect::<Result<_>>()?;
    if known.is_empty() {
        for (name, errs) in [("anna", 0.08), ("ben", 0.2), ("cleo", 0.3)] {
            known.push((name, truth.iter().map(|word| any(errs, word)).collect()));
        }
    }
    known.into_iter().for_each(|(name, answers)| note(name, answers));
    note(CARELESS, truth.iter().map(|word| any(1.0, word)).collect());
    let texts = |words: &[String]| Column::texts(words.iter().map(|word| Some(word.as_str())));
    let long = Table::of([
        ("task", texts(&task)),
        ("worker", texts(&worker)),
        ("label", Column::categories(label.iter().map(Option::as_deref))),
    ])?;
    Ok(Answers { answers: Annotations::of(&long, "task", "worker", "label")?, truth })
}

/// Judges the annotators by gold questions, leaves out who fails, and models the others.
pub(crate) fn aggregate(given: &Answers, faults: &mut Faults, cx: &FitContext) -> Result<Labelled> {
    let Answers { answers, truth } = given;
    let agreement = krippendorff_alpha(answers, Scale::Nominal)?;
    let gold = truth.iter().enumerate().take(GOLD).filter_map(|(row, word)| Some((row.to_string(), word.clone()?)));
    let judged = GoldQuestions::new(gold).check(answers)?;
    let failed: Vec<String> = judged.failed().map(|quality| quality.worker.clone()).collect();
    faults.annotators(CARELESS, &failed);
    let trusted = judged.without_failed(answers);
    let model = DawidSkene::new().aggregate(&trusted, cx)?;
    let doubts = adjudicate(&trusted, &model, Priority::Entropy)?;
    let labels: Vec<Option<String>> =
        (0..truth.len()).map(|row| model.label(&row.to_string()).map(Into::into)).collect();
    let sections = vec![agreement.exhibit(), judged.exhibit(), model.exhibit(), doubts.exhibit()];
    Ok(Labelled { right: right(&labels, truth), labels, sections })
}

/// The share of labels that an expert would have given.
fn right(labels: &[Option<String>], truth: &[Option<String>]) -> f64 {
    let both = labels.iter().zip(truth).filter(|(label, _)| label.is_some());
    let (all, right) = both.fold((0, 0), |(all, right), (label, truth)| (all + 1, right + usize::from(label == truth)));
    right as f64 / f64::from(all.max(1))
}

/// The rows that have a label, with it in place of the target, and without the annotators' columns.
pub(crate) fn join(table: &Table, target: &str, opinions: &[&str], labels: &[Option<String>]) -> Result<Table> {
    let at = table.schema().require(target)?;
    let (schema, mut columns) = table.clone().into_parts();
    let mut fields = schema.fields().to_vec();
    columns[at] = Column::categories(labels.iter().map(Option::as_deref));
    fields[at] = Field::new(target, Kind::Category).role(Role::Target).missing(true);
    let kept: Vec<usize> = (0..fields.len()).filter(|&i| !opinions.contains(&fields[i].name.as_ref())).collect();
    let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row].is_some()).collect();
    Ok(Table::new(Schema::new(fields)?.into(), columns)?.select(&kept)?.take(&rows))
}
