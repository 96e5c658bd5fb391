"""Shapley values of trees, straight from the definition and checked against shap's TreeExplainer.

Trees are given in a neutral form: node 0 is the root; a node with `left` -1 is a leaf; a row goes left where
`x[feature] <= threshold`; `cover` is the weight of the training rows that came by. Values are scaled so that a model's
margin is `intercept` plus the sum of its trees. Inputs are exact in float32, which scikit-learn's trees compare in.

Two games are played. `path_dependent`: a feature left out of a coalition follows both branches, weighed by cover.
`interventional`: it takes its value from a background row, and the mean is taken over those. Interactions are the
Shapley interaction index, half of it in each of the two cells; the diagonal is what is left of a feature's value.
All is computed by summing the definition over all coalitions, and must agree with shap: to 1e-9, and to 1e-6 for
`interventional`, where shap rounds its weights to float32. shap has no interventional interactions.
"""

import itertools
import math

import golden
import numpy as np
import shap
import sklearn
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor


def exact(values):
    """Rounded to 1/64: exact in float32 and short in JSON."""
    return np.round(np.asarray(values) * 64.0) / 64.0


def neutral(tree, scale=1.0):
    return {
        "left": tree.children_left,
        "right": tree.children_right,
        "feature": tree.feature,
        "threshold": tree.threshold,
        "value": scale * tree.value[:, 0, 0],
        "cover": tree.weighted_n_node_samples,
    }


def expectation(tree, row, known, background):
    """The value of a coalition for one tree."""

    def descend(node, other):
        if tree["left"][node] < 0:
            return tree["value"][node]
        feature, left, right = tree["feature"][node], tree["left"][node], tree["right"][node]
        if feature in known or other is not None:
            value = row[feature] if feature in known else other[feature]
            return descend(left if value <= tree["threshold"][node] else right, other)
        cover = tree["cover"]
        return (cover[left] * descend(left, None) + cover[right] * descend(right, None)) / cover[node]

    if background is None:
        return descend(0, None)
    return float(np.mean([descend(0, other) for other in background]))


def by_definition(trees, rows, background=None):
    """Shapley values and interactions of each row, summed over all coalitions."""
    columns = rows.shape[1]
    everyone = [frozenset(c) for size in range(columns + 1) for c in itertools.combinations(range(columns), size)]
    factorial = math.factorial
    all_values, all_interactions = [], []
    for row in rows:
        worth = {s: sum(expectation(tree, row, s, background) for tree in trees) for s in everyone}
        values = np.zeros(columns)
        cells = np.zeros((columns, columns))
        for i in range(columns):
            for s in everyone:
                if i not in s:
                    weight = factorial(len(s)) * factorial(columns - len(s) - 1) / factorial(columns)
                    values[i] += weight * (worth[s | {i}] - worth[s])
            for j in range(columns):
                for s in everyone:
                    if i != j and i not in s and j not in s:
                        weight = factorial(len(s)) * factorial(columns - len(s) - 2) / factorial(columns - 1) / 2
                        cells[i, j] += weight * (worth[s | {i, j}] - worth[s | {i}] - worth[s | {j}] + worth[s])
        cells[np.diag_indices(columns)] = values - cells.sum(axis=1)
        all_values.append(values)
        all_interactions.append(cells)
    return np.array(all_values), np.array(all_interactions)


def agree(name, ours, theirs, tolerance=1e-9):
    gap = np.abs(np.asarray(ours) - np.asarray(theirs)).max()
    if gap > tolerance:
        raise ValueError(f"{name}: off by {gap}")


def flat(interactions):
    return interactions.reshape(len(interactions), -1)


def margins(trees, intercept, rows):
    everything = set(range(rows.shape[1]))
    return np.array([intercept + sum(expectation(t, row, everything, None) for t in trees) for row in rows])


