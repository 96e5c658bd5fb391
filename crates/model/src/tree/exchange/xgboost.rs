//! XGBoost models in their JSON form, as the canonical tree model.
//!
//! XGBoost computes in numbers of 32 bits and asks `x < t`. Thresholds are moved so that `x <= threshold` asks the same
//! of every number of 64 bits; the leaves are added in 64 bits.

mod document;
mod tree;

use serde_json::from_str;
use stagewise_core::error::Result;

use crate::link::Link;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::exchange::fields::short;
use crate::tree::exchange::undecodable;
use crate::tree::exchange::xgboost::document::{Booster, Document, Forest, Learner};
use crate::tree::exchange::xgboost::tree::Levels;
use crate::tree::structure::Tree;

/// What the model is called in errors.
const MODEL: &str = "XGBoost model";
/// How many features without names are believed, and how many outputs.
const MOST: usize = 1 << 20;

impl TreeEnsemble {
    /// Reads an XGBoost model: the text that `save_model("model.json")` writes, of versions 1 to 3.
    ///
    /// | objective | answers | `base_score` |
    /// |---|---|---|
    /// | `reg:squarederror`, `reg:squaredlogerror`, `reg:absoluteerror`, `reg:pseudohubererror`, `reg:quantileerror` | the scores | a score |
    /// | `rank:pairwise`, `rank:ndcg`, `rank:map` | the scores | a score |
    /// | `binary:logistic`, `reg:logistic` | the probability of the event | a probability |
    /// | `binary:logitraw` | the scores | a score |
    /// | `count:poisson`, `reg:gamma`, `reg:tweedie` | `e^score` | a mean |
    /// | `multi:softprob`, `multi:softmax` | the probability of each class | scores |
    ///
    /// The boosters `gbtree` and `dart` are read; of `dart`, each leaf is multiplied by the weight of its tree. All trees
    /// of the file are used, as `Booster.predict` does.
    ///
    /// Features have the names and the order of the file, or `f0`, `f1`, … if it has none. Each is rounded to 32 bits
    /// first, as in XGBoost: thresholds are chosen so that the same side is taken. A missing value goes where the split
    /// says. The value of a category is the code of its level in the order that training had. Levels in the set of a split
    /// go right, all others left; this holds for the levels that the file lists (it does if the training table named
    /// them), and else for codes below 1024, or below the next multiple of 64 if a set has larger ones. A level past them
    /// is new, and goes where a missing value goes, as in every model here; in XGBoost it goes left. `sum_hessian` becomes
    /// the cover, `loss_changes` the gain.
    ///
    /// Refused: `gblinear`, trees with a leaf for several outputs, several quantiles or targets, other objectives, the binary form (`.ubj`).
    ///
    /// Checked against XGBoost 3.2.0, whose answers are of 32 bits: answers to 2e-6, relative.
    ///
    /// # Errors
    /// [`Undecodable`](stagewise_core::error::PersistError::Undecodable) with the tree and what is wrong with it, for all
    /// that is refused and for a text that is cut off or damaged.
    pub fn from_xgboost(text: &str) -> Result<Self> {
        let document: Document<'_> = from_str(text).map_err(|error| undecodable(MODEL, error))?;
        if !(1..=3).contains(&document.version[0]) {
            let reason = format!("its version is {:?}, those from 1 to 3 are read", document.version);
            return Err(undecodable(MODEL, reason));
        }
        let learner = document.learner;
        let (link, scale) = objective(&learner.objective.name)?;
        let outputs = outputs(&learner, link)?;
        let features = features(&learner)?;
        let base = base(&learner.learner_model_param.base_score, outputs, scale)?;

        let (forest, weights) = trees(learner.gradient_booster)?;
        let trees = forest.trees.len();
        if forest.tree_info.len() != trees || weights.as_ref().is_some_and(|weights| weights.len() != trees) {
            return Err(undecodable(MODEL, "its lists `trees`, `tree_info` and `weight_drop` differ in length"));
        }
        let levels = Levels::of(&forest, features.len())?;
        let read = forest.trees.iter().zip(&forest.tree_info).enumerate().map(|(i, (tree, &output))| {
            if output >= outputs {
                return Err(undecodable(MODEL, format!("tree {i} belongs to output {output} of {outputs}")));
            }
            let empty = if outputs == 1 { Tree::new() } else { Tree::of_output(output) };
            let weight = weights.as_ref().map_or(1.0, |weights| weights[i]);
            tree::read(tree, empty, &format!("{MODEL}, tree {i}"), weight.into(), &levels)
        });
        Ok(Self::sum(features, base, read.collect::<Result<_>>()?)?.link(link).missing(true))
    }
}

