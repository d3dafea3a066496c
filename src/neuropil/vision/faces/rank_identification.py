"""Rank-1 identification: how often the nearest enrolled picture is of the right person."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuropil.vision.faces.pair_distances import (
    MOST_AT_ONCE,
    distances_between,
    sort_by_person,
)

Array = np.ndarray[Any, Any]


def rank1_identification(embeddings: Any, people: Any) -> float:
    """Return the share of pictures identified correctly from one picture of each person.

    One picture of each person is enrolled, and every other picture is given the person of the
    nearest enrolled one. The share is the exact mean over all choices of the enrolled
    pictures: with d the distance of a picture to the enrolled one of its own person, it is
    right with the probability Π_j s_j(d), where s_j is the share of the pictures of person j
    that are farther away than d. A tie is wrong. People with one picture are enrolled only.

    Shape:
        `embeddings`: ``(N, D)``. `people`: ``(N)``.

    Args:
        embeddings: The embeddings, which are scaled to unit length.
        people: The name or the number of the person of each.

    Raises:
        ValueError: If the shapes do not fit, an embedding is zero or not finite, there is only
            one person, or nobody has two embeddings.

    Reference:
        P. J. Phillips et al., "The FERET evaluation methodology for face-recognition
        algorithms", IEEE Transactions on Pattern Analysis and Machine Intelligence 22 (2000).

    Example:
        >>> embeddings = [[1, 0], [3, 1], [1, 1.1], [0, 1]]
        >>> rank1_identification(embeddings, ["a", "a", "b", "b"])
        0.875
    """
    rows, numbers = sort_by_person("rank1_identification", embeddings, people)
    each = np.bincount(numbers)
    if len(each) < 2 or each.max() < 2:
        raise ValueError(
            f"rank1_identification: needs two people, and two embeddings of one of them, got "
            f"{len(rows)} embeddings of {len(each)} people."
        )
    step = max(1, MOST_AT_ONCE // len(rows))
    total = sum(
        right_answers(rows, numbers, each, first, first + step)
        for first in range(0, len(rows), step)
    )
    return float(total / each[each > 1].sum())


def right_answers(rows: Array, numbers: Array, each: Array, first: int, last: int) -> float:
    """Return the expected number of right answers for some of the pictures.

    Args:
        rows: The embeddings, sorted by person.
        numbers: The person of each.
        each: The number of pictures of each person.
        first: The first picture to identify.
        last: The end of these pictures.
    """
    distances = distances_between(rows[first:last], rows)
    same = numbers[first:last, None] == numbers
    nearest = np.where(same, np.inf, distances).min(axis=1)
    same[np.arange(len(same)), np.arange(first, first + len(same))] = False
    queries, enrolled = np.nonzero(same)
    own = distances[queries, enrolled]
    person = numbers[enrolled]
    right = (own < nearest[queries]).astype(float)
    open_ = np.flatnonzero(right == 0)
    step = max(1, MOST_AT_ONCE // len(rows))
    for start in range(0, len(open_), step):
        some = open_[start : start + step]
        right[some] = chance_to_be_nearest(
            distances[queries[some]], own[some], person[some], each
        )
    return float((right / (each[person] - 1)).sum())


def chance_to_be_nearest(distances: Array, own: Array, people: Array, each: Array) -> Array:
    """Return the probability that no enrolled picture of another person is as near.

    Args:
        distances: The distances to all pictures, a row for each query.
        own: The distance to the enrolled picture of the own person.
        people: The person of each query.
        each: The number of pictures of each person, in the order of the columns.
    """
    starts = np.cumsum(each) - each
    nearer = np.add.reduceat(distances <= own[:, None], starts, axis=1, dtype=np.int32)
    farther = 1 - nearer / each
    farther[np.arange(len(people)), people] = 1
    return farther.prod(axis=1)
