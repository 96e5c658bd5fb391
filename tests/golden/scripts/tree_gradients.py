"""Loss, gradient and second derivative of each boosting objective at given margins, and the best constant margin.

`gradient` and `hessian` are the first and second derivative of `loss` by the margin, from the formulas below, checked
by central differences. Where the loss has a kink (absolute, quantile) or is linear (huber), `hessian` is 0 there.
`lightgbm` and `xgboost` hold the hessian that this library uses, `null` where it has no such objective (or none with
the same gradient). Both gradients and these hessians are read back from trained models, one leaf for each row: the leaf
is -gradient / (hessian + lambda), seen with two values of lambda. `constant` minimises the weighted loss of all rows
as a single margin; where a whole interval does, `constant` is its middle and `constant_range` holds its ends.
"""

import itertools
import json
import math

import golden
import lightgbm
import numpy as np
import scipy
import xgboost
from scipy.optimize import brentq

LAMBDAS = 8.0, 32.0
COPIES = 400  # LightGBM guesses the rows of a leaf from its hessian and takes no leaf where it guesses none


def sigmoid(f):
    return np.where(f >= 0, 1 / (1 + np.exp(-np.abs(f))), np.exp(-np.abs(f)) / (1 + np.exp(-np.abs(f))))


def softplus(f):
    return np.maximum(f, 0.0) + np.log1p(np.exp(-np.abs(f)))


def squared(y, f):
    return (f - y) ** 2 / 2, f - y, np.ones_like(f)


def absolute(y, f):
    return np.abs(f - y), np.sign(f - y), np.zeros_like(f)


def huber(y, f, delta):
    near = np.abs(f - y) <= delta
    loss = np.where(near, (f - y) ** 2 / 2, delta * (np.abs(f - y) - delta / 2))
    return loss, np.clip(f - y, -delta, delta), near.astype(float)


def quantile(y, f, alpha):
    below = f < y
    return np.where(below, alpha * (y - f), (1 - alpha) * (f - y)), np.where(below, -alpha, 1 - alpha), np.zeros_like(f)


def poisson(y, f):
    return np.exp(f) - y * f, np.exp(f) - y, np.exp(f)


def gamma(y, f):
    return y * np.exp(-f) + f, 1 - y * np.exp(-f), y * np.exp(-f)


def tweedie(y, f, rho):
    a, b = np.exp((1 - rho) * f), np.exp((2 - rho) * f)
    return -y * a / (1 - rho) + b / (2 - rho), -y * a + b, -y * (1 - rho) * a + (2 - rho) * b


def logistic(y, f):
    """The target is 0, 1, or a share between."""
    p = sigmoid(f)
    return softplus(f) - y * f, p - y, p * sigmoid(-f)


def focal(y, f, power, alpha=None):
    """-(1 - q)^power ln q, q the probability of the true class; times alpha for class 1, 1 - alpha for class 0."""
    side = 2 * y - 1
    q, r = sigmoid(side * f), sigmoid(-side * f)
    log_q = -softplus(-side * f)
    weight = 1.0 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
    loss = -(r**power) * log_q
    # By the margin of the true class: q' = q r, r' = -q r, (ln q)' = r.
    first = r**power * (power * q * log_q - r)
    second = r**power * q * (power * (r - power * q) * log_q + 2 * power * r + r)
    return weight * loss, weight * side * first, weight * second


def softmax(y, f):
    shifted = f - f.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    hot = np.eye(f.shape[1])[y.astype(int)]
    return -(hot * log_p).sum(axis=1), p - hot, p * (1 - p)


