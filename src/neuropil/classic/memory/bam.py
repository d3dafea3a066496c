"""The bidirectional associative memory: pairs of patterns, each recalled from the other."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import MultiOutputMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.classic.base import ClassicNetwork, Floats
from neuropil.classic.fitted_state import FLAG, WHOLE, array
from neuropil.classic.memory.signs import encode, follow_fields, lower_value, rounding, signs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.utils import Tags


@dataclass(eq=False, repr=False)
class DiscreteBAM(MultiOutputMixin, ClassicNetwork):
    """A memory of pairs of binary patterns, recalled in both directions.

    With x and y of −1 and 1, ``W = Σ x yᵀ``. Recall alternates ``y ← sign(Wᵀ x)`` and
    ``x ← sign(W y)`` until neither changes; a unit whose field is 0 keeps its state, and starts
    as off. Each step lowers the energy ``E = −xᵀ W y``, or recall ends.

    Shape:
        ``X``: ``(n_samples, n_x)``; ``Y``: ``(n_samples, n_y)``, or ``(n_samples)`` for
        one unit.

    Args:
        max_steps: Steps in both directions after which recall ends with a warning.
        binarize: Values above it are on, in X and in Y; None takes 0 and 1, or −1 and 1,
            unchanged.

    Attributes:
        weights_: W, ``(n_x, n_y)``, always in double precision.
        n_outputs_: n_y.
        one_output_: Whether Y was a single column, ``(n_samples)``.
        low_: The value of "off" in X: 0 or −1.
        low_out_: The value of "off" in Y: 0 or −1.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is out of its range, or the input is not binary where it
            must be.

    Reference:
        Kosko, "Bidirectional Associative Memories", 1988, without thresholds. Recalled patterns
        have the coding of the learnt ones.

    Example:
        >>> X = [[1, 0, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0]]
        >>> Y = [[1, 1, 0, 0], [1, 0, 1, 0]]
        >>> memory = DiscreteBAM().fit(X, Y)
        >>> memory.predict([[1, 0, 1, 0, 1, 1]]).tolist()  # the last is wrong
        [[1.0, 1.0, 0.0, 0.0]]
        >>> memory.recall([[1, 0, 1, 0]]).tolist()
        [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]
    """

    _: KW_ONLY
    max_steps: int = 1000
    binarize: float | None = 0.0

    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("double", "features outputs"),
        "n_outputs_": WHOLE,
        "one_output_": FLAG,
        "low_": WHOLE,
        "low_out_": WHOLE,
    }

    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Learn pairs, from the start.

        Args:
            X: One side of each pair.
            Y: The other.
        """
        return self.learn(X, Y, anew=True)

    def partial_fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Learn further pairs; the weights equal those of learning all at once.

        Args:
            X: One side of each pair.
            Y: The other.
        """
        return self.learn(X, Y, anew=not self.fitted)

    def learn(self, X: ArrayLike, Y: ArrayLike, *, anew: bool) -> Self:
        """Add pairs to the weights, or start from none.

        Args:
            X: One side of each pair.
            Y: The other.
            anew: Whether to start from zero weights.
        """
        given, others = self.training_input(X, Y, first=anew, multi_output=True)
        one, others = np.ndim(others) == 1, self.columns(others)
        self.require_room(2.0 * given.shape[1] * others.shape[1])
        if anew:
            self.low_, self.low_out_ = lower_value(given), lower_value(others)
            self.n_outputs_, self.one_output_ = others.shape[1], one
            self.weights_ = np.zeros((given.shape[1], others.shape[1]))
        self.check_width(others)
        x, y = signs(self.bits(given, self.binarize)), signs(self.bits(others, self.binarize))
        # Kosko's correlation matrix, the sum of the outer products of the pairs.
        self.weights_ = self.weights_ + x.T @ y
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return the Y recalled from each X, in the coding of the learnt Y.

        Args:
            X: Probes.
        """
        given = self.input(X)
        _, y = self.settle(signs(self.bits(given, self.binarize)), self.weights_)
        found = encode(y, self.low_out_, given.dtype)
        return found[:, 0] if self.one_output_ else found

    def recall(self, Y: ArrayLike) -> Floats:
        """Return the X recalled from each Y, in the coding of the learnt X.

        Args:
            Y: Probes.
        """
        others = self.other_input(Y)
        _, x = self.settle(signs(self.bits(others, self.binarize)), self.weights_.T)
        return encode(x, self.low_, others.dtype)

    def energy(self, X: ArrayLike, Y: ArrayLike | None = None) -> Floats:
        """Return each pair's energy −xᵀ W y.

        Args:
            X: One side of each pair.
            Y: The other side; the Y recalled from X by default.

        Raises:
            ValueError: If the numbers of rows differ.
        """
        given = self.input(X)
        others = self.other_input(self.predict(X) if Y is None else Y)
        if len(others) != len(given):
            raise ValueError(
                f"energy needs pairs, got {len(given)} rows of X and {len(others)} of Y."
            )
        x = signs(self.bits(given, self.binarize))
        y = signs(self.bits(others, self.binarize))
        return -((x @ self.weights_) * y).sum(axis=1).astype(given.dtype)

    def score(self, X: ArrayLike, y: ArrayLike) -> float:
        """Return the fraction of rows whose other side is predicted without an error.

        Args:
            X: One side of each pair.
            y: The other.
        """
        found = self.bits(self.columns(self.predict(X)), 0.0)
        right = self.bits(self.other_input(y), self.binarize)
        return float((found == right).all(axis=1).mean())

    @override
    def consistent(self) -> bool:
        lows = {self.low_, self.low_out_} <= {-1, 0}
        as_many = self.n_outputs_ == self.weights_.shape[1]
        return lows and as_many and (not self.one_output_ or self.n_outputs_ == 1)

    def settle(self, x: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Recall in both directions until nothing changes; return both sides."""
        tolerance = rounding(weights)
        y = follow_fields(np.full((len(x), weights.shape[1]), -1.0), x @ weights, tolerance)
        for _ in range(self.max_steps):
            # A pair is stable when x maps to y and y maps back to x.
            back = follow_fields(x, y @ weights.T, tolerance)
            if np.array_equal(back, x):
                return x, y
            x, y = back, follow_fields(y, back @ weights, tolerance)
        self.warn(f"recall still moved after {self.max_steps} steps; raise `max_steps`.")
        return x, y

    def other_input(self, Y: ArrayLike) -> Floats:
        """Return checked Y as a table."""
        check_is_fitted(self)
        others = self.columns(Y)
        self.check_width(others)
        return others

    def check_width(self, others: Floats) -> None:
        """Check that Y has the learnt number of columns.

        Raises:
            ValueError: If it does not; the message has both numbers.
        """
        if others.shape[1] != self.n_outputs_:
            raise ValueError(
                f"Y has {others.shape[1]} columns, but {type(self).__name__} has learnt "
                f"{self.n_outputs_}."
            )

    def columns(self, Y: Any) -> Floats:
        """Return Y as a table of numbers; a single unit may be given as a vector."""
        kinds = (np.float64, np.float32)
        table = check_array(Y, dtype=kinds, ensure_2d=False, input_name="Y")
        return table[:, None] if table.ndim == 1 else table

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
