//! The trees of a smartcore forest, read out of its serialised form: its fields are private, its serde form is not.
//!
//! smartcore sends `x <= split_value` to its true child, as we send it left; a node without children is a leaf.

use serde_json::Value;
use stagewise_core::error::{PersistError, Result};

use crate::tree::structure::Tree;

/// The trees in `trees`, a list of objects with `nodes`; `leaf` makes a leaf's values of its `output`.
pub(super) fn trees(trees: Option<&Value>, leaf: &impl Fn(f64) -> Option<Vec<f64>>) -> Result<Vec<Tree>> {
    let list = trees.and_then(Value::as_array).ok_or_else(unreadable)?;
    list.iter().map(|tree| read(tree, leaf).ok_or_else(|| unreadable().into())).collect()
}

fn read(tree: &Value, leaf: &impl Fn(f64) -> Option<Vec<f64>>) -> Option<Tree> {
    let nodes = tree.get("nodes")?.as_array()?;
    let mut read = Tree::new();
    // Position in smartcore's list, and the split that it hangs on.
    let mut open: Vec<(usize, Option<(usize, bool)>)> = vec![(0, None)];
    while let Some((position, parent)) = open.pop() {
        // Every node has one parent; more visits than nodes would be a loop.
        if read.len() >= nodes.len() {
            return None;
        }
        let node = nodes.get(position)?;
        let child = |name: &str| node.get(name).and_then(Value::as_u64).map(|i| i as usize);
        let at = match (child("true_child"), child("false_child")) {
            (Some(left), Some(right)) => {
                let feature = node.get("split_feature")?.as_u64()? as usize;
                let at = read.split(feature, node.get("split_value")?.as_f64()?, false);
                open.push((right, Some((at, false))));
                open.push((left, Some((at, true))));
                at
            }
            _ => read.leaf(&leaf(node.get("output")?.as_f64()?)?),
        };
        if let Some((parent, left)) = parent {
            read.link(parent, left, at);
        }
    }
    Some(read)
}

fn unreadable() -> PersistError {
    let reason = "its serialised form is not that of smartcore 0.7".to_string();
    PersistError::Undecodable { part: "a forest of smartcore".into(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_loop_or_a_missing_part_is_an_error() {
        let leaf = |v: f64| Some(vec![v]);
        let looping = json!([{ "nodes": [
            { "output": 1, "split_feature": 0, "split_value": 1.0, "true_child": 0, "false_child": 0 }
        ] }]);
        assert!(trees(Some(&looping), &leaf).is_err());
        assert!(trees(None, &leaf).is_err());
        let single = json!([{ "nodes": [{ "output": 4.5, "true_child": null, "false_child": null }] }]);
        assert_eq!(trees(Some(&single), &leaf).unwrap()[0].leaves(), 1);
    }
}