def check_differences(name, loss_of, f, gradient, hessian, kinks):
    """Central differences, one margin at a time, away from kinks."""
    step = 1e-4
    outputs = f.shape[1] if f.ndim == 2 else 1
    for k in range(outputs):
        shift = np.zeros_like(f)
        shift[..., k] = step
        if f.ndim == 1:
            shift = np.full_like(f, step)
        up, down = loss_of(f + shift), loss_of(f - shift)
        g, h = (gradient[:, k], hessian[:, k]) if f.ndim == 2 else (gradient, hessian)
        keep = ~kinks(step)
        first = (up[0] - down[0]) / (2 * step)
        ups, downs = (up[1][:, k], down[1][:, k]) if f.ndim == 2 else (up[1], down[1])
        second = (ups - downs) / (2 * step)
        for what, ours, found in (("gradient", g, first), ("hessian", h, second)):
            gap = (np.abs(ours - found) / np.maximum(1.0, np.abs(ours)))[keep].max()
            if gap > 1e-6:
                raise ValueError(f"{name}: {what} is off by {gap}")


def read_back(leaves):
    """Gradient and hessian from leaf values at both lambdas."""
    low, high = (np.asarray(v, dtype=float) for v in leaves)
    # low = -g / (h + a), high = -g / (h + b)
    a, b = LAMBDAS
    with np.errstate(divide="ignore", invalid="ignore"):
        hessian = (b * high - a * low) / (low - high)
    return -low * (hessian + a), hessian


def from_lightgbm(params, y, f, gradient):
    """Each row beside one that pulls the other way, so that a tree of two leaves always parts them."""
    shape = f.shape
    f, gradient = f.reshape(len(y), -1), gradient.reshape(len(y), -1)
    outputs = f.shape[1]
    x = np.array([[0.0], [1.0]])
    copies = np.repeat(x, COPIES, axis=0)
    leaves = np.full((2, len(y), outputs), np.nan)
    for (i, l2), row, k in itertools.product(enumerate(LAMBDAS), range(len(y)), range(outputs)):
        other = int(np.argmin(gradient[:, k] * np.sign(gradient[row, k])))
        pair = np.repeat([row, other], COPIES)
        settings = dict(
            params,
            num_leaves=2,
            min_data_in_leaf=1,
            min_data_in_bin=1,
            min_sum_hessian_in_leaf=0.0,
            lambda_l2=COPIES * l2,
            learning_rate=1.0,
            boost_from_average=False,
            num_threads=1,
            deterministic=True,
            verbose=-1,
        )
        score = f[pair] if outputs > 1 else f[pair, 0]
        data = lightgbm.Dataset(copies, y[pair], init_score=score, params=settings)
        model = lightgbm.train(settings, data, 1)
        leaves[i, row, k] = model.predict(x, raw_score=True).reshape(2, outputs)[0, k]
    return read_back(leaves.reshape(2, *shape))


def from_xgboost(params, y, f, gradient):
    leaves = []
    for l2 in LAMBDAS:
        settings = dict(
            params,
            tree_method="exact",
            reg_lambda=l2,
            learning_rate=1.0,
            min_child_weight=0.0,
            nthread=1,
            max_delta_step=0.0,
        )
        if params["objective"] == "count:poisson":
            del settings["max_delta_step"]  # 0.7, a part of its hessian
        found = []
        for row in range(len(y)):  # one row is one leaf
            data = xgboost.DMatrix(np.zeros((1, 1)), label=y[row : row + 1], base_margin=f[row : row + 1])
            model = xgboost.train(settings, data, 1)
            trees = json.loads(model.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
            found.append([tree["split_conditions"][0] for tree in trees])
        leaves.append(np.array(found).reshape(f.shape))
    return read_back(leaves)


def check_library(name, found, gradient, hessian):
    """Both libraries compute in float32, and a leaf tells its hessian only if it is not tiny."""
    first, second = found
    clear = np.isfinite(second) & (np.abs(gradient) > 1e-3) & (hessian > 1e-3) & (np.abs(hessian) < 1e3)
    if clear.sum() < 0.7 * clear.size:
        raise ValueError(f"{name}: too few rows to tell")
    for what, ours, theirs in (("gradient", gradient, first), ("hessian", hessian, second)):
        gap = (np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours)))[clear].max()
        if gap > 2e-4:
            raise ValueError(f"{name}: {what} is off by {gap}\n{ours}\n{theirs}")


