"""What is read off a fitted map: its errors, and its pictures as arrays."""

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
        weights_: The units, one a row.
        grid_: Where they stand.
    """

    grid_: Grid
    distance: str
    allow_missing: bool

    @property
    @override
    def search(self) -> Search:
        """Finds the best units of rows."""
        return Search(self.weights_, self.distance, bool(self.allow_missing))

    @property
    def finite(self) -> bool | str:
        """What scikit-learn is to ask of values: to be finite, or finite or NaN."""
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
            raise ValueError(f"{name}: column {column} holds no value; leave it out.")
        return self.check_rows(X)

    def check_rows(self, X: Floats) -> Floats:
        """Return rows as they are, each of which has values and, where it counts, a direction.

        Raises:
            ValueError: When one has not.
        """
        name, missing = type(self).__name__, bool(self.allow_missing)
        self.squarable(np.nan_to_num(X) if missing else X)
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
        """Return the share of rows whose two best units are no neighbours on the grid.

        On squares a unit has eight neighbours, on a honeycomb six. A map of one unit makes no
        error.

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
        """Return whether the grid has as many axes as the data need: 0 when it fits.

        The mean of ``log P₃(j, k)``, where P₃ compares the distances from unit j to the k units
        next to it on the grid with those to the k units next to it in the data, and the other
        way round. Below 0 the grid has too few axes and is folded, above 0 too many.

        Raises:
            ValueError: When there are no two units, or two stand on the same spot.

        Reference:
            H.-U. Bauer and K. R. Pawelzik, "Quantifying the neighborhood preservation of
            self-organizing feature maps", IEEE Transactions on Neural Networks 3 (1992).
        """
        check_is_fitted(self)
        return topographic_product(self.weights_.astype(np.float64), self.grid_, self.distance)

    def u_matrix(self) -> Floats:
        """Return how far each unit is from its neighbours: low in clusters, high between.

        Distances are the map's own: with ``"cosine"`` and ``"dot"``, 1 − cos.

        Reference:
            A. Ultsch and H. P. Siemon, "Kohonen's self organizing feature maps for exploratory
            data analysis", INNC 1990.
        """
        check_is_fitted(self)
        found = mean_distance_to_neighbours(self.weights_, self.grid_, self.distance)
        return found.reshape(self.grid_.sides)

    def hit_map(self, X: Any) -> NDArray[np.intp]:
        """Return for how many rows each unit is the best.

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
        """Return a cluster for each unit: regions of the map, joined as Ward would.

        Units, not rows, are clustered, and only neighbours are joined. With ``"cosine"`` and
        ``"dot"``, units count by their directions alone.

        Args:
            n_clusters: How many regions.

        Raises:
            ValueError: When there are not as many units.

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
