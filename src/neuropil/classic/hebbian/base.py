"""What the instar and Hebb's rule share: weights to units that respond or do not."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils.validation import check_array, column_or_1d
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.base import COUNT, ClassicNetwork, Floats
from neuropil.classic.fitted_state import FLAG, array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike
    from sklearn.utils import Tags

    from neuropil.checks import Rules


class Association(MultiOutputMixin, ClassicNetwork):
    """Units that are taught when to respond: ``a = 1 where w·x + bias > 0, else 0``.

    A subclass has the options `lr`, `bias` and `n_epochs`, and says what an epoch does.
    """

    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "features units"),
        "one_output_": FLAG,
    }
    rules: ClassVar[Rules] = {"bias": interval("(-1e300, 1e300)"), "n_epochs": COUNT}
    weights_: Floats
    n_epochs: int
    one_output_: bool

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from all rows, again and again, in the order in which they come.

        Args:
            X: Rows of inputs.
            y: What units are told with each row: a column, or one a unit.
        """
        rows, signals = self.pairs(X, y, first=True)
        return self.learn(rows, signals, self.n_epochs)

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from rows once, going on from what was learnt.

        Args:
            X: Rows of inputs.
            y: What units are told with each row.
        """
        rows, signals = self.pairs(X, y, first=not self.fitted)
        return self.learn(rows, signals, 1, self.weights_ if self.fitted else None)

    @override
    def set_learnt(self, values: Mapping[str, Any]) -> None:
        super().set_learnt(values)
        self.fits(right=not self.one_output_ or self.weights_.shape[1] == 1)

    def pairs(self, X: ArrayLike, y: ArrayLike, *, first: bool) -> tuple[Floats, Floats]:
        """Return checked inputs, and signals with a column for each unit.

        Args:
            X: Rows of inputs.
            y: Signals.
            first: Whether the columns are new.

        Raises:
            ValueError: When there are other units than before, or a number cannot be.
        """
        rows, given = self.training_input(X, y, first=first, multi_output=True, y_numeric=True)
        self.squarable(rows)
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
        """Go through the rows and keep the weights, if they are numbers.

        Args:
            X: Rows of inputs.
            signals: One column a unit.
            n_epochs: How often.
            weights: From which to go on; None starts from 0.

        Raises:
            ValueError: When weights grow beyond all numbers.
        """
        kept, gains = self.gains(signals)
        with np.errstate(over="ignore", invalid="ignore"):
            change = X.T.astype(np.float64) @ gains
            W = np.zeros_like(change) if weights is None else weights.astype(np.float64)
            for _ in range(n_epochs):
                W = kept * W + change
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
        """Return what an epoch does, which is linear: ``W ← kept · W + Xᵀ gains``.

        Args:
            signals: One column a unit.
        """

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return ``w·x + bias``, above 0 where a unit responds.

        Args:
            X: Rows of inputs.

        Raises:
            ValueError: When it is beyond all numbers.
        """
        rows = self.squarable(self.input(X))
        with np.errstate(over="ignore", invalid="ignore"):
            sums = rows @ self.weights_.astype(rows.dtype) + rows.dtype.type(self.bias)
        if not np.isfinite(sums).all():
            raise ValueError(
                f"{type(self).__name__} needs smaller inputs: w·x is beyond {rows.dtype}."
            )
        return sums[:, 0] if self.one_output_ else sums

    def predict(self, X: ArrayLike) -> Floats:
        """Return the response of the units: 1 or 0.

        Args:
            X: Rows of inputs.
        """
        sums = self.decision_function(X)
        return (sums > 0).astype(sums.dtype)

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the share of right responses: 1 where y is above 0, and 0 elsewhere.

        Args:
            X: Rows of inputs.
            y: What is told with each row.
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
