"""A linear model of features, stored as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Readout:
    """A linear model of features: ``z = W (x − mean) / scale + intercept``.

    For classes, z are scores and their softmax gives the probabilities; a single score is that
    of the second of two classes.

    Attributes:
        mean: Mean of each feature.
        scale: Standard deviation of each feature; 1 for a constant feature.
        weights: W, one row per output.
        intercept: One number per output.
        classes_: The classes; None for values.
    """

    mean: Values
    scale: Values
    weights: Values
    intercept: Values
    classes_: NDArray[Any] | None

    @classmethod
    def fit(cls, model: Any, features: Values, y: NDArray[Any]) -> Readout:
        """Fit a linear model of scikit-learn and return its parameters.

        Args:
            model: The model; it is fitted in place.
            features: One row per example.
            y: The class or the values of each example.
        """
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(features)
        model.fit(scaler.transform(features), y)
        return cls(
            np.asarray(scaler.mean_, np.float64),
            np.asarray(scaler.scale_, np.float64),
            np.atleast_2d(np.asarray(model.coef_, np.float64)),
            np.atleast_1d(np.asarray(model.intercept_, np.float64)),
            getattr(model, "classes_", None),
        )

    def predict(self, features: Values) -> Values:
        """Return z for each row."""
        return (features - self.mean) / self.scale @ self.weights.T + self.intercept

    def predict_proba(self, features: Values) -> Values:
        """Return the class probabilities of each row."""
        scores = self.predict(features)
        if scores.shape[1] > 1:
            return softmax(scores, axis=1)
        second = expit(scores)
        return np.hstack([1 - second, second])
