"""Errors and views of a fitted map, as numbers and arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.checks import flag
from neuropil.classic.competitive.nearest_units import Search
from neuropil.classic.competitive.quantizer import Quantizer
from neuropil.classic.competitive.som.map_measures import (
    clusters_of_units,
    mean_distance_to_neighbours,
    topographic_product,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats
    from neuropil.classic.competitive.som.grid import Grid


class MapViews(Quantizer):
    """Errors and views of units on a grid; arrays have the shape of the grid.

    Attributes:
        weights_: The units, one per row.
        grid_: Their grid.
    """

    grid_: Grid
    distance: str
    allow_missing: bool

    @property
    @override
    def search(self) -> Search:
        """The search for the best units of rows."""
        return Search(self.weights_, self.distance, bool(self.allow_missing))

    @property
    def finite(self) -> bool | str:
        """scikit-learn's `ensure_all_finite`: True, or "allow-nan" if values may be missing."""
        missing = flag(self.allow_missing, f"{type(self).__name__}: `allow_missing`")
        return "allow-nan" if missing else True

    @override
    def rows(self, X: Any) -> Floats:
        return self.check_rows(self.input(X, ensure_all_finite=self.finite))

    @override
    def training_rows(self, X: Any, *, first: bool = True) -> Floats:
        X = self.training_input(X, first=first, ensure_all_finite=self.finite)
        gone = np.isnan(X).all(axis=0)
        if first and gone.any():
            name, column = type(self).__name__, int(gone.argmax())
            raise ValueError(
                f"{name}: all values of column {column} are missing; leave it out."
            )
        return self.check_rows(X)

    def check_rows(self, X: Floats) -> Floats:
        """Return rows unchanged, after checking that their distances are defined.

        Raises:
            ValueError: If a row has no values, or no direction where the distance needs one.
        """
        name, missing = type(self).__name__, bool(self.allow_missing)
        self.check_magnitude(np.nan_to_num(X) if missing else X)
        gone = np.isnan(X).all(axis=1)
        if gone.any():
            row = int(gone.argmax())
            raise ValueError(f"{name}: all values of row {row} are missing; leave it out.")
        if not missing and self.distance == "cosine" and not X.any(axis=1).all():
            row = int((~X.any(axis=1)).argmax())
            raise ValueError(
                f"{name}: row {row} is all zeros and has no direction; leave it out, or use "
                f"distance='euclid'."
            )
        return X

    def topographic_error(self, X: Any) -> float:
        """Return the fraction of rows whose two best units are not neighbours on the grid.

        On a rectangular grid a unit has eight neighbours, on a honeycomb six. The error of a
        map with one unit is 0.

        Args:
            X: Rows of features.

        Reference:
            K. Kiviluoto, "Topology preservation in self-organizing maps", ICNN 1996.
        """
        X = self.rows(X)
        if self.grid_.units == 1:
            return 0.0
        first, second = self.search.two_best(X).T
        return float(1 - self.grid_.adjacent(first, second).mean())

    def topographic_product(self) -> float:
        """Return a measure of whether the grid has the right number of axes: 0 if it has.

        It is the mean of ``log P₃(j, k)``, where P₃ compares the distances from unit j to its k
        nearest units on the grid with those to its k nearest units in the data, and vice versa.
        Below 0 the grid has too few axes and is folded; above 0 it has too many.

        Raises:
            ValueError: If there is only one unit, or two units have the same weights.

        Reference:
            H.-U. Bauer and K. R. Pawelzik, "Quantifying the neighborhood preservation of
            self-organizing feature maps", IEEE Transactions on Neural Networks 3 (1992).
        """
        check_is_fitted(self)
        return topographic_product(self.weights_.astype(np.float64), self.grid_, self.distance)

    def u_matrix(self) -> Floats:
        """Return each unit's mean distance to its neighbours: low in clusters, high between.

        Distances are those of the map: with ``"cosine"`` and ``"dot"``, 1 − cos.

        Reference:
            A. Ultsch and H. P. Siemon, "Kohonen's self organizing feature maps for exploratory
            data analysis", INNC 1990.
        """
        check_is_fitted(self)
        found = mean_distance_to_neighbours(self.weights_, self.grid_, self.distance)
        return found.reshape(self.grid_.sides)

    def hit_map(self, X: Any) -> NDArray[np.intp]:
        """Return the number of rows for which each unit is the best.

        Args:
            X: Rows of features.
        """
        X = self.rows(X)
        hits = np.bincount(self.search.best(X), minlength=self.grid_.units)
        return hits.reshape(self.grid_.sides)

    def component_planes(self) -> Floats:
        """Return each feature's value in all units: ``(features, *grid)``."""
        check_is_fitted(self)
        return self.weights_.T.reshape(-1, *self.grid_.sides)

    def cluster_map(self, n_clusters: int) -> NDArray[np.intp]:
        """Return a cluster for each unit: regions of the map, by Ward's method.

        Units, not rows, are clustered, and only neighbours are merged. With ``"cosine"`` and
        ``"dot"``, only the directions of units count.

        Args:
            n_clusters: The number of regions.

        Raises:
            ValueError: If it is below 1 or above the number of units.

        Reference:
            J. Vesanto and E. Alhoniemi, "Clustering of the self-organizing map", IEEE
            Transactions on Neural Networks 11 (2000).
        """
        check_is_fitted(self)
        units = self.grid_.units
        if not 1 <= n_clusters <= units:
            raise ValueError(
                f"cluster_map: n_clusters must be from 1 to the number of units, {units}, "
                f"got {n_clusters}."
            )
        found = clusters_of_units(self.weights_, self.grid_, n_clusters, self.distance)
        return found.reshape(self.grid_.sides)
