"""Self-organising feature maps: a grid of units fitted to the data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from sklearn.utils import Tags, check_random_state
from sklearn.utils.metaestimators import available_if
from typing_extensions import override

from neuropil.checks import choice, flag, interval, one_of, optional
from neuropil.classic.competitive.nearest_units import DISTANCES
from neuropil.classic.competitive.som.grid import TOPOLOGIES, Grid
from neuropil.classic.competitive.som.map_training import MapTraining
from neuropil.classic.competitive.som.map_views import MapViews
from neuropil.classic.competitive.som.neighborhoods import NEIGHBORHOODS
from neuropil.classic.fitted_state import TEXT, WHOLE, array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.checks import Rules


@final
@dataclass(eq=False, repr=False)
class SOFM(MapViews):
    """Self-organising feature map: units on a grid, of which neighbours are similar.

    The best unit of a row is ``c(x) = argmin_k d(x, w_k)``. In the online map each row attracts
    it and the units around it, ``w_k ← w_k + η_t h_t(c, k) (x − w_k)``; in the batch map each
    epoch sets the units to means of all rows, ``w_k = Σ_i h_t(c_i, k) x_i / Σ_i h_t(c_i, k)``.
    The influence h is ``exp(−d² / 2r²)`` (``"gaussian"``), 1 for ``d ≤ r`` (``"bubble"``), or
    ``(1 − d²/r²) exp(−d² / 2r²)`` (``"mexican_hat"``), with d the distance of the two units on
    the grid. From epoch to epoch the radius r falls by a constant factor from `radius` to
    `final_radius`, and the rate falls linearly: ``η_t = lr (1 − t / n_epochs)``.

    The batch map is much faster and needs no rate. The online map learns from a stream of rows.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        grid: Units along each axis: one number or more.
        topology: ``"rectangular"``; ``"hexagonal"``, a honeycomb of rows and columns, where all
            neighbours of a unit are one away; ``"toroidal"`` or ``"toroidal_hexagonal"``, whose
            opposite borders are joined.
        neighborhood: ``"gaussian"``, ``"bubble"`` or ``"mexican_hat"``. The last repels units
            that are farther than r; it needs a `final_radius` of most of the longest side,
            since otherwise it repels more than it attracts, which is an error.
        distance: ``"euclid"``: ``‖x − w‖``. ``"cosine"``: ``1 − cos(x, w)``. ``"dot"``:
            ``‖x‖ − x·w``, with units normalised to the length 1.
        init: ``"pca"``: evenly over the leading principal components. ``"sample"``: on random
            rows. Or the units themselves, ``(units, features)``.
        algorithm: ``"batch"`` or ``"online"``.
        n_epochs: The number of passes over all rows.
        radius: The first radius. None means a quarter of the longest side, half of it with
            ``"sample"``, all of it with a Mexican hat.
        final_radius: The last radius. With a smaller one units follow the rows more closely;
            with a larger one neighbours stay more similar.
        lr: η_0, the first rate of the online map.
        allow_missing: Leave NaN out of distances and means, with ``"euclid"``. Squared
            distances are divided by the fraction of values present.
        random_state: Seed of the rows of ``"sample"``, and of the order of rows in the online
            `fit`.

    Attributes:
        weights_: The units, ``(units, features)``; number k is at
            ``np.unravel_index(k, grid)``.
        grid_: The grid: ``positions`` of the units, and which are neighbours.
        n_iter_: The number of completed epochs.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: From `fit`, if an option is invalid or training diverges.

    Reference:
        T. Kohonen, "Self-Organizing Maps", 3rd edition, 2001; "Essentials of the
        self-organizing map", Neural Networks 37, 2013, whose batch map this is.

    Example:
        >>> model = SOFM(grid=(3,), n_epochs=10, final_radius=0.1)
        >>> model = model.fit([[0.0], [0.0], [4.0], [4.0], [6.0], [6.0]])
        >>> model.weights_.ravel()
        array([0., 4., 6.])
        >>> model.predict([[1.0], [9.0]])
        array([0, 2])
    """

    grid: int | tuple[int, ...] = (10, 10)
    _: KW_ONLY
    topology: str = "rectangular"
    neighborhood: str = "gaussian"
    distance: str = "euclid"
    init: Any = "pca"
    algorithm: str = "batch"
    n_epochs: int = 20
    radius: float | None = None
    final_radius: float = 0.5
    lr: float = 0.5
    allow_missing: bool = False
    random_state: Any = None

    rules: ClassVar[Rules] = MapViews.rules | {
        "topology": choice(*TOPOLOGIES),
        "neighborhood": choice(*NEIGHBORHOODS),
        "distance": choice(*DISTANCES),
        "algorithm": choice("batch", "online"),
        "radius": optional(interval("(0, inf)")),
        "final_radius": interval("(0, inf)"),
        "lr": interval("(0, 1]"),
        "allow_missing": flag,
    }
    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "units features"),
        "n_iter_": WHOLE,
        "sides": array("whole", "axes"),
        "topology": TEXT,
    }

    def fit(self, X: Any, y: Any = None) -> SOFM:  # noqa: ARG002 - scikit-learn's signature
        """Fit the map to rows.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        X = self.training_rows(X)
        training = self.training()
        self.require_room(training.numbers(X.shape[1]))
        rng = check_random_state(self.random_state)
        weights = training.start(X, rng)
        if self.algorithm == "batch":
            weights = training.batch(X, weights)
        else:
            for epoch in range(training.n_epochs):
                training.online(X, rng.permutation(len(X)), weights, epoch)
        self.weights_, self.grid_, self.n_iter_ = weights, training.grid, training.n_epochs
        return self

    @override
    def check_options(self) -> None:
        super().check_options()
        self.training()

    def training(self) -> MapTraining:
        """Return the options of training, checked.

        Raises:
            ValueError: If options contradict each other.
        """
        grid, final_radius = self.make_grid(), float(self.final_radius)
        if isinstance(self.init, str | bytes) or not np.iterable(self.init):
            one_of(self.init, "SOFM: `init`", ("pca", "sample"))
        if self.radius is None:
            radius = max(final_radius, max(grid.sides) * self.part_of_side)
        else:
            radius = float(self.radius)
        if radius < final_radius:
            self.refuse("radius", f"at least the final radius, {final_radius:g}")
        if self.allow_missing and self.distance != "euclid":
            self.refuse("distance", "'euclid' where values may be missing")
        return MapTraining(
            grid=grid,
            of_rows=self.algorithm == "online",
            first_radius=radius,
            final_radius=final_radius,
            init=self.init,
            missing=bool(self.allow_missing),
            **self.plain_options("distance", "neighborhood", "n_epochs", "lr"),
        )

    @property
    def part_of_side(self) -> float:
        """The default of the first radius, as a fraction of the longest side."""
        if self.neighborhood == "mexican_hat":
            return 1
        # Units that start in order do not need a radius that reaches across the map.
        return 1 / 2 if isinstance(self.init, str) and self.init == "sample" else 1 / 4

    def make_grid(self) -> Grid:
        """Return the grid of the units.

        Raises:
            ValueError: If the sides do not fit the topology.
        """
        sides = tuple(np.atleast_1d(np.asarray(self.grid, dtype=object)))
        whole = all(isinstance(side, int | np.integer) and side is not True for side in sides)
        if not (sides and whole and min(sides) >= 1):
            self.refuse("grid", "one whole number or more, each at least 1")
        grid = Grid(tuple(map(int, sides)), self.topology)
        if grid.hexagonal and len(sides) != 2:
            self.refuse("grid", "two numbers, rows and columns, for a honeycomb")
        if grid.hexagonal and grid.toroidal and sides[0] % 2:
            self.refuse("grid", "an even number of rows for a honeycomb without a border")
        return grid

    @override
    def learnt_values(self) -> dict[str, Any]:
        return {
            "weights_": self.weights_,
            "n_iter_": self.n_iter_,
            "sides": np.array(self.grid_.sides, np.int64),
            "topology": self.grid_.topology,
        }

    @override
    def set_learnt(self, values: Mapping[str, Any]) -> None:
        values = dict(values)
        sides, topology = values.pop("sides").tolist(), values.pop("topology")
        super().set_learnt(values | {"grid_": Grid(tuple(sides), topology)})

    @override
    def consistent(self) -> bool:
        grid, sides = self.grid_, self.grid_.sides
        right = len(sides) > 0 and min(sides) >= 1 and grid.topology in TOPOLOGIES
        whole = right and grid.units == len(self.weights_)
        return whole and (len(sides) == 2 or not grid.hexagonal)

    @available_if(lambda self: self.algorithm == "online")
    def partial_fit(self, X: Any, y: Any = None) -> SOFM:  # noqa: ARG002 - scikit-learn's signature
        """Train the online map for one epoch over rows, in their order.

        The t-th call uses the radius and the rate of the t-th epoch; calls after `n_epochs`
        epochs, including those of `fit`, use the last ones.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        X = self.training_rows(X, first=not self.fitted)
        training = self.training()
        self.require_room(training.numbers(X.shape[1]))
        if self.fitted:
            weights, done = self.weights_.copy(), self.n_iter_
        else:
            weights, done = training.start(X, check_random_state(self.random_state)), 0
        training.online(X, np.arange(len(X)), weights, done)
        self.weights_, self.grid_, self.n_iter_ = weights, training.grid, done + 1
        return self

    @override
    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(self.allow_missing)
        return tags
