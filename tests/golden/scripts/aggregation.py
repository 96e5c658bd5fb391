"""Labels out of many answers by crowd-kit.

answers      task, worker, label by number, every task with an answer
majority     shares of the labels a task, skill of each worker
wawa         the same
dawid_skene  after so many steps: posterior a task, and each worker's matrix by true label
glad         run until it stands still, in one case, because it is slow: posterior, abilities, logarithms of inverse
             difficulties
"""

from importlib.metadata import version

import golden
import numpy as np
import pandas
from crowdkit.aggregation import GLAD, DawidSkene, MajorityVote, Wawa
from crowdkit.aggregation.classification import wawa

# It asks scikit-learn whether it is fitted, in a way that scikit-learn 1.9 no longer answers.
wawa.check_is_fitted = lambda *_, **__: None


def votes(rng, truth, skills, labels, asked):
    """Answers to one task; drawn again until no two labels lead, which crowd-kit and we decide by other rules."""
    while True:
        hard = rng.random() < 0.2
        given = []
        for worker in sorted(rng.permutation(len(skills))[:asked]):
            right = rng.random() < (0.4 if hard else skills[worker])
            given.append([int(worker), int(truth if right else (truth + rng.integers(1, labels)) % labels)])
        counts = np.sort(np.bincount([label for _, label in given], minlength=labels))
        if counts[-1] > counts[-2]:
            return given


def answers(rng, tasks, skills, labels, asked):
    truth = rng.integers(0, labels, tasks)
    return [[task, *given] for task in range(tasks) for given in votes(rng, truth[task], skills, labels, asked)]


def table(frame, tasks, labels):
    return frame.reindex(index=range(tasks), columns=range(labels), fill_value=0.0).fillna(0.0).to_numpy()


def case(rng, name, tasks, skills, labels, asked, steps, still=False):
    rows = answers(rng, tasks, skills, labels, asked)
    data = pandas.DataFrame(rows, columns=["task", "worker", "label"])
    workers = len(skills)
    expected = {}
    for key, model in [("majority", MajorityVote()), ("wawa", Wawa())]:
        posterior = model.fit_predict_proba(data)
        expected[key] = {
            "posterior": table(posterior, tasks, labels),
            "skills": model.skills_.reindex(range(workers)).to_numpy(),
        }
    # Stopped by the steps alone.
    model = DawidSkene(n_iter=steps, tol=-np.inf)
    posterior = model.fit_predict_proba(data)
    matrices = np.zeros((workers, labels, labels))
    for (worker, given), row in model.errors_.iterrows():
        for truth in range(labels):
            matrices[worker, truth, given] = row[truth]
    expected["dawid_skene"] = {
        "steps": steps,
        "posterior": table(posterior, tasks, labels),
        "matrices": matrices.reshape(workers * labels, labels),
    }
    expected["glad"] = None
    if still:
        model = GLAD(n_iter=40, tol=-np.inf, m_step_tol=1e-7)
        model.fit(data)
        expected["glad"] = {
            "posterior": table(model.probas_, tasks, labels),
            "abilities": model.alphas_.reindex(range(workers)).to_numpy(),
            "inverse": model.betas_.reindex(range(tasks)).to_numpy(),
        }
    return golden.case(name, {"tasks": tasks, "workers": workers, "labels": labels, "answers": rows}, expected)


def main():
    rng = golden.generator()
    cases = [
        case(rng, "two_labels", 40, [0.95, 0.9, 0.8, 0.6, 0.3], 2, 4, 7, still=True),
        case(rng, "three_labels", 60, [0.95, 0.9, 0.85, 0.6, 0.4, 0.35], 3, 5, 12),
        case(rng, "one_step", 30, [0.9, 0.8, 0.7, 0.6], 4, 3, 1),
    ]
    golden.write(__file__, f"crowd-kit {version('crowd-kit')}", cases, 1e-6, 1e-6)


if __name__ == "__main__":
    main()
