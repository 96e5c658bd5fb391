//! LightGBM models in their own text form, as the canonical tree model.
//!
//! The text has a head with the objective and the names, a section `Tree=` for each tree, and an end. What follows the
//! end, importances and training parameters, decides no answer and is not read.

mod tree;

use stagewise_core::error::Result;

use crate::link::Link;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::exchange::fields::{Fields, short};
use crate::tree::exchange::undecodable;
use crate::tree::structure::Tree;

/// What the head is called in errors.
const MODEL: &str = "LightGBM model";

impl TreeEnsemble {
    /// Reads a LightGBM model: the text of `save_model` or `model_to_string`, version `v3` or `v4`.
    ///
    /// | objective | answers |
    /// |---|---|
    /// | `regression` (not with `sqrt`), `regression_l1`, `huber`, `fair`, `quantile`, `mape` | the scores |
    /// | `lambdarank`, `rank_xendcg`, `none`, `custom` | the scores |
    /// | `poisson`, `gamma`, `tweedie` | `e^score` |
    /// | `binary`, `cross_entropy` | the probability of the event |
    /// | `multiclass` | the probability of each class |
    /// | `multiclassova` | the probability of each class against the rest; as in LightGBM, they need not sum to 1 |
    ///
    /// Boosting by `gbdt` and `dart` gives a sum of trees, `rf` (`average_output`) a mean. With `sigmoid` other than 1 the
    /// leaves are multiplied by it, so that scores are log-odds.
    ///
    /// Features have the names and the order of the file. Numbers are compared as in LightGBM, which takes those within
    /// 1e-35 of 0 for 0. A missing value goes where the split says; where training saw none it counts as 0, as in
    /// LightGBM. The value of a category is the code of its level in the order that training had (with pandas: the line
    /// `pandas_categorical` of the file); a missing level, and one that is not in the set of the split, goes right. Row
    /// counts become covers, `split_gain` gains. Linear trees (`linear_tree`) answer with their lines; where a number asked
    /// for is missing, and here also where it is infinite, with the leaf's constant. All trees of the file are used.
    ///
    /// Refused: `zero_as_missing` (a split here can not tell 0 from its neighbours), `cross_entropy_lambda`, other
    /// objectives, a model without trees.
    ///
    /// Checked against LightGBM 4.7.0, which writes `v4`: answers to 1e-10, relative.
    ///
    /// # Errors
    /// [`Undecodable`](stagewise_core::error::PersistError::Undecodable) with the tree and what is wrong with it, for all
    /// that is refused and for a text that is cut off or damaged.
    ///
    /// ```
    /// use stagewise_core::{stage::Predict, task::Regression};
    /// use stagewise_model::TreeEnsemble;
    ///
    /// let model = TreeEnsemble::from_lightgbm(
    ///     "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\n\
    ///      feature_names=x\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=3\nthreshold=0.5\n\
    ///      decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1.5 4\nleaf_count=10 20\ninternal_count=30\n\
    ///      is_linear=0\n\nend of trees\n",
    /// )?;
    /// assert_eq!(Predict::<Regression>::predict_row(&model, &[0.5])?, 1.5);
    /// assert_eq!(Predict::<Regression>::predict_row(&model, &[f64::NAN])?, 4.0);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn from_lightgbm(text: &str) -> Result<Self> {
        let sections = sections(text)?;
        let Some((head, trees)) = sections.split_first().filter(|(_, trees)| !trees.is_empty()) else {
            return Err(undecodable(MODEL, "it has no trees"));
        };
        let head = Head::read(head, trees.len())?;
        let trees = trees.iter().enumerate().map(|(i, tree)| head.tree(tree, i % head.outputs));
        let trees = trees.collect::<Result<Vec<_>>>()?;
        let model = if head.mean && head.outputs == 1 {
            Self::mean(head.features, 1, trees)?
        } else {
            Self::sum(head.features, vec![0.0; head.outputs], trees)?
        };
        Ok(model.link(head.link).missing(true))
    }
}

/// The head and the trees of a text that has its end.
fn sections(text: &str) -> Result<Vec<Fields<'_>>> {
    let mut lines = text.lines();
    if lines.next().map(str::trim) != Some("tree") {
        return Err(undecodable(MODEL, "its first line is not `tree`"));
    }
    let (mut sections, mut section) = (Vec::new(), Vec::new());
    for line in lines {
        let end = line.trim() == "end of trees";
        if end || line.starts_with("Tree=") {
            sections.push(Fields::of(name(sections.len()), section.drain(..)));
        } else if !line.trim().is_empty() {
            section.push(line);
        }
        if end {
            return Ok(sections);
        }
    }
    Err(undecodable(MODEL, "it is cut off: the line `end of trees` is not there"))
}

