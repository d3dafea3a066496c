"""Sort what comes in without knowing how many kinds there are: ART1 and Fuzzy ART.

Vigilance says how alike the rows of a category must be; categories form as they are needed, and
a row that is like none of them is told apart. Run it with
``python examples/adaptive_resonance.py``.
"""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from neuropil.classic import ART1, FuzzyART
from neuropil.datasets import make_digits


def main(n_samples: int = 500) -> dict[float, int]:
    """Print categories by vigilance; return how many there are of binary digits."""
    counts = {}
    X, y = make_digits(n_samples, noise_level=0.03, random_state=0)
    print("binary digits with 3 % of the pixels turned over, ART1:")
    for vigilance in (0.3, 0.5, 0.7, 0.9):
        network = ART1(vigilance).fit(X)
        counts[vigilance] = len(network.weights_)
        alike = adjusted_rand_score(y, network.labels_)
        print(
            f"  vigilance {vigilance}: {counts[vigilance]:4} categories after "
            f"{network.n_iter_} passes, Rand index {alike:.2f}"
        )

    flowers, kinds = load_iris(return_X_y=True)
    network = FuzzyART(vigilance=0.6).fit(flowers)
    print(
        f"iris flowers, Fuzzy ART: {len(network.weights_)} boxes, flowers of each kind in them"
    )
    for category, (low, high) in enumerate(network.boxes_):
        inside = np.bincount(kinds[network.labels_ == category], minlength=3)
        sides = ", ".join(f"{a:.1f}–{b:.1f}" for a, b in zip(low, high, strict=True))
        print(f"  box {category}: {inside.tolist()}   {sides} cm")
    strange = network.predict([[20.0, 1.0, 0.1, 9.0]])
    print(f"a flower of 20 cm: category {strange[0]}")
    return counts


if __name__ == "__main__":
    main()