def case(name, model, trees, intercept, rows, background):
    margin = margins(trees, intercept, rows)

    path = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent", model_output="raw")
    path_base = intercept + sum(expectation(tree, rows[0], set(), None) for tree in trees)
    path_values, path_cells = by_definition(trees, rows)
    agree(f"{name} path-dependent sum", path_values.sum(axis=1) + path_base, margin)
    agree(f"{name} path-dependent base", path_base, np.ravel(path.expected_value)[0])
    agree(f"{name} path-dependent", path_values, path.shap_values(rows, check_additivity=False))
    agree(f"{name} interactions", path_cells, path.shap_interaction_values(rows))

    against = shap.TreeExplainer(model, data=background, feature_perturbation="interventional", model_output="raw")
    base = margins(trees, intercept, background).mean()
    values, cells = by_definition(trees, rows, background)
    agree(f"{name} interventional sum", values.sum(axis=1) + base, margin)
    agree(f"{name} interventional base", base, np.ravel(against.expected_value)[0], 1e-6)
    agree(f"{name} interventional", values, against.shap_values(rows, check_additivity=False), 1e-6)

    given = {"trees": trees, "intercept": intercept, "x": rows, "background": background}
    expected = {
        "margin": margin,
        "path_dependent": {"base": path_base, "values": path_values, "interactions": flat(path_cells)},
        "interventional": {"base": base, "values": values, "interactions": flat(cells)},
    }
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    x = exact(rng.standard_normal((90, 4)))
    y = x[:, 0] * (x[:, 1] > 0) + np.abs(x[:, 2]) + 0.3 * x[:, 3] * x[:, 0] + 0.1 * rng.standard_normal(90)
    event = (y > np.median(y)).astype(int)
    weight = exact(rng.uniform(0.25, 3.0, 90))
    rows, background = x[:8], x[40:60]

    depth_three = DecisionTreeRegressor(max_depth=3, random_state=0).fit(x, y)
    weighted = DecisionTreeRegressor(max_depth=3, random_state=0).fit(x, y, sample_weight=weight)
    deep = DecisionTreeRegressor(min_samples_leaf=2, random_state=0).fit(x, y)
    one_leaf = DecisionTreeRegressor(random_state=0).fit(x, np.full(90, 0.75))
    one_split = DecisionTreeRegressor(max_depth=1, random_state=0).fit(x, y)
    forest = RandomForestRegressor(3, max_depth=4, random_state=0).fit(x, y)
    boosted = GradientBoostingRegressor(n_estimators=4, max_depth=3, learning_rate=0.5, random_state=0).fit(x, y)
    classes = GradientBoostingClassifier(n_estimators=3, max_depth=3, learning_rate=0.5, random_state=0).fit(x, event)
    wide = exact(rng.standard_normal((80, 9)))
    wide_target = wide @ np.arange(9) + wide[:, 0] * wide[:, 8] + np.maximum(wide[:, 4], 0.0) * wide[:, 5]
    wide_tree = DecisionTreeRegressor(max_depth=7, min_samples_leaf=2, random_state=0).fit(wide, wide_target)

    twice = depth_three.tree_.feature
    if not any(
        f >= 0 and f in (twice[depth_three.tree_.children_left[n]], twice[depth_three.tree_.children_right[n]])
        for n, f in enumerate(twice)
    ):
        raise ValueError("wants a feature that is split on twice along a path")

    prior = math.log(event.mean() / (1.0 - event.mean()))
    cases = [
        case("depth_three", depth_three, [neutral(depth_three.tree_)], 0.0, rows, background),
        case("weighted", weighted, [neutral(weighted.tree_)], 0.0, rows, background),
        case("deep", deep, [neutral(deep.tree_)], 0.0, rows, background),
        case("one_split", one_split, [neutral(one_split.tree_)], 0.0, rows[:3], background),
        case("random_forest", forest, [neutral(t.tree_, 1.0 / 3.0) for t in forest], 0.0, rows, background),
        case(
            "gradient_boosting",
            boosted,
            [neutral(t.tree_, 0.5) for t in boosted.estimators_[:, 0]],
            float(y.mean()),
            rows,
            background,
        ),
        case(
            "gradient_boosting_binary",
            classes,
            [neutral(t.tree_, 0.5) for t in classes.estimators_[:, 0]],
            prior,
            rows,
            background,
        ),
        case("nine_features", wide_tree, [neutral(wide_tree.tree_)], 0.0, wide[:4], wide[40:60]),
    ]
    source = f"shap {shap.__version__}, scikit-learn {sklearn.__version__}"
    golden.write(__file__, source, cases, 1e-9, 1e-9)


if __name__ == "__main__":
    main()
