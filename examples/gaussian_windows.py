"""Regression and classification without training: every row keeps a Gaussian window.

All there is to learn is how wide the windows are, which each row's prediction from all others
tells. A width for each feature also tells which features matter.
Run it with ``python examples/gaussian_windows.py``.
"""

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score

from neuropil.classic import GRNN, PNN


def main() -> tuple[float, float]:
    """Return R² of the regression and the accuracy of the classification, in five folds."""
    table = load_diabetes(as_frame=True)
    score = float(cross_val_score(GRNN(), table.data, table.target, cv=5).mean())
    print(f"diabetes: R² {score:.3f} in five folds")
    network = GRNN().fit(table.data, table.target)
    widths = network.sigma_ / table.data.std().to_numpy()
    order = np.argsort(widths)[:3]
    named = ", ".join(f"{table.data.columns[i]} ({widths[i]:.2f})" for i in order)
    print(f"narrowest windows, in standard deviations: {named}")

    X, y = load_iris(return_X_y=True)
    accuracy = float(cross_val_score(PNN(), X, y, cv=5).mean())
    print(f"iris: accuracy {accuracy:.3f} in five folds")
    far = PNN().fit(X, y).predict_proba([[1000.0, 0.0, 0.0, 0.0]])
    print(f"a flower a thousand times too long still has probabilities: {far.round(3)[0]}")
    return score, accuracy


if __name__ == "__main__":
    main()
