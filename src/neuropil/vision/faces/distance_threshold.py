"""The greatest distance at which two pictures are taken for the same person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuropil.checks import number, whole
from neuropil.vision.faces.false_accepts import closest_strangers, gamma_interval
from neuropil.vision.faces.pair_distances import sort_by_person

# Other processors round the same distance differently by a few of the last of 24 bits.
JUST_BELOW = 1 - 2.0**-20


@dataclass(frozen=True)
class Threshold:
    """A greatest accepted distance, and the false-accept rate that it promises.

    Attributes:
        distance: Pictures are accepted up to this distance of embeddings of unit length.
        far: The wanted false-accept rate.
        seen: The rate of the people seen at this distance.
        low: The lower end of the interval of the true rate.
        high: Its upper end.
        level: The share of such intervals that hold the true rate.
        people: The number of people seen.
        enrolled: The number of enrolled people among whom a stranger is looked for.
    """

    distance: float
    far: float
    seen: float
    low: float
    high: float
    level: float
    people: int
    enrolled: int


def fit_threshold(
    embeddings: Any, people: Any, *, far: float = 0.01, level: float = 0.95, enrolled: int = 1
) -> Threshold:
    """Return the distance up to which strangers are accepted at most at a wanted rate.

    The rate is the probability that a picture of one person is accepted as another person, of
    whom one picture is enrolled, where neither was seen before. All people count alike. A
    distance at which the people *seen* have the rate `far` fits their chance, and accepts more
    of other people. So the distance is the greatest with θ + max(V/θ, u) ≤ far, where θ is the
    rate of the people seen, V its variance over people, and u that of one pair of people: the
    rate to expect of other people. The promise is one on average: of some samples of people
    the true rate is greater than `far`.

    The interval says how far off it may be. It resamples people, not pairs, since the pairs of
    a person depend on each other: V is the jackknife's, which leaves out each person in turn.
    The ends are quantiles of gamma distributions; the upper end counts one more pair of people,
    and one more person like the one who is accepted most. To be safe with the few people
    seen, choose a `far` with a `high` that is small enough.

    With `enrolled` people, a stranger has as many chances; the rate is that of being accepted
    as any of them. Where the nearest of several pictures of a person counts, each picture is a
    chance: count pictures instead, which is safe. For more than the people seen, ``far / K``
    with `enrolled` = 1 is safe for K chances.

    Shape:
        `embeddings`: ``(N, D)``. `people`: ``(N)``.

    Args:
        embeddings: The embeddings, which are scaled to unit length.
        people: The name or the number of the person of each.
        far: The wanted false-accept rate.
        level: The share of such intervals that hold the true rate.
        enrolled: The number of enrolled people among whom a stranger is looked for.

    Raises:
        ValueError: If an option is out of range, the embeddings are not usable, there are too
            few people to show the rate, or the pictures of strangers are alike.

    Reference:
        J. N. Arvesen, "Jackknifing U-statistics", Annals of Mathematical Statistics 40 (1969);
        G. Doddington et al., "Sheep, goats, lambs and wolves", ICSLP (1998).

    Example:
        >>> random = np.random.default_rng(0)
        >>> people = np.arange(40).repeat(5)
        >>> embeddings = random.normal(size=(40, 16))[people]
        >>> embeddings += random.normal(0, 0.5, (200, 16))
        >>> found = fit_threshold(embeddings, people, far=0.01)
        >>> found.low < found.seen < found.far < found.high
        True
        >>> fit_threshold(embeddings, people, far=0.001)
        Traceback (most recent call last):
        ValueError: fit_threshold: 40 people cannot show a false-accept rate of 0.001. The \
smallest that they can is 0.00128; for 0.001, 46 people are needed.
    """
    far = number(far, "fit_threshold: `far`", "(0, 0.5]")
    level = number(level, "fit_threshold: `level`", "(0, 1)")
    enrolled = whole(enrolled, "fit_threshold: `enrolled`")
    rows, numbers = sort_by_person("fit_threshold", embeddings, people)
    count = int(numbers[-1]) + 1
    check_people(count, far, enrolled)
    pair = smallest_false_accept_rate(count, enrolled)
    strangers = closest_strangers(rows, numbers, far, enrolled)
    distances = strangers.distances
    rates, variances = strangers.rates()
    more = np.divide(variances, rates, out=np.zeros_like(rates), where=rates > 0)
    complete = np.append(np.diff(distances) > 0, True)
    refused = distances[np.argmax(complete & (rates + np.maximum(more, pair) > far))]
    if not refused:
        raise ValueError(
            f"fit_threshold: no distance keeps a false-accept rate of {far:.3g}: too many "
            "embeddings of different people are equal."
        )
    accepted = int(np.searchsorted(distances, refused))
    last, seen, variance = 0.0, 0.0, 0.0
    if accepted:
        last, seen, variance = (float(a[accepted - 1]) for a in (distances, rates, variances))
    unseen = pair + strangers.largest_part(accepted)
    low, high = gamma_interval(seen, variance, unseen, level)
    distance = max(last, float(refused) * JUST_BELOW)
    return Threshold(distance, far, seen, low, min(high, 1.0), level, count, enrolled)


def smallest_false_accept_rate(people: int, enrolled: int = 1) -> float:
    """Return the smallest false-accept rate that can be shown: one pair of people accepted.

    Of n people and K enrolled ones it is 2K / (n(n − 1)).

    Args:
        people: The number of people seen.
        enrolled: The number of enrolled people among whom a stranger is looked for.

    Raises:
        ValueError: If the numbers are not whole, or there are too few people for the others.

    Example:
        >>> smallest_false_accept_rate(46)
        0.000966183574879227
    """
    whole(enrolled, "smallest_false_accept_rate: `enrolled`")
    whole(people, "smallest_false_accept_rate: `people`", minimum=enrolled + 2)
    return 2 * enrolled / (people * (people - 1))


def check_people(people: int, far: float, enrolled: int) -> None:
    """Raise an error if too few people were seen for a rate.

    Raises:
        ValueError: With the smallest rate, or the number of people needed.
    """
    needed = max(enrolled + 2, math.ceil(0.5 + math.sqrt(0.25 + 2 * enrolled / far)))
    among = f" among {enrolled:,} enrolled people" if enrolled > 1 else ""
    if people < enrolled + 2:
        raise ValueError(
            f"fit_threshold: {people:,} people cannot show a false-accept rate{among}; for "
            f"{far:.3g}, {needed:,} are needed."
        )
    smallest = smallest_false_accept_rate(people, enrolled)
    if far < smallest:
        raise ValueError(
            f"fit_threshold: {people:,} people cannot show a false-accept rate of {far:.3g}"
            f"{among}. The smallest that they can is {smallest:.3g}; for {far:.3g}, "
            f"{needed:,} people are needed."
        )