/// The trees of a booster, and their weights if they have some.
fn trees(booster: Booster) -> Result<(Forest, Option<Vec<f32>>)> {
    match booster {
        Booster { name, model: Some(model), .. } if name == "gbtree" => Ok((model, None)),
        Booster { name, gbtree: Some(inner), weight_drop: Some(weights), .. } if name == "dart" => {
            Ok((inner.model, Some(weights)))
        }
        Booster { name, .. } => {
            let reason = format!("trees of the booster `{}` are not there; `gbtree` and `dart` are read", short(&name));
            Err(undecodable(MODEL, reason))
        }
    }
}

/// What a base score is.
#[derive(Clone, Copy)]
enum Scale {
    Score,
    Probability,
    Mean,
}

fn objective(name: &str) -> Result<(Link, Scale)> {
    match name {
        "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:absoluteerror"
        | "reg:pseudohubererror"
        | "reg:quantileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => Ok((Link::Identity, Scale::Score)),
        "binary:logistic" | "reg:logistic" => Ok((Link::Logit, Scale::Probability)),
        "binary:logitraw" => Ok((Link::Identity, Scale::Score)),
        "count:poisson" | "reg:gamma" | "reg:tweedie" => Ok((Link::Log, Scale::Mean)),
        "multi:softprob" | "multi:softmax" => Ok((Link::Softmax, Scale::Score)),
        _ => Err(undecodable(MODEL, format!("answers of the objective `{}` can not be given", short(name)))),
    }
}

/// How many scores a row has: one for each class, or one.
fn outputs(learner: &Learner<'_>, link: Link) -> Result<usize> {
    let param = &learner.learner_model_param;
    let (classes, targets) = (number("num_class", &param.num_class)?, number("num_target", &param.num_target)?);
    match (link, classes) {
        _ if targets > 1 => Err(undecodable(MODEL, format!("it has {targets} targets, one is needed"))),
        (Link::Softmax, 2..=MOST) => Ok(classes),
        (Link::Softmax, _) => Err(undecodable(MODEL, format!("`num_class` is {classes}"))),
        (_, 0 | 1) => Ok(1),
        _ => Err(undecodable(MODEL, format!("it has {classes} classes, its objective has none"))),
    }
}

fn features(learner: &Learner<'_>) -> Result<Vec<String>> {
    let count = number("num_feature", &learner.learner_model_param.num_feature)?;
    let names = &learner.feature_names;
    match names.len() {
        0 if count > MOST => Err(undecodable(MODEL, format!("it has {count} features without names"))),
        0 => Ok((0..count).map(|feature| format!("f{feature}")).collect()),
        named if named == count => Ok(names.clone()),
        named => Err(undecodable(MODEL, format!("it has {count} features and {named} names"))),
    }
}

fn number(key: &str, text: &str) -> Result<usize> {
    text.parse().map_err(|_| undecodable(MODEL, format!("`{key}` is `{}`, no count", short(text))))
}

