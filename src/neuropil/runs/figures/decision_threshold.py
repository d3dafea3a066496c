"""Choice of the probability from which a rare class is predicted."""

from __future__ import annotations

import torch
from torch import Tensor

# Probabilities of float32 that round to 0 or 1 get the log-odds of the nearest other ones.
SMALLEST = 2**-24
# The log-odds are shifted by at most this, which is found to double precision.
LARGEST_SHIFT, HALVINGS = 40.0, 60


def choose_threshold(probabilities: Tensor, members: Tensor) -> float | None:
    """Return the threshold with the largest expected F1, None if there is only one class.

    A rare class has few examples, and the threshold that is best for exactly these fits their
    chance. So the labels decide only one number, a shift b of the log-odds z with a standard
    normal prior, ``Σ σ(z + b) + b = Σ y``. With the shifted probabilities p, F1 for the n
    largest is expected to be ``2 Σ_{i ≤ n} p_i / (n + Σ p)``. Its best n gives the threshold,
    which is about half the best F1 where probabilities are right.
    F1 is maximised rather than the balanced accuracy: that would pay for each example found
    with as many false alarms as other examples are more frequent.

    Shape:
        Probabilities and members ``(N)``.

    Args:
        probabilities: The probability of the class for each example.
        members: Whether each example belongs to the class.

    Reference:
        Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1
        measure", ECML PKDD 2014, arXiv:1402.1892.

    Example:
        >>> p = torch.tensor([0.01] * 95 + [0.3] * 3 + [0.6] * 2)
        >>> 0.01 < choose_threshold(p, p > 0.2) < 0.3
        True
    """
    count = int(members.sum())
    if not 0 < count < len(members) or not probabilities.isfinite().all():
        return None
    odds = probabilities.double().clamp(SMALLEST, 1 - SMALLEST).logit()
    odds = odds.sort(descending=True).values
    shifted = (odds + shift_of(count, odds)).sigmoid()
    taken = torch.arange(1, len(odds) + 1)
    expected = 2 * shifted.cumsum(0) / (taken + shifted.sum())
    # A threshold lies between two different probabilities.
    last = torch.cat([odds[1:] < odds[:-1], odds.new_zeros(1).bool()])
    if not last.any():
        return None
    best = int(expected.masked_fill(~last, -1.0).argmax())
    return float((odds[best : best + 2].mean()).sigmoid())


def shift_of(count: int, odds: Tensor) -> float:
    """Return the most probable shift of the log-odds for a number of examples of the class."""
    low, high = -LARGEST_SHIFT, LARGEST_SHIFT
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float((odds + middle).sigmoid().sum()) + middle < count:
            low = middle
        else:
            high = middle
    return (low + high) / 2
