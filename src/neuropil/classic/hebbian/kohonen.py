"""The competitive layer: units compete for rows, and only the winner learns."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from sklearn.utils import check_random_state

from neuropil.checks import interval
from neuropil.classic.base import COUNT
from neuropil.classic.competitive.quantizer import Quantizer
from neuropil.classic.competitive.som.loops import BUBBLE, EUCLID, online_epoch
from neuropil.classic.competitive.som.map_start import draw_rows
from neuropil.classic.fitted_state import WHOLE, array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.checks import Rules
    from neuropil.classic.base import Floats


@final
@dataclass(eq=False, repr=False)
class Kohonen(Quantizer):
    """Competitive layer: only the unit nearest to a row learns from it.

    ``c(x) = argmin_k ‖x − w_k‖``, then ``w_c ← w_c + η_t (x − w_c)``: the units move to where
    rows are dense, each to the mean of the rows that it wins. The rate falls linearly,
    ``η_t = lr (1 − t / n_epochs)``. Units start on different rows, so that each wins some.
    `SOFM` also moves the units around the winner, and so keeps them in order.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        n_units: The number of units.
        lr: η_0, the rate of the first epoch.
        n_epochs: The number of passes over all rows.
        random_state: Seed of the rows that units start on, and of the order of rows in `fit`.

    Attributes:
        weights_: The units, ``(units, features)``.
        n_iter_: The number of completed epochs.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: From `fit`, if an option is invalid.

    Reference:
        T. Kohonen, "Self-Organization and Associative Memory", 1984; D. E. Rumelhart and
        D. Zipser, "Feature discovery by competitive learning", Cognitive Science 9 (1985). Here
        the winner is the nearest unit, so that units need not be normalised.

    Example:
        >>> model = Kohonen(2, n_epochs=100, random_state=0).fit([[0.0], [2.0], [8.0]])
        >>> np.sort(model.weights_.ravel()).round(1)
        array([1., 8.])
        >>> left, right = model.predict([[1.5], [7.0]])
        >>> bool(left != right)
        True
    """

    n_units: int = 10
    _: KW_ONLY
    lr: float = 0.1
    n_epochs: int = 20
    random_state: Any = None

    rules: ClassVar[Rules] = Quantizer.rules | {"n_units": COUNT, "lr": interval("(0, 1]")}
    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "units features"),
        "n_iter_": WHOLE,
    }

    def fit(self, X: Any, y: Any = None) -> Kohonen:  # noqa: ARG002 - scikit-learn's signature
        """Let the units compete for rows.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        X = self.training_rows(X)
        rates = self.rates()
        rng = check_random_state(self.random_state)
        weights = self.start(X, rng)
        for rate in rates:
            compete(X, rng.permutation(len(X)), weights, rate)
        self.weights_, self.n_iter_ = weights, len(rates)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Kohonen:  # noqa: ARG002 - scikit-learn's signature
        """Train for one epoch over rows, in their order.

        The t-th call uses the rate of the t-th epoch; calls after `n_epochs` use the last.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        X = self.training_rows(X, first=not self.fitted)
        rates = self.rates()
        if self.fitted:
            weights, done = self.weights_.copy(), self.n_iter_
        else:
            weights, done = self.start(X, check_random_state(self.random_state)), 0
        compete(X, np.arange(len(X)), weights, rates[min(done, len(rates) - 1)])
        self.weights_, self.n_iter_ = weights, done + 1
        return self

    def rates(self) -> NDArray[np.float64]:
        """Return the rate of each epoch."""
        return float(self.lr) * (1 - np.arange(self.n_epochs) / self.n_epochs)

    def start(self, X: Floats, rng: np.random.RandomState) -> Floats:
        """Return the units before the first epoch: different rows, as far as possible."""
        self.require_room(2 * self.n_units * X.shape[1])
        different = np.unique(X, axis=0)
        return np.array(draw_rows(different, self.n_units, rng), X.dtype, order="C")


def compete(X: Floats, order: NDArray[np.intp], weights: Floats, lr: float) -> None:
    """Move the winner of each row, as an online map whose units do not influence each other."""
    # Units at distance 1, and a bubble of radius ½: only the winner moves.
    places, border = np.arange(float(len(weights)))[:, None], np.array([np.inf])
    rows = np.ascontiguousarray(X)
    online_epoch(rows, order, weights, places, border, EUCLID, BUBBLE, 0.5, lr)
