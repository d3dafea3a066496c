"""Verification of people by the distance of two embeddings: its errors at every threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuropil.checks import number
from neuropil.vision.faces.pair_distances import pair_blocks, sort_by_person

Array = np.ndarray[Any, Any]

# Of more pairs, distances are counted in bins.
MOST_EXACT = 2**22
BINS_PER_UNIT = 2**15


@dataclass(frozen=True)
class VerificationCurve:
    """The shares of accepted pairs at every distance up to which pairs are accepted.

    A pair of pictures is genuine if both show one person, and an impostor pair otherwise. The
    points (`false_accepts`, `true_accepts`) are the ROC curve; (`false_accepts`, 1 −
    `true_accepts`) are the DET curve.

    Shape:
        `distances`, `false_accepts`, `true_accepts`: ``(L)``, ascending.

    Attributes:
        distances: The greatest accepted distance.
        false_accepts: The share of the impostor pairs that are accepted.
        true_accepts: The share of the genuine pairs that are accepted.
        impostor_pairs: The number of impostor pairs.
        genuine_pairs: The number of genuine pairs.
    """

    distances: Array
    false_accepts: Array
    true_accepts: Array
    impostor_pairs: int
    genuine_pairs: int

    @property
    def equal_error_rate(self) -> float:
        """The error rate at which as many strangers are accepted as people are rejected.

        The curve between two points is a straight line.
        """
        wrong = np.r_[0, self.false_accepts]
        rejected = np.r_[1, 1 - self.true_accepts]
        gap = wrong - rejected
        after = int(np.argmax(gap >= 0))
        part = gap[after - 1] / (gap[after - 1] - gap[after])
        return float(wrong[after - 1] + part * (wrong[after] - wrong[after - 1]))

    def accepted_at(self, far: float) -> float:
        """Return the share of genuine pairs accepted where at most `far` of impostors are.

        Args:
            far: The false-accept rate.

        Raises:
            ValueError: If it is not from 0 to 1.
        """
        number(far, "accepted_at: `far`", "[0, 1]")
        return float(np.r_[0, self.true_accepts][(self.false_accepts <= far).sum()])

    def accepted_within(self, distance: float) -> tuple[float, float]:
        """Return the shares of impostor and of genuine pairs that are accepted.

        Args:
            distance: The greatest accepted distance.

        Raises:
            ValueError: If it is not from 0 to 2.
        """
        number(distance, "accepted_within: `distance`", "[0, 2]")
        last = np.searchsorted(self.distances, distance, side="right")
        wrong, right = (
            np.r_[0, each][last] for each in (self.false_accepts, self.true_accepts)
        )
        return float(wrong), float(right)


def verification_curve(embeddings: Any, people: Any) -> VerificationCurve:
    """Return the error rates of verification over all pairs of pictures.

    Embeddings are scaled to unit length first; the distance of two is ‖a − b‖, from 0 to 2. Of
    more than four million pairs the curve has points at multiples of 1/32,768 only; its rates
    there are those of all pairs.

    Shape:
        `embeddings`: ``(N, D)``. `people`: ``(N)``.

    Args:
        embeddings: The embeddings.
        people: The name or the number of the person of each.

    Raises:
        ValueError: If the shapes do not fit, an embedding is zero or not finite, there is only
            one person, or nobody has two embeddings.

    Reference:
        P. J. Phillips et al., "An introduction to evaluating biometric systems", Computer 33
        (2000).

    Example:
        >>> curve = verification_curve([[1, 0], [3, 1], [0, 1], [1, 3]], ["a", "a", "b", "b"])
        >>> curve.equal_error_rate, curve.accepted_at(0.001)
        (0.0, 1.0)
    """
    rows, numbers = sort_by_person("verification_curve", embeddings, people)
    each = np.bincount(numbers)
    pairs = len(rows) * (len(rows) - 1) // 2
    genuine_pairs = int((each * (each - 1) // 2).sum())
    if len(each) < 2 or not genuine_pairs:
        raise ValueError(
            f"verification_curve: needs two people, and two embeddings of one of them, got "
            f"{len(rows)} embeddings of {len(each)} people."
        )
    count = count_exactly if pairs <= MOST_EXACT else count_in_bins
    limits, impostors, genuine = count(rows, numbers)
    impostor_pairs = pairs - genuine_pairs
    return VerificationCurve(
        limits,
        np.cumsum(impostors) / impostor_pairs,
        np.cumsum(genuine) / genuine_pairs,
        impostor_pairs,
        genuine_pairs,
    )


def count_exactly(rows: Array, numbers: Array) -> tuple[Array, Array, Array]:
    """Return the distances that occur, and the impostor and genuine pairs at each."""
    found = [
        pairs for first, block in pair_blocks(rows) for pairs in split(first, block, numbers)
    ]
    impostors, genuine = np.concatenate(found[::2]), np.concatenate(found[1::2])
    limits, places = np.unique(np.concatenate([impostors, genuine]), return_inverse=True)
    return (
        limits.astype(np.float64),
        np.bincount(places[: len(impostors)], minlength=len(limits)),
        np.bincount(places[len(impostors) :], minlength=len(limits)),
    )


def count_in_bins(rows: Array, numbers: Array) -> tuple[Array, Array, Array]:
    """Return the upper ends of bins, and the impostor and genuine pairs in each."""
    limits = np.arange(2 * BINS_PER_UNIT + 1) / BINS_PER_UNIT
    counts = np.zeros((2, len(limits)), np.int64)
    for first, block in pair_blocks(rows):
        for kind, pairs in enumerate(split(first, block, numbers)):
            # Rounding may put opposite embeddings slightly beyond 2.
            places = np.minimum(np.ceil(pairs * BINS_PER_UNIT), 2 * BINS_PER_UNIT)
            counts[kind] += np.bincount(places.astype(np.int32), minlength=len(limits))
    return limits, counts[0], counts[1]


def split(first: int, block: Array, numbers: Array) -> tuple[Array, Array]:
    """Return the distances of impostor and of genuine pairs of a block."""
    pairs = np.isfinite(block)
    same = numbers[first : first + len(block), None] == numbers[first:]
    return block[pairs & ~same], block[pairs & same]
