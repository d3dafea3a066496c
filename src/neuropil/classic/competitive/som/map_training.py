"""Training of a self-organising map: its start and its epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.classic.competitive.nearest_units import DISTANCES, prepare
from neuropil.classic.competitive.som import loops
from neuropil.classic.competitive.som.batch_map import batch_epoch, of_unit_length
from neuropil.classic.competitive.som.map_start import draw_rows, fill_missing, span_components
from neuropil.classic.competitive.som.neighborhoods import NEIGHBORHOODS

if TYPE_CHECKING:
    from neuropil.classic.base import Floats
    from neuropil.classic.competitive.som.grid import Grid

# The largest distance of a unit from the mean, relative to that of the farthest row. Only a
# Mexican hat, which repels, can exceed it.
FARTHEST = 100.0


@final
@dataclass(frozen=True)
class MapTraining:
    """The checked options of a map, and its training.

    Attributes:
        grid: The grid of the units.
        distance: As in `Search`.
        neighborhood: The name of the influence.
        n_epochs: Epochs of a fit.
        first_radius: Radius of the first epoch.
        final_radius: Radius of the last.
        lr: Rate of the first epoch.
        init: ``"pca"``, ``"sample"``, or the units.
        missing: Whether NaN are ignored.
        of_rows: Whether units learn row by row, rather than from all rows at once.
    """

    grid: Grid
    distance: str
    neighborhood: str
    n_epochs: int
    first_radius: float
    final_radius: float
    lr: float
    init: Any
    missing: bool
    of_rows: bool

    def numbers(self, columns: int) -> float:
        """Return an estimate of the number of values that training holds at once.

        Args:
            columns: The number of columns of the rows.
        """
        units = float(self.grid.units)
        if self.of_rows:
            return 2 * units * (columns + 1) + max(units, loops.KEPT)
        # The sums of rows and their intermediate results; and the scores of a block of rows.
        return units * (6 * (columns + 1) + 40)

    def radius(self, epoch: int) -> float:
        """Return the radius of an epoch; later epochs keep the last radius."""
        # Geometric interpolation between the first and the final radius.
        share = min(epoch, self.n_epochs - 1) / max(1, self.n_epochs - 1)
        return self.first_radius * (self.final_radius / self.first_radius) ** share

    def rate(self, epoch: int) -> float:
        """Return the rate of an epoch; later epochs keep the last rate."""
        return self.lr * (1 - min(epoch, self.n_epochs - 1) / self.n_epochs)

    def start(self, X: Floats, rng: np.random.RandomState) -> Floats:
        """Return the units before the first epoch.

        Raises:
            ValueError: If given units have a wrong shape or invalid values.
        """
        if not isinstance(self.init, str):
            weights = given_units(self.init, self.grid, X)
        else:
            whole = fill_missing(X) if self.missing else X
            if self.init == "sample":
                weights = draw_rows(whole, self.grid.units, rng)
            else:
                weights = span_components(whole, self.grid, rng)
        if self.distance == "dot":
            weights = of_unit_length(weights)
        return np.array(weights, X.dtype, order="C")

    def batch(self, X: Floats, weights: Floats) -> Floats:
        """Return the units after all epochs of the batch map.

        Raises:
            ValueError: If a Mexican hat repels units far from all rows.
        """
        center = np.zeros_like(X[0])
        if self.distance == "euclid":
            center[:] = np.nanmean(X, axis=0, dtype=np.float64)
        rows = prepare(X, center, missing=self.missing)
        weights = weights - center
        for epoch in range(self.n_epochs):
            weights = batch_epoch(
                rows,
                weights,
                self.grid,
                distance=self.distance,
                neighborhood=self.neighborhood,
                radius=self.radius(epoch),
            )
            self.check(X, weights + center, epoch)
        return weights + center

    def online(self, X: Floats, order: Any, weights: Floats, epoch: int) -> None:
        """Change the units by one epoch of the online map.

        Raises:
            ValueError: If a Mexican hat repels units far from all rows.
        """
        loops.online_epoch(
            np.ascontiguousarray(X),
            order,
            weights,
            self.grid.positions,
            self.grid.periods,
            DISTANCES.index(self.distance),
            tuple(NEIGHBORHOODS).index(self.neighborhood),
            self.radius(epoch),
            self.rate(epoch),
        )
        self.check(X, weights, epoch)

    def check(self, X: Floats, weights: Floats, epoch: int) -> None:
        """Check that no unit was repelled far away from all rows.

        Raises:
            ValueError: If there is such a unit.
        """
        if self.neighborhood != "mexican_hat" or self.distance == "dot":
            return
        middle = np.nanmean(X, axis=0)
        rows, units = np.nanmax(np.abs(X - middle)), np.abs(weights - middle).max()
        if not units <= FARTHEST * max(rows, np.finfo(X.dtype).tiny):
            pulling = 0.7 * max(self.grid.sides)
            raise ValueError(
                f"SOFM: training diverged in epoch {epoch + 1}, at a radius of "
                f"{self.radius(epoch):.3g}: the Mexican hat pushed a unit {units / rows:.3g} "
                f"times as far as the farthest row; a final_radius of {pulling:.3g} pulls more "
                f"than it pushes."
            )


def given_units(init: Any, grid: Grid, X: Floats) -> Floats:
    """Return the user's initial units, checked.

    Raises:
        ValueError: If they are not one finite row per unit, as wide as the rows.
    """
    try:
        weights = np.asarray(init, X.dtype)
    except (TypeError, ValueError):
        kind = type(init).__name__
        raise ValueError(f"SOFM: `init` must be rows of numbers, got {kind}.") from None
    shape = grid.units, X.shape[1]
    if weights.shape not in {shape, (*grid.sides, X.shape[1])}:
        raise ValueError(f"SOFM: `init` must have the shape {shape}, got {weights.shape}.")
    if not np.isfinite(weights).all():
        raise ValueError("SOFM: `init` must be finite, got NaN or infinite numbers.")
    return weights.reshape(shape)
