"""Initialisation of a map's units: on the leading principal components, or on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neuropil.classic.base import Floats
    from neuropil.classic.competitive.som.grid import Grid

# Up to this number of columns their covariance is decomposed, which is exact and faster.
COLUMNS = 512


def span_components(X: Floats, grid: Grid, rng: np.random.RandomState) -> Floats:
    """Return units spread evenly over the leading principal components, one per axis.

    The longest axis of the grid lies along the first component, from one standard deviation
    below the mean to one above. A direction without variance adds nothing: columns that are
    constant stay so.

    Args:
        X: Rows without missing values.
        grid: The grid of the units.
        rng: Generator of the randomised SVD of very wide rows.
    """
    centered = X - X.mean(axis=0)
    spans = leading_components(centered, min(len(grid.sides), *X.shape), rng)
    places = np.indices(grid.sides).reshape(len(grid.sides), -1).T
    middle = (np.array(grid.sides) - 1) / 2
    # Grid positions scaled to −1 … 1 along each axis; 0 on an axis with one unit.
    along = (places - middle) / np.maximum(middle, 0.5)
    longest = sorted(range(len(grid.sides)), key=lambda axis: -grid.sides[axis])
    return X.mean(axis=0) + along[:, longest[: len(spans)]] @ spans


def leading_components(centered: Floats, count: int, rng: np.random.RandomState) -> Floats:
    """Return the first principal components, scaled by the standard deviation along each."""
    if centered.shape[1] <= COLUMNS:
        covariance = centered.T @ centered / len(centered)
        variances, vectors = np.linalg.eigh(covariance.astype(np.float64))
        deviations = np.sqrt(np.maximum(variances[::-1][:count], 0))
        directions = vectors.T[::-1][:count]
    else:
        from sklearn.utils.extmath import randomized_svd

        _, sizes, directions = randomized_svd(centered, count, random_state=rng)
        deviations = sizes / np.sqrt(len(centered))
    # The sign of a component is arbitrary: make its largest entry positive, for the same result
    # on all platforms.
    largest = np.abs(directions).argmax(axis=1)
    signs = np.where(directions[np.arange(count), largest] < 0, -1, 1)
    return directions * (signs * deviations)[:, None]


def draw_rows(X: Floats, units: int, rng: np.random.RandomState) -> Floats:
    """Return rows drawn at random, without repetition if there are enough."""
    return X[rng.choice(len(X), units, replace=len(X) < units)]


def fill_missing(X: Floats) -> Floats:
    """Return rows with missing values replaced by the means of their columns."""
    return np.where(np.isnan(X), np.nanmean(X, axis=0), X)
