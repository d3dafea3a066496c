"""Base class of the networks that represent each row by its nearest unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.competitive.nearest_units import Search
from neuropil.classic.feature_transformer import FeatureTransformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats


class Quantizer(FeatureTransformer):
    """A vector quantiser: it represents each row by its nearest unit.

    Attributes:
        weights_: The units, one per row.
    """

    weights_: Floats

    @property
    def search(self) -> Search:
        """The search for the nearest units of rows."""
        return Search(self.weights_)

    def rows(self, X: Any) -> Floats:
        """Return checked rows for a fitted model.

        Args:
            X: Rows of features.

        Raises:
            ValueError: If the distances of a row are not defined.
        """
        return self.check_magnitude(self.input(X))

    def training_rows(self, X: Any, *, first: bool = True) -> Floats:
        """Return checked rows to learn from.

        Args:
            X: Rows of features.
            first: Whether their columns are new.

        Raises:
            ValueError: If the distances of a row are not defined.
        """
        return self.check_magnitude(self.training_input(X, first=first))

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return the index of each row's best unit.

        Args:
            X: Rows of features.
        """
        X = self.rows(X)
        return self.search.best(X)

    def transform(self, X: Any) -> Floats:
        """Return the distances of rows to all units.

        Args:
            X: Rows of features.
        """
        X = self.rows(X)
        return self.search.distances(X)

    def quantization_error(self, X: Any) -> float:
        """Return the mean distance of a row to its best unit.

        Args:
            X: Rows of features.
        """
        X = self.rows(X)
        # Computed from differences, since scores cancel for rows close to their unit.
        return float(self.search.to_best(X).mean(dtype=np.float64))

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn's signature
        """Return minus the quantisation error, so that greater is better.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        return -self.quantization_error(X)

    @property
    def _n_features_out(self) -> int:
        return len(self.search.weights)
