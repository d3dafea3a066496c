"""CMAC, Albus's model of the cerebellum: a table of overlapping cells."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state, gen_batches
from typing_extensions import override

from neuropil.checks import flag, interval, optional
from neuropil.classic.base import COUNT, ClassicNetwork, Floats
from neuropil.classic.fitted_state import FLAG, WHOLE, array
from neuropil.classic.memory.cmac_cells import ExactCells, HashedCells
from neuropil.classic.memory.cmac_loops import answers, train

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from neuropil.checks import Rules

# Levels far outside the data are clipped here, so that they fit 32 bits.
FARTHEST_LEVEL = 2**30
BLOCK = 1 << 20
# The largest number of tilings in a table from a file.
WIDEST = 1 << 16


@dataclass(eq=False, repr=False)
class CMAC(MultiOutputMixin, RegressorMixin, ClassicNetwork):
    """A regressor that sums a few cells of a table; it learns locally and very fast.

    Each column is divided into levels. Each of C tilings, shifted against each other, covers
    the levels with tiles C levels wide, and an input activates one cell in each:
    ``f(x) = b + Σ_c w[cell_c(x)]``, where b is the mean of the targets. A step corrects all C
    cells equally, ``w ← w + lr (y − f(x)) / C``. Two inputs k levels apart along one column
    share C − k cells, and so generalise to each other by that fraction.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``, or
        ``(n_samples, n_outputs)``.

    Args:
        width: C, the generalisation width: the number of tilings, and of levels per tile.
        n_levels: Levels between the smallest and the largest value of each column.
        n_cells: The number of cells that tiles are hashed into, some of which are shared; None
            gives each activated tile its own cell.
        lr: The fraction of the error that a step corrects, above 0 and below 2.
        n_epochs: Passes of `fit` over the data.
        shuffle: Whether each pass of `fit` visits the rows in a new order.
        random_state: Seed or generator of the order.

    Attributes:
        weights_: w, ``(n_cells, n_outputs)``.
        intercept_: b, ``(n_outputs)``.
        errors_: Mean squared error of each pass, measured before each step.
        one_output_: Whether the targets were a single column, ``(n_samples)``.
        low_: The smallest value of each column.
        step_: The width of a level, per column.
        cells_: The map from inputs to cells.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is out of its range, or an input is missing or infinite.

    Reference:
        Albus, "A New Approach to Manipulator Control: The Cerebellar Model Articulation
        Controller (CMAC)", 1975. Ours starts from the mean, so that it predicts the mean far
        from the data, and shifts the tilings by different odd steps per column, as Miller and
        Glanz (1996), rather than along the diagonal.

    Example:
        >>> import numpy as np
        >>> x = np.linspace(0, 6, 200)[:, None]
        >>> model = CMAC(width=16, random_state=0).fit(x, np.sin(x[:, 0]))
        >>> float(np.abs(model.predict(x) - np.sin(x[:, 0])).max()) < 0.02
        True
    """

    width: int = 16
    n_levels: int = 256
    _: KW_ONLY
    n_cells: int | None = None
    lr: float = 0.5
    n_epochs: int = 20
    shuffle: bool = True
    random_state: int | np.random.RandomState | None = None

    rules: ClassVar[Rules] = ClassicNetwork.rules | {
        "width": COUNT,
        "n_levels": COUNT,
        "n_cells": optional(COUNT),
        "lr": interval("(0, 2)"),
        "shuffle": flag,
    }
    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "cells outputs"),
        "intercept_": array("float", "outputs"),
        "one_output_": FLAG,
        "errors_": array("double", "epochs"),
        "low_": array("double", "features"),
        "step_": array("double", "features"),
        "width": WHOLE,
        "tiles": array("level", "cells coordinates", optional=True),
    }

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from the start, in `n_epochs` passes.

        Args:
            X: Inputs.
            y: Targets.
        """
        rows, targets = self.prepare(X, y, anew=True)
        rng, order = check_random_state(self.random_state), np.arange(len(rows))
        cells = self.touch(rows)
        for _ in range(self.n_epochs):
            if self.shuffle:
                order = rng.permutation(len(rows))
            self.learn(cells, targets, order)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn rows once, in their order; the first call determines the levels and the mean.

        Args:
            X: Inputs.
            y: Targets.
        """
        rows, targets = self.prepare(X, y, anew=not self.fitted)
        self.learn(self.touch(rows), targets, np.arange(len(rows)))
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Return the mean of the targets plus the sum of the cells of each row.

        Args:
            X: Inputs.
        """
        rows = self.input(X)
        found = np.empty((len(rows), len(self.intercept_)), self.weights_.dtype)
        for block in gen_batches(len(rows), max(1, BLOCK // self.cells_.width)):
            answers(self.cells_.known(self.levels(rows[block])), self.weights_, found[block])
        found += self.intercept_
        return found[:, 0] if self.one_output_ else found

    @override
    def learnt_values(self) -> dict[str, Any]:
        cells, own = self.cells_, ("weights_", "intercept_", "one_output_", "low_", "step_")
        exact = isinstance(cells, ExactCells)
        return {name: getattr(self, name) for name in own} | {
            "errors_": np.array(self.errors_, np.float64),
            "width": cells.width,
            "tiles": cells.tiles[: cells.count] if exact else None,
        }

    @override
    def set_learnt(self, values: Mapping[str, Any]) -> None:
        values = dict(values)
        width, tiles, errors = (values.pop(name) for name in ("width", "tiles", "errors_"))
        super().set_learnt(values | {"errors_": errors.tolist()})
        self.require(consistent=1 <= width <= WIDEST and bool((self.step_ > 0).all()))
        self.require(consistent=not self.one_output_ or len(self.intercept_) == 1)
        columns, count = self.n_features_in_, len(self.weights_)
        if tiles is None:
            self.cells_ = HashedCells(columns, width, count)
        else:
            self.require(consistent=tiles.shape[1] == columns + 1)
            self.cells_ = ExactCells(columns, width, tiles)

    def prepare(self, X: ArrayLike, y: ArrayLike, *, anew: bool) -> tuple[Any, Floats]:
        """Return checked rows and centred targets; set the levels and cells if ``anew``.

        Raises:
            ValueError: If the number of outputs has changed.
        """
        width, levels = self.width, self.n_levels
        rows, targets = self.training_input(X, y, first=anew, multi_output=True, y_numeric=True)
        one = targets.ndim == 1
        targets = np.asarray(targets, rows.dtype).reshape(len(rows), -1)
        if anew:
            self.low_, high = rows.min(axis=0).astype(float), rows.max(axis=0).astype(float)
            # A constant column has one level. Dividing before subtracting avoids an overflow.
            span = high / levels - self.low_ / levels
            self.step_ = np.where(span > 0, span, 1.0)
            self.intercept_ = targets.mean(axis=0, dtype=float).astype(rows.dtype)
            self.one_output_, self.errors_ = one, []
            columns = rows.shape[1]
            # Cells, the tilings' shifts, and the cells of all rows.
            cells = float(self.n_cells or 0) * targets.shape[1]
            self.require_room(cells + width * (8.0 + len(rows) / 2))
            if self.n_cells is None:
                self.cells_ = ExactCells(columns, width)
            else:
                self.cells_ = HashedCells(columns, width, self.n_cells)
            self.weights_ = np.zeros((self.cells_.count, targets.shape[1]), rows.dtype)
        if targets.shape[1] != len(self.intercept_):
            raise ValueError(
                f"CMAC has learnt {len(self.intercept_)} outputs, got {targets.shape[1]}."
            )
        return rows, targets - self.intercept_

    def touch(self, rows: Floats) -> Any:
        """Return the cells of training rows; new cells start at 0."""
        cells = self.cells_.touch(self.levels(rows))
        more = self.cells_.count - len(self.weights_)
        if more:
            zeros = np.zeros((more, self.weights_.shape[1]), self.weights_.dtype)
            self.weights_ = np.concatenate([self.weights_, zeros])
        return cells

    def learn(self, cells: Any, targets: Floats, order: Any) -> None:
        """Pass over the rows once."""
        targets = targets.astype(self.weights_.dtype, copy=False)
        total = train(cells, targets, order, self.weights_, float(self.lr))
        self.errors_.append(total / targets.size)

    def levels(self, rows: Floats) -> Any:
        """Return the level of each value; levels continue outside the range of training."""
        with np.errstate(over="ignore"):
            # Quantise each value; the tilings work on these integers.
            exact = np.floor((rows - self.low_) / self.step_)
        return np.clip(exact, -FARTHEST_LEVEL, FARTHEST_LEVEL).astype(np.int32)
