//! The canonical tree model as an ONNX file, for runtimes elsewhere.
//!
//! The trees become one `TreeEnsemble` of `ai.onnx.ml` 5: the only tree operator whose answers have 64 bits and whose
//! splits take sets of levels. Mean, base and link follow as plain operators, so that all is computed in 64 bits.

mod forest;
mod message;

use stagewise_core::Error;
use stagewise_core::error::{PersistError, Result};

use crate::link::Link;
use crate::tree::ensemble::{Combine, TreeEnsemble};
use crate::tree::exchange::onnx::forest::Lists;
use crate::tree::exchange::onnx::message::Message;

/// Kinds of elements.
const UINT8: i64 = 2;
const INT64: i64 = 7;
const DOUBLE: i64 = 11;
/// Version 10 of the file format has these operator sets.
const IR: i64 = 10;
const OPERATORS: i64 = 21;
const TREE_OPERATORS: i64 = 5;
/// No protobuf file may be larger.
const MOST_BYTES: usize = i32::MAX as usize;

impl TreeEnsemble {
    /// The model as the bytes of an ONNX file, the same bytes each time.
    ///
    /// Input: `features`, `n × features` numbers of 64 bits, in the order of [`features`](Self::features). A missing value
    /// is NaN, a category the code of its level. Output: `answers`, `n × outputs` numbers of 64 bits, what
    /// [`Predict`](stagewise_core::stage::Predict) gives: a value or the probability of the event, or the probability of
    /// each class. The metadata `features` and `categories` are lists of names as JSON.
    ///
    /// Missing values and new levels go the way they go here. But a runtime refuses nothing: models that take no missing
    /// values, sums that overflow and levels that are no whole number are checked here only. The file needs a runtime with
    /// the operator sets 21 and `ai.onnx.ml` 5. Covers, gains and the history are left out. A tree whose leaves have a
    /// value for each output is written once for each output.
    ///
    /// An [`offset`](Self::offset) is gathered from its column and added. Checked with onnxruntime 1.32.0, 1.23.2 and 1.22.1:
    /// answers to 1e-12, relative. 1.20 has no such operator.
    ///
    /// # Errors
    /// [`Unencodable`](PersistError::Unencodable) for a model without features, for leaves that answer with lines, and above
    /// 2 GiB.
    ///
    /// ```
    /// use stagewise_model::{Tree, TreeEnsemble};
    ///
    /// let mut tree = Tree::new();
    /// tree.leaf(&[2.5]);
    /// let bytes = TreeEnsemble::mean(vec!["x".into()], 1, vec![tree])?.to_onnx()?;
    /// assert_eq!(bytes[..2], [8, 10]); // the version of the format
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn to_onnx(&self) -> Result<Vec<u8>> {
        let width = self.features().len();
        if width == 0 {
            return Err(unencodable("it has no features".into()));
        }
        if self.has_lines() {
            return Err(unencodable("its leaves answer with lines; fit it without `linear_leaves`".into()));
        }
        let lists = Lists::of(self)?;
        let graph = Message::new()
            .messages(1, &self.nodes(&lists))
            .text(2, "TreeEnsemble")
            .messages(5, &self.constants())
            .message(11, &table("features", width))
            .message(12, &table("answers", self.outputs()));
        let categories: Vec<&String> = lists.categories.iter().filter_map(|&at| self.features().get(at)).collect();
        let bytes = Message::new()
            .int(1, IR)
            .text(2, "stagewise")
            .message(7, &graph)
            .message(8, &Message::new().text(1, "").int(2, OPERATORS))
            .message(8, &Message::new().text(1, "ai.onnx.ml").int(2, TREE_OPERATORS))
            .message(14, &metadata("features", self.features())?)
            .message(14, &metadata("categories", categories.as_slice())?)
            .into_bytes();
        if bytes.len() > MOST_BYTES {
            return Err(unencodable(format!("it would have {} bytes, {MOST_BYTES} are possible", bytes.len())));
        }
        Ok(bytes)
    }

    /// The operators, from features to answers.
    fn nodes(&self, lists: &Lists) -> Vec<Message> {
        let mut nodes = vec![trees(lists, self.outputs())];
        let mut last = "leaves";
        if self.combine() == Combine::Mean {
            nodes.push(node("Div", &[last, "count"], "mean"));
            last = "mean";
        }
        let link = match self.answer_link() {
            Link::Identity => None,
            Link::Log => Some("Exp"),
            Link::Logit => Some("Sigmoid"),
            // Of one score, as here, nothing.
            Link::Softmax => Some("Softmax").filter(|_| self.outputs() > 1),
        };
        let scores = if link.is_some() { "scores" } else { "answers" };
        if self.offset_place().is_some() {
            let axis = Message::new().text(1, "axis").int(3, 1).int(20, 2);
            nodes.push(node("Gather", &["features", "place"], "offset").message(5, &axis));
            nodes.push(node("Add", &[last, "base"], "based"));
            nodes.push(node("Add", &["based", "offset"], scores));
        } else {
            nodes.push(node("Add", &[last, "base"], scores));
        }
        nodes.extend(link.map(|operator| node(operator, &["scores"], "answers")));
        nodes
    }