def smooth_constant(formula, y, weights):
    """Where the derivative of the weighted loss is 0; it only grows with the margin near there."""
    slope = lambda c: float((weights * formula(y, np.full(len(y), c))[1]).sum())
    return brentq(slope, -30.0, 30.0, xtol=1e-15, rtol=1e-15)


def weighted_quantile(y, weights, alpha):
    """The ends of the interval of minimisers of the weighted quantile loss."""
    order = np.argsort(y)
    y, total = y[order], np.cumsum(weights[order])
    goal = alpha * total[-1]
    low = int(np.searchsorted(total, goal - 1e-12 * total[-1]))
    exact = abs(total[low] - goal) <= 1e-12 * total[-1] and low + 1 < len(y)
    return [y[low], y[low + 1] if exact else y[low]]


def case(name, objective, parameters, formula, y, f, weights, constant, kinks=None, lgb=None, xgb=None):
    """`lgb` and `xgb`: parameters of the library and its hessian as a function of (target, margin)."""
    y, f = np.asarray(y, dtype=float), np.asarray(f, dtype=float)
    loss, gradient, hessian = formula(y, f)
    kinks = kinks or (lambda y, f, step: np.zeros(len(y), dtype=bool))
    check_differences(name, lambda g: formula(y, g), f, gradient, hessian, lambda step: kinks(y, f, step))
    theirs = {}
    for library, read, setting in (("lightgbm", from_lightgbm, lgb), ("xgboost", from_xgboost, xgb)):
        theirs[library] = None
        if setting is not None:
            params, convention = setting
            theirs[library] = convention(y, f)
            check_library(f"{name} in {library}", read(params, y, f, gradient), gradient, theirs[library])
    expected = {"loss": loss, "gradient": gradient, "hessian": hessian, **theirs, **constant}
    given = {"objective": objective, "parameters": parameters, "target": y, "margin": f, "weights": weights}
    return golden.case(name, given, expected)


