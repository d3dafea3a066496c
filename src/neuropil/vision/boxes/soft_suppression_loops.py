"""Compiled soft non-max suppression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.vision.boxes.suppression_loops import loop, overlap

if TYPE_CHECKING:
    from neuropil.vision.boxes.suppression_loops import Floats, Integers


@loop
def soften(
    places: Floats,
    classes: Integers,
    scores: Floats,
    least: Any,
    limit: Any,
    one: Any,
    sigma: Any,
) -> tuple[Integers, Floats]:
    """Return the rows that remain, best first, and their lowered scores.

    Args:
        places: Corners and area of the boxes, (boxes, 5).
        classes: Their classes.
        scores: Their scores, changed in place.
        least: Score below which a box is dropped.
        limit: IoU from which the linear form lowers a score.
        one: 1 in the dtype of the scores, so that all is computed in it.
        sigma: Width of the Gaussian form; 0 for the linear one.
    """
    left = np.flatnonzero(scores >= least)
    rows, lowered = np.empty(len(left), np.int64), np.empty(len(left), scores.dtype)
    found = 0
    while len(left):
        best = highest(left, scores)
        rows[found], lowered[found] = best, scores[best]
        found += 1
        x1, y1, x2, y2, area = places[best]
        box = x1, y1, x2, y2, area
        n = 0
        for row in left:
            if classes[row] == classes[best]:
                scores[row] *= weight(overlap(box, places, row), limit, one, sigma)
            left[n] = row
            n += row != best and scores[row] >= least
        left = left[:n]
    return rows[:found], lowered[:found]


@loop
def highest(rows: Integers, scores: Floats) -> Any:
    """Return the first row of those with the highest score."""
    best = rows[0]
    for row in rows:
        if scores[row] > scores[best]:
            best = row
    return best


@loop
def weight(shared: Any, limit: Any, one: Any, sigma: Any) -> Any:
    """Return the factor of a score, by the IoU with a better box."""
    if sigma > 0:
        return np.exp(-(shared * shared) / sigma)
    return one - shared if shared >= limit else one
