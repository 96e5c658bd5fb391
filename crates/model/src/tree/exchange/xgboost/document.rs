//! The parts of an XGBoost document that decide answers, as they stand in it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};

#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) learner: Learner<'a>,
    pub(super) version: [u32; 3],
}

#[derive(Deserialize)]
pub(super) struct Learner<'a> {
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    pub(super) gradient_booster: Booster,
    #[serde(borrow)]
    pub(super) learner_model_param: Param<'a>,
    #[serde(borrow)]
    pub(super) objective: Objective<'a>,
}

/// Numbers are written as texts here.
#[derive(Deserialize)]
pub(super) struct Param<'a> {
    #[serde(borrow)]
    pub(super) base_score: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) num_class: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) num_feature: Cow<'a, str>,
    #[serde(borrow, default = "one")]
    pub(super) num_target: Cow<'a, str>,
}

fn one() -> Cow<'static, str> {
    "1".into()
}

#[derive(Deserialize)]
pub(super) struct Objective<'a> {
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
}

/// `gbtree` has a model, `dart` a `gbtree` and weights.
#[derive(Deserialize)]
pub(super) struct Booster {
    pub(super) name: String,
    pub(super) model: Option<Forest>,
    pub(super) gbtree: Option<Inner>,
    pub(super) weight_drop: Option<Vec<f32>>,
}

#[derive(Deserialize)]
pub(super) struct Inner {
    pub(super) model: Forest,
}

#[derive(Deserialize)]
pub(super) struct Forest {
    pub(super) trees: Vec<TreeDocument>,
    pub(super) tree_info: Vec<usize>,
    #[serde(default)]
    pub(super) cats: Categories,
}

/// The levels of categories, since version 3.1 and if the training table named them.
#[derive(Default, Deserialize)]
pub(super) struct Categories {
    /// Where the levels of each feature begin, and where those of the last end.
    #[serde(default)]
    pub(super) feature_segments: Vec<usize>,
}

#[derive(Deserialize)]
pub(super) struct TreeDocument {
    pub(super) left_children: Vec<i64>,
    pub(super) right_children: Vec<i64>,
    pub(super) split_indices: Vec<usize>,
    /// The threshold of a split, the value of a leaf.
    pub(super) split_conditions: Vec<f32>,
    pub(super) default_left: Vec<Flag>,
    #[serde(default)]
    pub(super) sum_hessian: Vec<f32>,
    #[serde(default)]
    pub(super) loss_changes: Vec<f32>,
    #[serde(default)]
    pub(super) split_type: Vec<u8>,
    #[serde(default)]
    pub(super) categories: Vec<usize>,
    #[serde(default)]
    pub(super) categories_nodes: Vec<usize>,
    #[serde(default)]
    pub(super) categories_segments: Vec<usize>,
    #[serde(default)]
    pub(super) categories_sizes: Vec<usize>,
    pub(super) tree_param: TreeParam,
}

#[derive(Deserialize)]
pub(super) struct TreeParam {
    #[serde(default)]
    pub(super) size_leaf_vector: String,
}

/// 0 or 1, in old versions false or true.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0, 1, false or true")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
                Ok(Flag(value != 0))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
