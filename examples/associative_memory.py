"""Remember ten digits of 24 pixels, and find them again from spoilt ones.

Four memories: Hopfield's network by three rules, the modern one, and a bidirectional memory
that gives the digit's name. Run it with ``python examples/associative_memory.py``.
"""

from pathlib import Path

import numpy as np

from neuropil import plots
from neuropil.classic import DiscreteBAM, DiscreteHopfieldNetwork, ModernHopfieldNetwork
from neuropil.datasets import load_digits, make_digits

FEW = [1, 2, 4, 7]


def main(probes: int = 1000, noise: float = 0.05, folder: str = ".") -> dict[str, float]:
    """Print which share of spoilt digits each memory mends; save a picture of some of them."""
    digits = load_digits()
    X, y = make_digits(probes, noise_level=noise, random_state=0)
    mended = {}
    for rule in ("hebb", "storkey", "pseudo_inverse"):
        memory = DiscreteHopfieldNetwork(rule, random_state=0).fit(digits)
        mended[f"Hopfield, {rule}"] = share_alike(memory.transform(X), digits[y])
    # The modern network takes any numbers; −1 and 1 keep digits apart that have little ink.
    modern = ModernHopfieldNetwork(beta=1.0).fit(2 * digits - 1)
    mended["modern Hopfield"] = share_alike(modern.transform(2 * X - 1) > 0, digits[y])
    # Ten digits so alike are too many for Hebb's rule, and for the bidirectional memory too.
    few = np.isin(y, FEW)
    names = np.eye(10, dtype=int)[:, FEW]
    bidirectional = DiscreteBAM().fit(digits[FEW], names[FEW])
    mended["BAM, names of 1, 2, 4, 7"] = bidirectional.score(X[few], names[y[few]])

    print(f"{probes} digits, {noise:.0%} of their pixels turned over; rightly recalled:")
    for name, share in mended.items():
        print(f"  {name:26} {share:6.1%}")
    memory = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0).fit(digits)
    place = Path(folder) / "recall.png"
    plots.hopfield_recall(memory, X[:5], (6, 4)).savefig(place)
    print(f"five of them on their way: {place}")
    return mended


def share_alike(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the share of rows without a single error."""
    return float((found == expected).all(axis=1).mean())


if __name__ == "__main__":
    main()