/// The base scores as scores: `5E-1`, or since version 3.1 `[5E-1]` and `[1E-1,2E-1]`.
fn base(text: &str, outputs: usize, scale: Scale) -> Result<Vec<f64>> {
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let found = list.split(',').take(outputs + 1).map(|text| text.trim().parse::<f32>().ok());
    let score = |score: f32| match scale {
        Scale::Score => score,
        // In 32 bits, as in XGBoost.
        Scale::Probability => -(1.0 / score - 1.0).ln(),
        Scale::Mean => score.ln(),
    };
    let scores: Option<Vec<f64>> = found.map(|base| base.map(|base| f64::from(score(base)))).collect();
    let scores = scores.filter(|scores| scores.iter().all(|score| score.is_finite()));
    match scores {
        Some(scores) if scores.len() == outputs => Ok(scores),
        Some(scores) if scores.len() == 1 => Ok(vec![scores[0]; outputs]),
        _ => Err(undecodable(MODEL, format!("`base_score` is `{}`, which gives no {outputs} scores", short(text)))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stagewise_core::stage::Predict;
    use stagewise_core::task::{Multiclass, Regression};
    use stagewise_testkit::golden;

    use super::*;

    fn model(case: usize) -> String {
        golden::load("xgboost_models.json").cases[case].value("/input/model").to_string()
    }

    fn reason(text: &str) -> String {
        TreeEnsemble::from_xgboost(text).unwrap_err().to_string()
    }

    #[test]
    fn imported_models_answer_as_xgboost_does() {
        let golden = golden::load("xgboost_models.json");
        for case in &golden.cases {
            let model = TreeEnsemble::from_xgboost(&case.value("/input/model").to_string()).unwrap();
            assert_eq!(model.outputs() as f64, case.number("/input/outputs"));
            for (row, expected) in case.matrix("/input/x").iter().zip(case.matrix("/expected/prediction")) {
                let found = if model.outputs() == 1 {
                    vec![Predict::<Regression>::predict_row(&model, row).unwrap()]
                } else {
                    Predict::<Multiclass>::predict_row(&model, row).unwrap()
                };
                golden.assert_all_close(&found, &expected, &case.name);
            }
            assert!(model.trees().iter().all(|tree| tree.cover(0).is_some_and(|cover| cover > 0.0)));
        }
        assert_eq!(golden.cases.len(), 12);
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let good = model(2);
        for (from, to, expected) in [
            ("\"gbtree\"", "\"gblinear\"", "trees of the booster `gblinear` are not there"),
            ("binary:logistic", "binary:hinge", "answers of the objective `binary:hinge` can not be given"),
            ("[4.6666667E-1]", "[2]", "`base_score` is `[2]`, which gives no 1 scores"),
            ("[4.6666667E-1]", "[0.1,0.2]", "which gives no 1 scores"),
            (
                "\"num_class\":\"0\",\"num_feature\":\"5\"",
                "\"num_class\":\"0\",\"num_feature\":\"4000000000\"",
                "4000000000 features without names",
            ),
            (
                "\"num_class\":\"0\",\"num_feature\":\"5\"",
                "\"num_class\":\"0\",\"num_feature\":\"4\"",
                "a split asks for feature 4, there are 4",
            ),
            ("\"num_class\":\"0\"", "\"num_class\":\"3\"", "it has 3 classes, its objective has none"),
            ("\"num_target\":\"1\"", "\"num_target\":\"2\"", "it has 2 targets, one is needed"),
            ("\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"3\"", "a value for several outputs"),
            ("\"left_children\":[1,", "\"left_children\":[0,", "lead back"),
            ("\"left_children\":[1,", "\"left_children\":[-2,", "a split leads to node -2, which is not there"),
            ("\"left_children\":[1,", "\"left_children\":[1,1,", "its lists differ in length"),
            ("\"categories\":[0,", "\"categories\":[16777216,", "more than can be"),
            ("\"categories_sizes\":[5", "\"categories_sizes\":[500", "the category sets of a tree overlap"),
            ("\"categories_segments\":[0", "\"categories_segments\":[9", "the category set 0 of a tree is not there"),
            ("\"tree_info\":[0", "\"tree_info\":[1", "tree 0 belongs to output 1 of 1"),
            ("[3,2,0]", "[4,0,0]", "its version is [4, 0, 0], those from 1 to 3 are read"),
            ("{", "", "XGBoost model does not decode"),
        ] {
            let damaged = good.replacen(from, to, 1);
            assert_ne!(damaged, good, "{from} is in the text");
            let found =
                TreeEnsemble::from_xgboost(&damaged).map_or_else(|error| error.to_string(), |_| "a model".into());
            assert!(found.contains(expected), "{from} -> {to}: {found}");
        }
        assert!(reason(&good[..good.len() / 2]).contains("EOF"), "a text that is cut off");
    }

    #[test]
    fn old_forms_of_base_scores_and_directions_are_read() {
        let new = TreeEnsemble::from_xgboost(&model(0)).unwrap();
        let old =
            model(0).replace("[2.223698E0]", "2.223698E0").replace("\"default_left\":[1,", "\"default_left\":[true,");
        assert_eq!(TreeEnsemble::from_xgboost(&old).unwrap(), new);
    }

    proptest! {
        #[test]
        fn damaged_texts_are_read_or_refused(case in 0_usize..12, at in 0.0..1.0_f64, cut in 0_usize..9, new in "[-0-9.,e\"\\[\\]]{0,6}") {
            let text = model(case);
            let from = (at * text.len() as f64) as usize;
            let damaged = format!("{}{new}{}", &text[..from], &text[(from + cut).min(text.len())..]);
            if let Ok(model) = TreeEnsemble::from_xgboost(&damaged) {
                let row = vec![0.5; model.features().len()];
                prop_assert!(model.trees().iter().all(|tree| tree.find(&row) < tree.len()));
            }
        }
    }
}
