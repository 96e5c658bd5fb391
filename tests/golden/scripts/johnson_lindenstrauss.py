"""How many random directions keep distances: whole numbers, to be met exactly."""

import golden
import sklearn
from sklearn.random_projection import johnson_lindenstrauss_min_dim


def main():
    cases = [
        golden.case(
            f"{rows}_{distortion}",
            {"rows": rows, "distortion": distortion},
            {"components": int(johnson_lindenstrauss_min_dim(rows, eps=distortion))},
        )
        for rows in [1, 2, 1000, 1_000_000]
        for distortion in [0.05, 0.1, 0.5, 0.99]
    ]
    golden.write(__file__, f"scikit-learn {sklearn.__version__}", cases, 0.0, 0.0)


if __name__ == "__main__":
    main()