/// What a section is called in errors; the head is the first.
fn name(section: usize) -> String {
    section.checked_sub(1).map_or(MODEL.into(), |tree| format!("{MODEL}, tree {tree}"))
}

/// What holds for all trees.
struct Head {
    features: Vec<String>,
    outputs: usize,
    mean: bool,
    link: Link,
    /// What every leaf is multiplied by.
    factor: f64,
}

impl Head {
    fn read(head: &Fields<'_>, trees: usize) -> Result<Self> {
        let version = head.required("version")?;
        if !["v3", "v4"].contains(&version) {
            return Err(undecodable(MODEL, format!("its version is `{}`, v3 and v4 are read", short(version))));
        }
        let features: Vec<String> = head.required("feature_names")?.split_ascii_whitespace().map(Into::into).collect();
        if features.len().checked_sub(1) != Some(head.number("max_feature_idx")?) {
            return Err(undecodable(MODEL, format!("`max_feature_idx` does not fit its {} features", features.len())));
        }
        let outputs: usize = head.number("num_tree_per_iteration")?;
        // Also keeps a damaged number from asking for memory.
        if outputs == 0 || !trees.is_multiple_of(outputs) {
            let reason = format!("`num_tree_per_iteration` is {outputs}, which {trees} trees can not be divided by");
            return Err(undecodable(MODEL, reason));
        }
        let (link, sigmoid) = objective(head.text("objective").unwrap_or("none"))?;
        let classes: usize = head.number("num_class")?;
        if classes != outputs && (classes > 1 || link == Link::Softmax) {
            return Err(undecodable(MODEL, "`num_class` and `num_tree_per_iteration` differ"));
        }
        let mean = head.text("average_output").is_some();
        // A mean is over rounds. With a tree for each class there are fewer rounds than trees, so the sum is divided.
        let rounds = if mean && outputs > 1 { (trees / outputs) as f64 } else { 1.0 };
        Ok(Self { features, outputs, mean, link, factor: sigmoid / rounds })
    }

    fn tree(&self, fields: &Fields<'_>, output: usize) -> Result<Tree> {
        let empty = if self.outputs == 1 { Tree::new() } else { Tree::of_output(output) };
        tree::read(fields, empty, self.features.len(), self.factor)
    }
}