    fn constants(&self) -> Vec<Message> {
        let mut constants = vec![doubles(self.base()).text(8, "base")];
        if self.combine() == Combine::Mean {
            constants.push(doubles(&[self.trees().len() as f64]).text(8, "count"));
        }
        let place =
            self.offset_place().map(|place| tensor_of(INT64, 1, &(place as i64).to_le_bytes()).text(8, "place"));
        constants.extend(place);
        constants
    }
}

fn unencodable(reason: String) -> Error {
    PersistError::Unencodable { part: "the ONNX file of a tree ensemble".into(), reason }.into()
}

/// The operator that adds up the leaves.
fn trees(lists: &Lists, outputs: usize) -> Message {
    let int = |name, value| Message::new().text(1, name).int(3, value).int(20, 2);
    let ints = |name, values: &[i64]| Message::new().text(1, name).ints(8, values).int(20, 7);
    let tensor = |name, values: &Message| Message::new().text(1, name).message(5, values).int(20, 4);
    let mut attributes = vec![
        // The sum.
        int("aggregate_function", 1),
        ints("leaf_targetids", &lists.leaf_output),
        tensor("leaf_weights", &doubles(&lists.leaf_value)),
        int("n_targets", outputs as i64),
        ints("nodes_falseleafs", &lists.is_leaf[1]),
        ints("nodes_falsenodeids", &lists.child[1]),
        ints("nodes_featureids", &lists.feature),
        ints("nodes_missing_value_tracks_true", &lists.missing_true),
        tensor("nodes_modes", &tensor_of(UINT8, lists.mode.len(), &lists.mode)),
        tensor("nodes_splits", &doubles(&lists.threshold)),
        ints("nodes_trueleafs", &lists.is_leaf[0]),
        ints("nodes_truenodeids", &lists.child[0]),
        // Nothing: the link follows.
        int("post_transform", 0),
        ints("tree_roots", &lists.roots),
    ];
    if !lists.members.is_empty() {
        attributes.push(tensor("membership_values", &doubles(&lists.members)));
    }
    node("TreeEnsemble", &["features"], "leaves").messages(5, &attributes).text(7, "ai.onnx.ml")
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Message {
    let node = inputs.iter().fold(Message::new(), |node, input| node.text(1, input));
    node.text(2, output).text(3, output).text(4, operator)
}

/// The declaration of a table of numbers with any number of rows.
fn table(name: &str, width: usize) -> Message {
    let rows = Message::new().text(2, "rows");
    let shape = Message::new().message(1, &rows).message(1, &Message::new().int(1, width as i64));
    let tensor = Message::new().int(1, DOUBLE).message(2, &shape);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor))
}

fn doubles(values: &[f64]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor_of(DOUBLE, values.len(), &bytes)
}

fn tensor_of(kind: i64, length: usize, bytes: &[u8]) -> Message {
    Message::new().ints(1, &[length as i64]).int(2, kind).bytes(9, bytes)
}

