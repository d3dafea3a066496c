"""Nearest units of rows, by matrix products over blocks of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.classic.base import Floats, Indices

DISTANCES = ("euclid", "cosine", "dot")
# The number of scores held at once: more would leave the cache between product and use.
HELD = 1 << 17


@final
@dataclass(frozen=True)
class Search:
    """Distances of rows to units, with one matrix product per block of rows.

    ``‖x − w‖² = ‖x‖² + (‖w‖² − 2 x·w)``, where only the bracket, the score, depends on the
    unit; its argmin is the best unit. Missing values count neither in ‖x‖ nor in ‖w‖.

    Attributes:
        weights: The units, one per row.
        distance: One of `DISTANCES`: ``‖x − w‖``, ``1 − cos(x, w)``, or ``‖x‖ − x·w``.
        missing: Whether rows may have NaN, which ``"euclid"`` ignores.
    """

    weights: Floats
    distance: str = "euclid"
    missing: bool = False

    @cached_property
    def center(self) -> Floats:
        """The point subtracted from rows and units, so that large offsets do not cancel."""
        if self.distance == "euclid":
            return self.weights.mean(axis=0)
        return np.zeros_like(self.weights[0])

    @cached_property
    def factors(self) -> Floats:
        """The matrix that maps rows from `prepare` to their scores, one unit per column."""
        return factors(self.weights - self.center, self.distance, missing=self.missing)

    def prepare(self, X: Floats) -> Floats:
        """Return the centred rows, followed by the other columns that scores need."""
        return prepare(X, self.center, missing=self.missing)

    def blocks(self, X: Floats) -> Iterator[tuple[slice, Floats, Floats]]:
        """Yield the slice of each block, its prepared rows, and their writable scores."""
        size = block_size(len(self.weights))
        for start in range(0, len(X), size):
            rows = self.prepare(X[start : start + size])
            yield slice(start, start + len(rows)), rows, rows @ self.factors

    def best(self, X: Floats) -> Indices:
        """Return the nearest unit of each row."""
        found = np.empty(len(X), np.intp)
        for part, _, scores in self.blocks(X):
            scores.argmin(axis=1, out=found[part])
        return found

    def two_best(self, X: Floats) -> Indices:
        """Return the nearest and the second nearest unit of each row."""
        found = np.empty((len(X), 2), np.intp)
        for part, _, scores in self.blocks(X):
            first = scores.argmin(axis=1)
            # Exclude the best unit; the next argmin is the second best.
            scores[np.arange(len(first)), first] = np.inf
            found[part] = np.stack([first, scores.argmin(axis=1)], axis=1)
        return found

    def distances(self, X: Floats) -> Floats:
        """Return the distance of each row to each unit."""
        result = np.empty((len(X), len(self.weights)), np.result_type(X, self.weights))
        for part, rows, scores in self.blocks(X):
            result[part] = self.from_scores(rows, scores)
        return result

    def from_scores(self, rows: Floats, scores: Floats) -> Floats:
        """Return distances: scores plus the term that all units of a row share."""
        columns = self.weights.shape[1]
        squares = (rows[:, :columns] ** 2).sum(axis=1, keepdims=True)
        if self.distance == "cosine":
            # 1 − cos(x, w): the score is −x·w / ‖w‖.
            return np.clip(1 + scores / np.sqrt(squares), 0, 2)
        if self.distance == "dot":
            return np.maximum(np.sqrt(squares) + scores, 0)
        # Rounding may make a squared distance slightly negative.
        found = np.maximum(squares + scores, 0)
        if self.missing:
            # Scale the partial squared distance up to all columns, as scikit-learn's
            # nan_euclidean.
            found *= columns / rows[:, columns:].sum(axis=1, keepdims=True)
        return np.sqrt(found, out=found)

    def to_best(self, X: Floats) -> Floats:
        """Return the distance of each row to its nearest unit, without cancellation."""
        result = np.empty(len(X), np.result_type(X, self.weights))
        for part, rows, scores in self.blocks(X):
            best = scores.argmin(axis=1)
            if self.distance == "euclid":
                differences = X[part] - self.weights[best]
                squares = np.nansum(differences**2, axis=1)
                shares = np.isfinite(differences).mean(axis=1) if self.missing else 1
                result[part] = np.sqrt(squares / shares)
            else:
                least = scores[np.arange(len(best)), best]
                result[part] = self.from_scores(rows, least[:, None])[:, 0]
        return result


def block_size(units: int) -> int:
    """Return the number of rows that are compared with all units at once."""
    return max(64, HELD // units)


def prepare(X: Floats, center: Floats, *, missing: bool) -> Floats:
    """Return centred rows with a column of ones, or with a mask of the values present.

    Summed over rows, the further columns are counts, the divisors of means.
    """
    columns = X.shape[1]
    rows = np.empty((len(X), 2 * columns if missing else columns + 1), X.dtype)
    np.subtract(X, center, out=rows[:, :columns])
    rows[:, columns:] = 1
    if missing:
        gone = np.isnan(X)
        rows[:, :columns][gone] = 0
        rows[:, columns:][gone] = 0
    return rows


def factors(weights: Floats, distance: str, *, missing: bool) -> Floats:
    """Return the matrix that maps prepared rows to scores; see `Search`."""
    # A row (x, 1) times the column (−2 w, ‖w‖²) is ‖w‖² − 2 x·w. With missing values, the mask
    # p of a row selects the w² that count: (x, p)·(−2 w, w²).
    squares = weights**2 if missing else (weights**2).sum(axis=1, keepdims=True)
    if distance == "euclid":
        parts = [-2 * weights, squares]
    elif distance == "cosine":
        # A unit of length 0 counts as orthogonal to every row.
        sizes = np.sqrt(squares)
        parts = [-weights / np.where(sizes > 0, sizes, 1), 0 * squares]
    else:
        parts = [-weights, 0 * squares]
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T)