/// The link and the sigmoid factor of an objective line, such as `binary sigmoid:1`.
fn objective(line: &str) -> Result<(Link, f64)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().unwrap_or("none");
    let sigmoid = || match words.clone().find_map(|word| word.strip_prefix("sigmoid:")).map(str::parse) {
        None => Ok(1.0),
        Some(Ok(factor)) if f64::is_finite(factor) && factor > 0.0 => Ok(factor),
        Some(_) => Err(undecodable(MODEL, format!("`sigmoid` of `{}` is no number above 0", short(line)))),
    };
    match name {
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
            if !words.clone().any(|w| w == "sqrt") =>
        {
            Ok((Link::Identity, 1.0))
        }
        "lambdarank" | "rank_xendcg" | "none" | "custom" => Ok((Link::Identity, 1.0)),
        "poisson" | "gamma" | "tweedie" => Ok((Link::Log, 1.0)),
        "binary" | "multiclassova" => Ok((Link::Logit, sigmoid()?)),
        "cross_entropy" => Ok((Link::Logit, 1.0)),
        "multiclass" => Ok((Link::Softmax, 1.0)),
        _ => Err(undecodable(MODEL, format!("answers of the objective `{}` can not be given", short(line)))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stagewise_core::stage::Predict;
    use stagewise_core::task::{Multiclass, Regression};
    use stagewise_testkit::golden::{self, Case};

    use super::*;

    fn text(case: &Case) -> &str {
        case.value("/input/model").as_str().expect("a text")
    }

    fn reason(text: &str) -> String {
        TreeEnsemble::from_lightgbm(text).unwrap_err().to_string()
    }

    #[test]
    fn imported_models_answer_as_lightgbm_does() {
        let golden = golden::load("lightgbm_models.json");
        let mut read = 0;
        for case in golden.cases.iter().filter(|case| case.name != "regression_zero_as_missing") {
            let model = TreeEnsemble::from_lightgbm(text(case)).unwrap();
            assert_eq!(model.outputs() as f64, case.number("/input/outputs"));
            for (row, expected) in case.matrix("/input/x").iter().zip(case.matrix("/expected/prediction")) {
                let found = if model.outputs() == 1 {
                    vec![Predict::<Regression>::predict_row(&model, row).unwrap()]
                } else {
                    Predict::<Multiclass>::predict_row(&model, row).unwrap()
                };
                golden.assert_all_close(&found, &expected, &case.name);
            }
            read += 1;
        }
        assert_eq!(read, 15);
    }

    #[test]
    fn linear_trees_answer_as_lightgbm_does() {
        let golden = golden::load("linear_leaves.json");
        for case in &golden.cases {
            let model = TreeEnsemble::from_lightgbm(text(case)).unwrap();
            assert!(model.has_lines());
            for (row, expected) in case.matrix("/input/asked").iter().zip(case.numbers("/expected/prediction")) {
                let found = Predict::<Regression>::predict_row(&model, row).unwrap();
                assert!(
                    (found - expected).abs() <= 1e-10 * (1.0 + expected.abs()),
                    "{}: {found}, {expected}",
                    case.name
                );
            }
            for (from, to, expected) in [
                ("num_features=", "num_features=7 ", "numbers"),
                ("leaf_coeff=", "leaf_coeff=nan ", "`leaf_coeff` has"),
                ("leaf_features=", "leaf_features=9 ", "`leaf_features` has"),
            ] {
                let damaged = reason(&text(case).replacen(from, to, 2));
                assert!(damaged.contains(expected), "{from}: {damaged}");
            }
        }
    }

    #[test]
    fn row_counts_become_covers_and_gains_are_kept() {
        let golden = golden::load("lightgbm_models.json");
        let model = TreeEnsemble::from_lightgbm(text(&golden.cases[0])).unwrap();
        for tree in model.trees() {
            assert_eq!(tree.cover(0), Some(120.0));
            assert!(tree.gain(0).is_some_and(|gain| gain > 0.0));
        }
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let golden = golden::load("lightgbm_models.json");
        let case = |name: &str| text(golden.cases.iter().find(|case| case.name == name).expect("a case"));
        assert_eq!(
            reason(case("regression_zero_as_missing")),
            "LightGBM model, tree 0 does not decode: it was trained with `zero_as_missing`, which no split here can say"
        );
        let good = case("binary_categories");
        for (from, to, expected) in [
            ("is_linear=0", "is_linear=1", "tree 0 does not decode: the line `num_features=` is not there"),
            ("end of trees", "", "it is cut off"),
            ("version=v4", "version=v5", "its version is `v5`, v3 and v4 are read"),
            ("sigmoid:1", "sigmoid:-1", "is no number above 0"),
            ("binary", "regression sqrt", "answers of the objective `regression sqrt"),
            ("num_leaves=6", "num_leaves=7", "`leaf_value` has 6 numbers, 7 are needed"),
            ("num_leaves=6", "num_leaves=99999999999999999999", "`num_leaves` is `99999999999999999999`, no number"),
            ("num_tree_per_iteration=1", "num_tree_per_iteration=4000000000", "4 trees can not be divided by"),
            ("max_feature_idx=4", "max_feature_idx=5", "does not fit its 5 features"),
            ("split_feature=4 4", "split_feature=4 5", "a split asks for feature 5, there are 5"),
            ("left_child=3 4 -3", "left_child=0 4 -3", "lead back"),
            ("left_child=3 4 -3", "left_child=3 4 -9", "a split leads to node -9, which is not there"),
            ("threshold=0 1", "threshold=7 1", "the category set 7 is not there"),
            ("threshold=0 1 -0.36299999999999993", "threshold=0 1 nan", "a threshold is NaN"),
            ("cat_boundaries=0 1 2 3", "cat_boundaries=0 3 2 3", "its category sets overlap"),
            ("leaf_value=-", "leaf_value=inf -", "`leaf_value` has 7 numbers"),
        ] {
            let damaged = good.replacen(from, to, 1);
            assert_ne!(damaged, good, "{from} is in the text");
            let found = reason(&damaged);
            assert!(found.starts_with(MODEL) && found.contains(expected), "{from} -> {to}: {found}");
        }
    }

    proptest! {
        #[test]
        fn damaged_texts_are_read_or_refused(case in 0_usize..16, at in 0.0..1.0_f64, cut in 0_usize..30, new in "[-0-9. =\\n]{0,6}") {
            let golden = golden::load("lightgbm_models.json");
            let text = text(&golden.cases[case]);
            let from = (at * text.len() as f64) as usize;
            let damaged = format!("{}{new}{}", &text[..from], &text[(from + cut).min(text.len())..]);
            if let Ok(model) = TreeEnsemble::from_lightgbm(&damaged) {
                let row = vec![0.5; model.features().len()];
                prop_assert!(model.trees().iter().all(|tree| tree.find(&row) < tree.len()));
            }
        }
    }
}