def main():
    rng = golden.generator()
    rows = 16
    weights = np.round(rng.uniform(0.25, 3.0, rows), 2)
    margin = np.round(np.concatenate([np.linspace(-4.0, 4.0, 9), rng.normal(0.0, 1.5, rows - 9)]), 3)
    number = np.round(rng.normal(0.5, 2.0, rows), 3)
    count = rng.poisson(2.0, rows).astype(float)
    positive = np.round(rng.gamma(2.0, 1.5, rows) + 0.05, 3)
    zeros = np.where(rng.random(rows) < 0.4, 0.0, positive)
    event = (rng.random(rows) < 0.4).astype(float)
    event[:2] = 0.0, 1.0
    share = np.round(rng.random(rows), 3)
    far = np.concatenate([margin[:-4], [-40.0, 40.0, -750.0, 750.0]])
    classes = np.concatenate([[0, 1, 2], rng.integers(0, 3, rows - 3)]).astype(float)
    scores = np.round(rng.normal(0.0, 1.5, (rows, 3)), 3)
    mean = lambda y: float((weights * y).sum() / weights.sum())
    near = lambda points: lambda y, f, step: np.any([np.abs(f - y - p) <= 2 * step for p in points], axis=0)
    half = lambda ends: {"constant": (ends[0] + ends[1]) / 2, "constant_range": ends}
    ones = np.ones(rows)
    one = lambda y, f: np.ones_like(f)
    second = lambda formula: lambda y, f: formula(y, f)[2]
    huber_1 = lambda y, f: huber(y, f, 1.0)
    quantile_8 = lambda y, f: quantile(y, f, 0.8)
    tweedie_13 = lambda y, f: tweedie(y, f, 1.3)
    focal_2 = lambda y, f: focal(y, f, 2.0)
    focal_2_alpha = lambda y, f: focal(y, f, 2.0, 0.25)
    shares = np.array([weights[classes == k].sum() for k in range(3)]) / weights.sum()
    logit = lambda p: math.log(p / (1 - p))
    poisson_7 = lambda y, f: np.exp(f + 0.7)

    cases = [
        case(
            "squared",
            "squared",
            {},
            squared,
            number,
            margin,
            weights,
            {"constant": mean(number)},
            lgb=(dict(objective="regression"), one),
            xgb=(dict(objective="reg:squarederror"), one),
        ),
        case(
            "absolute",
            "absolute",
            {},
            absolute,
            number,
            margin,
            weights,
            half(weighted_quantile(number, weights, 0.5)),
            near([0.0]),
        ),
        case(
            "absolute_unweighted",
            "absolute",
            {},
            absolute,
            number,
            margin,
            None,
            half(weighted_quantile(number, ones, 0.5)),
            near([0.0]),
        ),
        case(
            "huber",
            "huber",
            {"delta": 1.0},
            huber_1,
            number,
            margin,
            weights,
            {"constant": smooth_constant(huber_1, number, weights)},
            near([-1.0, 1.0]),
            lgb=(dict(objective="huber", alpha=1.0), one),
        ),
        case(
            "quantile",
            "quantile",
            {"alpha": 0.8},
            quantile_8,
            number,
            margin,
            weights,
            half(weighted_quantile(number, weights, 0.8)),
            near([0.0]),
        ),
        case(
            "poisson",
            "poisson",
            {},
            poisson,
            count,
            margin,
            weights,
            {"constant": math.log(mean(count))},
            lgb=(dict(objective="poisson"), poisson_7),
            xgb=(dict(objective="count:poisson"), poisson_7),
        ),
        case(
            "gamma",
            "gamma",
            {},
            gamma,
            positive,
            margin,
            weights,
            {"constant": math.log(mean(positive))},
            lgb=(dict(objective="gamma"), second(gamma)),
            xgb=(dict(objective="reg:gamma"), second(gamma)),
        ),
        case(
            "tweedie",
            "tweedie",
            {"power": 1.3},
            tweedie_13,
            zeros,
            margin,
            weights,
            {"constant": math.log(mean(zeros))},
            lgb=(dict(objective="tweedie", tweedie_variance_power=1.3), second(tweedie_13)),
            xgb=(dict(objective="reg:tweedie", tweedie_variance_power=1.3), second(tweedie_13)),
        ),
        case(
            "logistic",
            "logistic",
            {},
            logistic,
            event,
            margin,
            weights,
            {"constant": logit(mean(event))},
            lgb=(dict(objective="binary"), second(logistic)),
            xgb=(dict(objective="binary:logistic"), second(logistic)),
        ),
        case("logistic_far", "logistic", {}, logistic, event, far, None, {"constant": logit(event.mean())}),
        case(
            "cross_entropy",
            "logistic",
            {},
            logistic,
            share,
            margin,
            weights,
            {"constant": logit(mean(share))},
            lgb=(dict(objective="cross_entropy"), second(logistic)),
            xgb=(dict(objective="reg:logistic"), second(logistic)),
        ),
        case(
            "focal",
            "focal",
            {"gamma": 2.0, "alpha": None},
            focal_2,
            event,
            margin,
            weights,
            {"constant": smooth_constant(focal_2, event, weights)},
        ),
        case(
            "focal_alpha",
            "focal",
            {"gamma": 2.0, "alpha": 0.25},
            focal_2_alpha,
            event,
            margin,
            weights,
            {"constant": smooth_constant(focal_2_alpha, event, weights)},
        ),
        case(
            "softmax",
            "softmax",
            {"classes": 3},
            softmax,
            classes,
            scores,
            weights,
            {"constant": np.log(shares) - np.log(shares).mean()},
            lgb=(dict(objective="multiclass", num_class=3), lambda y, f: 1.5 * softmax(y, f)[2]),
            xgb=(dict(objective="multi:softprob", num_class=3), lambda y, f: 2.0 * softmax(y, f)[2]),
        ),
    ]
    source = f"numpy {np.__version__}, checked against LightGBM {lightgbm.__version__}, XGBoost {xgboost.__version__}, scipy {scipy.__version__}"
    golden.write(__file__, source, cases, 1e-13, 1e-12)


if __name__ == "__main__":
    main()
