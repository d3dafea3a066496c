"""Strangers accepted at every distance, and how that varies with the people who are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaincinv, gammaln

from neuropil.vision.faces.pair_distances import pair_blocks

Array = np.ndarray[Any, Any]

# The first pass over the pairs finds the distance to look up to with this precision.
BINS_PER_UNIT = 2**12
# The variance of equal people is not quite 0, relative to the square of the rate.
SMALLEST_VARIANCE = 1e-9


@dataclass(frozen=True)
class FalseAccepts:
    """The closest pairs of pictures of different people, in the order of their distance.

    Each pair occurs twice, as either picture may be the enrolled one.

    Shape:
        `distances`, `weights`: ``(C)``. `people`: ``(C, 2)``.

    Attributes:
        distances: The distance of each pair.
        weights: What accepting the pair adds to the false-accept rate.
        people: The numbers of its two people.
        count: The number of all people.
    """

    distances: Array
    weights: Array
    people: Array
    count: int

    def rates(self) -> tuple[Array, Array]:
        """Return the false-accept rate up to each pair, and its variance over people.

        With I_k the part of the rate θ in which person k is one of the two, and Ī their mean,
        the variance is n(n − 1)/(n − 2)² Σ_k (I_k − Ī)². This is the jackknife, which leaves
        out each person in turn; pairs of one person are not taken for independent. With more
        people enrolled it is close to it: an accepted picture counts for the nearest of them.
        """
        count, rate = self.count, np.cumsum(self.weights)
        weights = np.repeat(self.weights, 2)
        before = sum_by_group(weights, self.people.ravel()) - weights
        squares = np.cumsum((weights * (2 * before + weights)).reshape(-1, 2).sum(axis=1))
        centred = np.maximum(squares - (2 * rate) ** 2 / count, 0)
        return rate, count * (count - 1) / (count - 2) ** 2 * centred

    def largest_part(self, accepted: int) -> float:
        """Return the greatest I_k if the first `accepted` pairs are accepted; 0 if none are."""
        weights, people = self.weights[:accepted], self.people[:accepted]
        return float(np.bincount(people.ravel(), np.repeat(weights, 2), 1).max())


def closest_strangers(rows: Array, numbers: Array, rate: float, enrolled: int) -> FalseAccepts:
    """Return the pairs of different people that are accepted up to a false-accept rate.

    All people count alike, however many pictures each has. With more people enrolled, a picture
    is accepted when one of them is near enough: with A people near enough (of whom only a part
    of the pictures may be), by K of the n − 1 others with the probability
    1 − C(n − 1 − A, K) / C(n − 1, K).

    Args:
        rows: The embeddings, sorted by person.
        numbers: The person of each.
        rate: The rate for one enrolled person at which to stop, or a little later.
        enrolled: The number of enrolled people, K.
    """
    each = np.bincount(numbers)
    first, second, distances = pairs_within(rows, numbers, distance_at(rows, numbers, rate))
    order = np.argsort(distances, kind="stable").repeat(2)
    pairs = np.stack([first[order], second[order]], axis=1)
    pairs[1::2] = pairs[1::2, ::-1]
    people = numbers[pairs]
    part = 1 / each[people[:, 1]]
    near = sum_by_group(part, pairs[:, 0])
    gained = any_accepts(near, len(each), enrolled) - any_accepts(
        near - part, len(each), enrolled
    )
    weights = np.maximum(gained, 0) / (len(each) * each[people[:, 0]])
    return FalseAccepts(distances[order].astype(np.float64), weights, people, len(each))


def any_accepts(near: Array, people: int, enrolled: int) -> Array:
    """Return the probability that one of the enrolled people is among those near enough.

    Args:
        near: The number of people near enough.
        people: The number of people, with the one who asks.
        enrolled: The number of people drawn from the others.
    """
    others = people - np.maximum(near, 0)
    left = np.maximum(others - enrolled, 0)
    nobody = gammaln(others) - gammaln(left) - gammaln(people) + gammaln(people - enrolled)
    return 1 - np.exp(nobody)


def distance_at(rows: Array, numbers: Array, rate: float) -> float:
    """Return a distance within which at least this share of strangers is, and few more.

    Args:
        rows: The embeddings.
        numbers: The person of each.
        rate: The share of the pairs of people, by their pictures.
    """
    each = np.bincount(numbers)
    weights = 1 / each[numbers]
    held = np.zeros(2 * BINS_PER_UNIT + 1)
    for start, block in pair_blocks(rows):
        impostors = is_impostor(block, start, numbers)
        both = weights[start : start + len(block), None] * weights[start:]
        places = np.minimum(np.ceil(block[impostors] * BINS_PER_UNIT), len(held) - 1)
        held += np.bincount(places.astype(np.int32), both[impostors], len(held))
    share = np.cumsum(held) / (len(each) * (len(each) - 1) / 2)
    # Sums of the same weights in another order are rounded differently.
    return float(np.searchsorted(share, rate * (1 + 1e-9))) / BINS_PER_UNIT


def pairs_within(rows: Array, numbers: Array, limit: float) -> tuple[Array, Array, Array]:
    """Return both rows and the distance of each impostor pair up to a distance."""
    found = []
    for start, block in pair_blocks(rows):
        one, other = np.nonzero(is_impostor(block, start, numbers) & (block <= limit))
        rows_of = (one + start).astype(np.int32), (other + start).astype(np.int32)
        found.append((*rows_of, block[one, other]))
    first, second, distances = map(np.concatenate, zip(*found, strict=True))
    return first, second, distances


def is_impostor(block: Array, start: int, numbers: Array) -> Array:
    """Tell which entries of a block of pairs are of different people."""
    return np.isfinite(block) & (numbers[start : start + len(block), None] != numbers[start:])


def sum_by_group(values: Array, groups: Array) -> Array:
    """Return the sum of the values of its group up to each value, that one included."""
    order = np.argsort(groups, kind="stable")
    sums = np.cumsum(values[order])
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(order)))
    sums -= np.repeat(sums[starts] - values[order][starts], lengths)
    found = np.empty_like(sums)
    found[order] = sums
    return found


def gamma_interval(
    rate: float, variance: float, unseen: float, level: float
) -> tuple[float, float]:
    """Return the interval of a rate that is a sum of few rare events of unequal size.

    The lower end is a quantile of the gamma distribution with the mean θ and the variance V;
    the upper end is one of that with θ + w and V + w², where w is an event that was not seen.
    Of equal and independent events these are the ends of the exact interval of a Poisson mean.

    Args:
        rate: The rate that was seen, θ.
        variance: Its variance, V.
        unseen: The size of an event that was not seen, w.
        level: The share of such intervals that hold the true rate.

    Reference:
        M. P. Fay and E. J. Feuer, "Confidence intervals for directly standardized rates: a
        method based on the gamma distribution", Statistics in Medicine 16 (1997).

    Example:
        >>> low, high = gamma_interval(3.0, 3.0, 1.0, 0.95)  # three events
        >>> round(low, 2), round(high, 2)
        (0.62, 8.77)
    """
    tail = 0.5 - level / 2
    spread = max(variance, SMALLEST_VARIANCE * rate**2)
    low = gammaincinv(rate**2 / spread, tail) * spread / rate if rate else 0.0
    middle, spread = rate + unseen, spread + unseen**2
    return float(low), float(gammaincinv(middle**2 / spread, 1 - tail) * spread / middle)
