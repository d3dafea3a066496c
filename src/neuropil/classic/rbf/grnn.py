"""The general regression neural network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.classic.fitted_state import FLAG, array
from neuropil.classic.rbf.leave_one_out import Search, left_out, squared_error
from neuropil.classic.rbf.windows import WindowNetwork

Floats = NDArray[np.floating[Any]]


@dataclass(eq=False, repr=False)
class GRNN(MultiOutputMixin, RegressorMixin, WindowNetwork):
    """General regression neural network: the mean of all targets, weighted by nearness.

    ``ŷ(x) = Σᵢ wᵢ yᵢ / Σᵢ wᵢ`` with ``wᵢ = exp(−‖x − xᵢ‖² / 2σ²)``, or
    ``exp(−Σⱼ (xⱼ − xᵢⱼ)² / 2σⱼ²)`` with one width per feature. Far from all data the result
    is the target of the nearest row.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``, or
        ``(n_samples, n_outputs)``.

    Args:
        sigma: Width of the windows: a positive number, or one per feature. Or a rule to choose
            widths that best predict each row from all others: ``"feature"``, one width per
            feature, which ignores irrelevant features and needs no scaling of columns, or
            ``"shared"``, a single width.

    Attributes:
        sigma_: Width of the windows, one or one per feature.
        feature_sigma_: σ, the divisor of the columns.
        center_: Mean of each column, which is subtracted.
        windows_: The centred and scaled rows, ``(n_samples, n_features + 1)``; the last column
            is −½ of their squared length.
        targets_: Their targets, ``(n_outputs, n_samples)``.
        one_output_: Whether the targets were a single column, ``(n_samples)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If a width is not positive, or their number is not that of the features.

    Reference:
        Specht, "A General Regression Neural Network", 1991. The widths are found by L-BFGS on
        the leave-one-out squared error, over at most 2 million pairs of rows.

    Example:
        >>> network = GRNN(sigma=0.1).fit([[0.0], [1.0]], [3.0, 5.0])
        >>> network.predict([[0.0], [0.5], [1e9]])
        array([3., 4., 5.])
    """

    sigma: str | ArrayLike = "feature"

    learnt: ClassVar[dict[str, Any]] = {
        "sigma_": array("float", "", "features"),
        "feature_sigma_": array("float", "", "features"),
        "center_": array("float", "features"),
        "windows_": array("float", "rows coordinates"),
        "targets_": array("float", "outputs rows"),
        "one_output_": FLAG,
    }

    def fit(self, X: Any, y: Any) -> Self:
        """Store the rows, and choose the widths unless they are given.

        Args:
            X: Rows of examples.
            y: Targets, one number or one row of them per example.
        """
        X, y = self.training_input(X, y, order="C", multi_output=True, y_numeric=True)
        self.check_magnitude(X)
        outputs = y.reshape(len(X), -1).astype(float)
        if isinstance(self.sigma, str):
            # Standardised outputs, so that each counts alike in the error.
            scale = outputs.std(axis=0)
            scale[scale == 0] = 1.0
            rule = squared_error((outputs - outputs.mean(axis=0)) / scale)
            sigma = Search(X, rule, left_out(len(X)), self.sigma).best()
        else:
            sigma = self.fixed_sigma(X.shape[1])
        self.sigma_ = np.asarray(sigma, X.dtype)
        self.place(X, self.sigma_)
        self.one_output_ = y.ndim == 1
        self.targets_ = np.ascontiguousarray(outputs.T, X.dtype)
        return self

    def predict(self, X: Any) -> Floats:
        """Return the mean of the targets, weighted by the windows."""
        Q = self.scale(self.input(X, order="C"))
        everything = np.array([0, len(self.windows_)])
        # One "class" that holds all rows.
        _, sums = self.window_sums(Q, self.targets_, everything, np.ones(1))
        # Specht's eq. for ŷ: the common factor e^peak of both sums cancels.
        means = sums[:, 0, 1:] / sums[:, 0, :1]
        return means[:, 0] if self.one_output_ else means

    @override
    def check_options(self) -> None:
        if isinstance(self.sigma, str):
            one_of(self.sigma, "GRNN: `sigma`", ("feature", "shared"))
        else:
            self.fixed_sigma(None)

    @override
    def consistent(self) -> bool:
        return super().consistent() and (not self.one_output_ or len(self.targets_) == 1)