fn metadata(key: &str, names: &(impl serde::Serialize + ?Sized)) -> Result<Message> {
    let names = serde_json::to_string(names).map_err(|error| unencodable(error.to_string()))?;
    Ok(Message::new().text(1, key).text(2, &names))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use stagewise_core::stage::Predict;
    use stagewise_core::task::{Multiclass, Regression};
    use stagewise_testkit::golden;

    use super::*;
    use crate::tree::structure::Tree;

    fn path(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/onnx").join(format!("{name}.onnx"))
    }

    /// `x <= 0.5`, then a set of levels; each leaf has the values that `values` gives it.
    fn tree(mut tree: Tree, codes: &[usize], levels: usize, missing_left: bool, values: [&[f64]; 3]) -> Tree {
        let root = tree.split(0, 0.5, missing_left);
        let low = tree.split_levels(1, codes.iter().copied(), levels, missing_left);
        tree.link(root, true, low);
        for (parent, left, values) in [(low, true, values[0]), (low, false, values[1]), (root, false, values[2])] {
            let leaf = tree.leaf(values);
            tree.link(parent, left, leaf);
        }
        tree
    }

    /// A set of levels at the root, above a leaf on one side and, if `deep`, a split on the other.
    fn set_root(codes: &[usize], missing_left: bool, deep: Option<bool>) -> Tree {
        let mut tree = Tree::new();
        let root = tree.split_levels(1, codes.iter().copied(), 40, missing_left);
        for (left, value) in [(true, 0.3), (false, -0.9)] {
            if deep == Some(left) {
                let split = tree.split(0, -0.2, false);
                tree.link(root, left, split);
                for (left, value) in [(true, 2.0), (false, value)] {
                    let leaf = tree.leaf(&[value]);
                    tree.link(split, left, leaf);
                }
            } else {
                let leaf = tree.leaf(&[value]);
                tree.link(root, left, leaf);
            }
        }
        tree
    }

    fn alone(value: f64) -> Tree {
        let mut tree = Tree::new();
        tree.leaf(&[value]);
        tree
    }

    /// Models with every kind of split, combination and link, some of them imported.
    fn models() -> Vec<(&'static str, TreeEnsemble)> {
        let names = || vec!["x".to_string(), "city".to_string()];
        let one: [&[f64]; 3] = [&[0.1], &[-0.7], &[1.3]];
        let sets = vec![
            tree(Tree::new(), &[0, 3, 7], 9, true, one),
            tree(Tree::new(), &[0, 3, 7], 9, false, one),
            tree(Tree::new(), &[1, 40, 99], 100, true, one),
            tree(Tree::new(), &[1, 40, 99], 100, false, one),
            tree(Tree::new(), &[], 9, false, one),
            tree(Tree::new(), &[0, 1], 2, true, one),
            alone(0.25),
        ];
        let shares: [&[f64]; 3] = [&[0.2, 0.3, 0.5], &[0.1, 0.0, 0.9], &[0.6, 0.3, 0.1]];
        let classes = (0..3).map(|output| tree(Tree::of_output(output), &[output], 4, output == 1, one)).collect();
        let forest = (0..3).map(|code| tree(Tree::new(), &[code], 5, code == 1, shares)).collect();
        let numbers = vec![tree(Tree::new(), &[0], 1, true, one), alone(-0.5)];
        let lightgbm = golden::load("lightgbm_models.json");
        let xgboost = golden::load("xgboost_models.json");
        let text = |at: usize| lightgbm.cases[at].value("/input/model").as_str().expect("a text");
        let json = |at: usize| xgboost.cases[at].value("/input/model").to_string();
        vec![
            ("sets", TreeEnsemble::sum(names(), vec![0.5], sets).unwrap().link(Link::Logit).missing(true)),
            (
                "classes",
                TreeEnsemble::sum(names(), vec![0.1, 0.0, -0.2], classes).unwrap().link(Link::Softmax).missing(true),
            ),
            ("forest", TreeEnsemble::mean(names(), 3, forest).unwrap().missing(true)),
            ("means", TreeEnsemble::mean(names(), 1, numbers).unwrap().link(Link::Log).missing(true)),
            ("base", TreeEnsemble::sum(names(), vec![1.5], vec![]).unwrap().missing(true)),
            (
                "set_roots",
                TreeEnsemble::sum(
                    names(),
                    vec![-0.1],
                    [None, Some(true), Some(false)]
                        .into_iter()
                        .flat_map(|deep| [true, false].map(|missing_left| set_root(&[0, 2, 5, 33], missing_left, deep)))
                        .chain([set_root(&[7], false, Some(true)), set_root(&[7], true, Some(false)), alone(1.0)])
                        .collect(),
                )
                .unwrap()
                .missing(true),
            ),
            (
                "offset",
                TreeEnsemble::sum(
                    ["x", "city", "log_exposure"].map(String::from).to_vec(),
                    vec![0.5],
                    vec![tree(Tree::new(), &[0, 3], 9, true, one), alone(0.25)],
                )
                .unwrap()
                .link(Link::Log)
                .missing(true)
                .offset("log_exposure")
                .unwrap(),
            ),
            ("lightgbm_categories", TreeEnsemble::from_lightgbm(text(4)).unwrap()),
            ("lightgbm_classes", TreeEnsemble::from_lightgbm(text(6)).unwrap()),
            ("lightgbm_forest", TreeEnsemble::from_lightgbm(text(14)).unwrap()),
            ("xgboost_categories", TreeEnsemble::from_xgboost(&json(2)).unwrap()),
        ]
    }

    #[test]
    fn files_are_those_that_were_checked() {
        for (name, model) in models() {
            // `WRITE_ONNX=1` writes them, for scripts/onnx_models.py to have them answered by onnxruntime.
            if std::env::var_os("WRITE_ONNX").is_some() {
                std::fs::write(path(name), model.to_onnx().unwrap()).unwrap();
            }
            let stored = std::fs::read(path(name)).unwrap();
            assert!(model.to_onnx().unwrap() == stored, "{name}: write it again, and have it checked again");
        }
    }

    #[test]
    fn onnxruntime_answers_as_we_do() {
        let golden = golden::load("onnx_models.json");
        let models = models();
        assert_eq!(golden.cases.len(), models.len());
        for case in &golden.cases {
            let (_, model) = models.iter().find(|(name, _)| *name == case.name).expect("a model of that name");
            for (row, expected) in case.matrix("/input/x").iter().zip(case.matrix("/expected/answers")) {
                let found = if model.outputs() == 1 {
                    vec![Predict::<Regression>::predict_row(model, row).unwrap()]
                } else {
                    Predict::<Multiclass>::predict_row(model, row).unwrap()
                };
                golden.assert_all_close(&found, &expected, &case.name);
            }
        }
    }

    #[test]
    fn what_can_not_be_written_is_named() {
        let model = TreeEnsemble::mean(vec![], 1, vec![alone(1.0)]).unwrap();
        assert_eq!(
            model.to_onnx().unwrap_err().to_string(),
            "the ONNX file of a tree ensemble does not encode: it has no features"
        );
    }
}
