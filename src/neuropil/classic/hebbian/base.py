"""Base class of the instar and Hebb's rule: units with a binary response."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils.validation import check_array, column_or_1d
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.base import ClassicNetwork, Floats
from neuropil.classic.fitted_state import FLAG, array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.utils import Tags

    from neuropil.checks import Rules


class Association(MultiOutputMixin, ClassicNetwork):
    """Units that learn when to respond: ``a = 1 where w·x + bias > 0, else 0``.

    A subclass has the options `lr`, `bias` and `n_epochs`, and defines an epoch in `gains`.
    """

    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "features units"),
        "one_output_": FLAG,
    }
    rules: ClassVar[Rules] = ClassicNetwork.rules | {"bias": interval("(-1e300, 1e300)")}
    weights_: Floats
    n_epochs: int
    one_output_: bool

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from all rows, in their order, for `n_epochs` passes.

        Args:
            X: Rows of inputs.
            y: The signal to the units with each row: one column, or one column per unit.
        """
        rows, signals = self.pairs(X, y, first=True)
        return self.learn(rows, signals, self.n_epochs)

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from rows once, continuing from the learnt weights.

        Args:
            X: Rows of inputs.
            y: The signal to the units with each row.
        """
        rows, signals = self.pairs(X, y, first=not self.fitted)
        return self.learn(rows, signals, 1, self.weights_ if self.fitted else None)

    @override
    def consistent(self) -> bool:
        return not self.one_output_ or self.weights_.shape[1] == 1

    def pairs(self, X: ArrayLike, y: ArrayLike, *, first: bool) -> tuple[Floats, Floats]:
        """Return checked inputs, and signals with a column for each unit.

        Args:
            X: Rows of inputs.
            y: Signals.
            first: Whether the columns are new.

        Raises:
            ValueError: If the number of units has changed, or a value is invalid.
        """
        rows, given = self.training_input(X, y, first=first, multi_output=True, y_numeric=True)
        self.check_magnitude(rows)
        signals = np.asarray(given).reshape(len(rows), -1).astype(np.float64)
        if first:
            self.one_output_ = np.ndim(given) == 1
        elif signals.shape[1] != self.weights_.shape[1]:
            raise ValueError(
                f"{type(self).__name__}: y needs {self.weights_.shape[1]} columns, as before, "
                f"got {signals.shape[1]}."
            )
        return rows, signals

    def learn(
        self, X: Floats, signals: Floats, n_epochs: int, weights: Floats | None = None
    ) -> Self:
        """Pass over the rows and store the weights, if they are finite.

        Args:
            X: Rows of inputs.
            signals: One column per unit.
            n_epochs: The number of passes.
            weights: The weights to start from; None starts from 0.

        Raises:
            ValueError: If the weights overflow.
        """
        # An epoch is linear in W, so that it takes one product Xᵀ gains, made once.
        retained, gains = self.gains(signals)
        with np.errstate(over="ignore", invalid="ignore"):
            change = X.T.astype(np.float64) @ gains
            W = np.zeros_like(change) if weights is None else weights.astype(np.float64)
            for _ in range(n_epochs):
                W = retained * W + change
            W = W.astype(X.dtype)
        if not np.isfinite(W).all():
            raise ValueError(
                f"{type(self).__name__} diverged: weights grew beyond {X.dtype}; a smaller "
                f"`lr` or smaller inputs are needed."
            )
        self.weights_ = W
        return self

    @abstractmethod
    def gains(self, signals: Floats) -> tuple[Floats, Floats]:
        """Return the factors of an epoch, which is linear: ``W ← retained · W + Xᵀ gains``.

        Args:
            signals: One column per unit.
        """

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return ``w·x + bias``, which is above 0 where a unit responds.

        Args:
            X: Rows of inputs.

        Raises:
            ValueError: If it overflows.
        """
        rows = self.check_magnitude(self.input(X))
        with np.errstate(over="ignore", invalid="ignore"):
            sums = rows @ self.weights_.astype(rows.dtype) + rows.dtype.type(self.bias)
        if not np.isfinite(sums).all():
            raise ValueError(
                f"{type(self).__name__} needs smaller inputs: w·x is beyond {rows.dtype}."
            )
        return sums[:, 0] if self.one_output_ else sums

    def predict(self, X: ArrayLike) -> Floats:
        """Return the responses of the units: 1 or 0.

        Args:
            X: Rows of inputs.
        """
        sums = self.decision_function(X)
        return (sums > 0).astype(sums.dtype)

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the accuracy of the responses; 1 is right where y is above 0, and 0 elsewhere.

        Args:
            X: Rows of inputs.
            y: The signal with each row.
        """
        found = self.predict(X)
        checked = column_or_1d(y) if found.ndim == 1 else check_array(y)
        return float(((np.asarray(checked) > 0) == found).mean())

    bias: Any

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
