"""Base class of ART1 and Fuzzy ART: search for a resonating category, or create one."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import ClusterMixin

from neuropil.checks import COUNTABLE, interval, optional
from neuropil.classic.base import COUNT, ClassicNetwork, Floats
from neuropil.classic.competitive.art.loops import find_rows, learn_rows
from neuropil.classic.fitted_state import WHOLE, array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from neuropil.checks import Rules

# The capacity of the first table of categories; it doubles when it is full.
ROOM = 16


class ResonanceNetwork(ClusterMixin, ClassicNetwork):
    """Clusters of rows, each with a category that resonates with them.

    Attributes:
        weights_: One category per row, ``(n_categories, n_coded)``.
        labels_: Category of each row given to `fit`; of the last rows given to `partial_fit`;
            −1 for rows without one.
        n_iter_: The number of passes of `fit`.
    """

    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("float", "categories coded"),
        "labels_": array("whole", "rows"),
        "n_iter_": WHOLE,
    }
    rules: ClassVar[Rules] = ClassicNetwork.rules | {
        "vigilance": interval("[0, 1]"),
        "n_clusters": optional(COUNT),
    }
    n_epochs: int
    n_clusters: int | None
    vigilance: float
    weights_: Floats
    labels_: NDArray[np.int64]
    n_iter_: int

    @abstractmethod
    def settle(self, X: Floats) -> None:
        """Set the parameters of the coding from the first rows."""

    @abstractmethod
    def code(self, X: Floats) -> tuple[Floats, Floats]:
        """Return the coded rows I, and the sizes that overlaps are divided by."""

    @abstractmethod
    def constants(self) -> tuple[float, float, float]:
        """Return ρ, α and β."""

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn categories in passes over the rows, until a pass changes nothing.

        Args:
            X: Rows.
            y: Not used.
        """
        rows, sizes = self.prepare(X, anew=True)
        for epoch in range(1, self.n_epochs + 1):
            self.n_iter_ = epoch
            if not self.learn(rows, sizes):
                break
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn rows once, in their order.

        Args:
            X: Rows.
            y: Not used.
        """
        rows, sizes = self.prepare(X, anew=not self.fitted)
        self.learn(rows, sizes)
        self.n_iter_ = 1
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the category that resonates with each row, or −1 if none does.

        Args:
            X: Rows.
        """
        rows, sizes = self.like_weights(*self.code(self.input(X)))
        vigilance, choice, _ = self.constants()
        labels = np.empty(len(rows), np.int64)
        # Sums in the same order as in training, so that ties between categories stay ties.
        norms = np.cumsum(self.weights_, axis=1)[:, -1]
        table = np.ascontiguousarray(self.weights_.T)
        find_rows(rows, sizes, table, norms.copy(), vigilance, choice, labels)
        return labels

    def score(self, X: ArrayLike, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return the fraction of rows with which a category resonates.

        Args:
            X: Rows.
            y: Not used.
        """
        return float((self.predict(X) >= 0).mean())

    def prepare(self, X: ArrayLike, *, anew: bool) -> tuple[Floats, Floats]:
        """Return coded rows and their sizes; drop all categories if ``anew``."""
        given = self.training_input(X, first=anew)
        if anew:
            self.settle(given)
        rows, sizes = self.code(given)
        if anew:
            self.weights_ = np.empty((0, rows.shape[1]), rows.dtype)
        return self.like_weights(rows, sizes)

    def like_weights(self, rows: Floats, sizes: Floats) -> tuple[Floats, Floats]:
        """Return both in the precision of the weights."""
        kind = self.weights_.dtype
        return rows.astype(kind, copy=False), sizes.astype(kind, copy=False)

    def learn(self, rows: Floats, sizes: Floats) -> bool:
        """Learn coded rows once; return whether a weight changed."""
        labels = np.empty(len(rows), np.int64)
        count, room = len(self.weights_), max(ROOM, len(self.weights_))
        table = np.empty((rows.shape[1], room), rows.dtype)
        # Categories are columns, so that overlaps with all of them are computed in vectorised
        # loops.
        table[:, :count] = self.weights_.T
        norms = np.empty(room, rows.dtype)
        norms[:count] = np.cumsum(self.weights_, axis=1)[:, -1] if count else 0
        changed, row, options = False, 0, self.constants()
        most = COUNTABLE if self.n_clusters is None else int(self.n_clusters)
        while True:
            row, count, some = learn_rows(
                rows, sizes, row, table, norms, count, most, options, labels
            )
            changed = changed or some
            if row == len(rows):
                break
            table = np.concatenate([table, np.empty_like(table)], axis=1)
            norms = np.concatenate([norms, np.empty_like(norms)])
        self.weights_ = np.ascontiguousarray(table[:, :count].T)
        self.labels_ = labels
        return changed
