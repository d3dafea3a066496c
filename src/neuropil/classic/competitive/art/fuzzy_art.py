"""Fuzzy ART: categories of real-valued rows, each a box of bounded size."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.competitive.art.base import ResonanceNetwork
from neuropil.classic.fitted_state import array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neuropil.checks import Rules
    from neuropil.classic.base import Floats


@dataclass(eq=False, repr=False)
class FuzzyART(ResonanceNetwork):
    """Clusters of rows: each category is the smallest box around its learnt rows.

    Columns are scaled to 0 … 1 and coded with their complements, ``I = (x, 1 − x)``. Let
    |v| = Σ vᵢ, and m the number of columns. In decreasing order of the choice
    ``|min(I, w)| / (α + |w|)``, the first category with ``|min(I, w)| / m ≥ ρ`` resonates and
    learns, ``w ← β min(I, w) + (1 − β) w``. If none does, a new category starts as I. The sides
    of a box add up to at most (1 − ρ) m.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        vigilance: ρ, from 0 to 1: the greater ρ, the smaller the boxes.
        choice: α, above 0: near 0, the smallest box around a row is chosen.
        lr: β, above 0 and at most 1; 1 is fast learning.
        n_clusters: The largest number of categories; None for no limit. A row with which none
            resonates then changes nothing and has the label −1.
        n_epochs: The largest number of passes of `fit`, which ends when a pass changes nothing.
        bounds: ``(low, high)``, each a number or one per column, that are scaled to 0 and 1;
            None takes them from the rows of `fit`, or of the first `partial_fit`. Rows may lie
            outside.

    Attributes:
        weights_: w, ``(n_categories, 2 n_features)``.
        labels_: Category of each row of the last `fit` or `partial_fit`.
        n_iter_: The number of passes of `fit`.
        boxes_: Lowest and highest corner of each category, in the units of the data,
            ``(n_categories, 2, n_features)``.
        low_: The value scaled to 0, per column.
        span_: The difference of the values scaled to 1 and 0, per column.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is out of its range, or a column's range overflows.

    Reference:
        Carpenter, Grossberg, Rosen, "Fuzzy ART: Fast stable learning and categorization of
        analog patterns by an adaptive resonance system", 1991.

    Example:
        >>> X = [[0.0, 0.0], [0.1, 0.2], [1.0, 0.9], [0.9, 1.0]]
        >>> network = FuzzyART(vigilance=0.7).fit(X)
        >>> network.labels_.tolist()
        [0, 0, 1, 1]
        >>> network.boxes_[0].round(2).tolist()  # the corners, in the units of the data
        [[0.0, 0.0], [0.1, 0.2]]
        >>> network.predict([[0.05, 0.1], [0.5, 0.5]]).tolist()
        [0, -1]
    """

    vigilance: float = 0.7
    choice: float = 1e-3
    _: KW_ONLY
    lr: float = 1.0
    n_clusters: int | None = None
    n_epochs: int = 20
    bounds: tuple[ArrayLike, ArrayLike] | None = None

    rules: ClassVar[Rules] = ResonanceNetwork.rules | {
        "choice": interval("(0, inf)"),
        "lr": interval("(0, 1]"),
    }
    learnt: ClassVar[dict[str, Any]] = ResonanceNetwork.learnt | {
        "low_": array("float", "features"),
        "span_": array("float", "features"),
    }

    @property
    def boxes_(self) -> Floats:
        """Lowest and highest corner of each category, ``(n_categories, 2, n_features)``."""
        # A weight is (u, 1 − v) for a box with the corners u and v.
        low, high = np.split(self.weights_, 2, axis=1)
        return np.stack([low, 1 - high], axis=1) * self.span_ + self.low_

    @override
    def check_options(self) -> None:
        super().check_options()
        if self.bounds is not None:
            self.given_bounds()

    @override
    def consistent(self) -> bool:
        as_wide = self.weights_.shape[1] == 2 * self.n_features_in_
        return as_wide and bool((self.span_ > 0).all())

    @override
    def settle(self, X: Floats) -> None:
        if self.bounds is None:
            low, high = X.min(axis=0), X.max(axis=0)
        else:
            low, high = self.bounds_for(X)
        with np.errstate(over="ignore"):
            span = high - low
        if not np.isfinite(span).all():
            raise ValueError(
                f"FuzzyART: the range of column {int(np.argmin(np.isfinite(span)))} overflows "
                f"{X.dtype}; scale the column."
            )
        # A constant column is 0 throughout; its scale is 1, so that other values keep theirs.
        self.low_, self.span_ = low, np.where(span > 0, span, 1).astype(X.dtype)

    @override
    def code(self, X: Floats) -> tuple[Floats, Floats]:
        with np.errstate(over="ignore"):
            scaled = (X - self.low_) / self.span_
        # Clip to values so far outside that nothing resonates, but sums stay finite.
        farthest = np.sqrt(np.finfo(scaled.dtype).max)
        scaled = np.clip(scaled, -farthest, farthest)
        # Complement coding keeps |I| = m for every row, which prevents the proliferation of
        # categories.
        rows = np.hstack([scaled, 1 - scaled])
        return rows, np.full(len(rows), X.shape[1], rows.dtype)

    @override
    def constants(self) -> tuple[float, float, float]:
        return float(self.vigilance), float(self.choice), float(self.lr)

    def bounds_for(self, X: Floats) -> list[Floats]:
        """Return `bounds` as two rows as wide as X.

        Raises:
            ValueError: If their lengths do not fit.
        """
        width, given = X.shape[1], self.given_bounds()
        try:
            return [np.broadcast_to(bound.astype(X.dtype), width) for bound in given]
        except ValueError:
            self.refuse("bounds", f"(low, high), each a number or {width} of them")

    def given_bounds(self) -> tuple[Floats, Floats]:
        """Return `bounds` as two arrays.

        Raises:
            ValueError: If they are not two finite numbers or rows, the first below the second.
        """
        try:
            low, high = (np.asarray(bound, float) for bound in self.bounds or ())
            right = (np.isfinite(low) & np.isfinite(high) & (low < high)).all()
        except (TypeError, ValueError):
            self.refuse("bounds", "(low, high), each a number or one per column")
        if not right or max(low.ndim, high.ndim) > 1:
            self.refuse("bounds", "finite, with low below high")
        return low, high
