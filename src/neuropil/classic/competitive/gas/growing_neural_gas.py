"""Growing neural gas: a graph that learns the topology of the data."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.base import COUNT
from neuropil.classic.competitive.gas.gas_storage import (
    EDGES_AT_FIRST,
    edges_of,
    first_gas,
    make_room,
    sound,
    tree_of,
)
from neuropil.classic.competitive.gas.loops import DUE, Gas, Rates, learn, winners
from neuropil.classic.competitive.nearest_units import Search
from neuropil.classic.competitive.quantizer import Quantizer
from neuropil.classic.fitted_state import FLAG, array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx
    from numpy.typing import NDArray

    from neuropil.checks import Rules
    from neuropil.classic.base import Floats

# The number of rows that are converted to double precision for the compiled loops at once.
BLOCK = 4096


@final
@dataclass(eq=False, repr=False)
class GrowingNeuralGas(Quantizer):
    """A graph that grows to cover the data; its edges follow their connectivity.

    Two nodes start on rows. For each row x, with s the nearest node and t the second:

    - the age of all edges of s increases by 1; ``error_s ← error_s + ‖x − w_s‖²``;
    - ``w_s ← w_s + lr (x − w_s)``, and ``w_n ← w_n + neighbor_lr (x − w_n)`` for each
      neighbour n of s;
    - the edge between s and t is created or renewed (age 0); edges older than `max_age` are
      removed, and nodes that lose their last edge by that;
    - after every `insert_every` rows a node is inserted halfway between the node q with the
      largest error and its neighbour f with the largest error, and connected to both instead of
      their edge; ``error_q`` and ``error_f`` are multiplied by `insertion_decay`, and the new
      node gets the error ``error_q``;
    - all errors are multiplied by `error_decay`.

    `predict` returns the connected component of the nearest node, `transform` the distances to
    all nodes. Nearest nodes are found in a tree of boxes, and errors decay by one common
    factor, so that a row costs little more in a large gas than in a small one.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        max_nodes: The largest number of nodes; no more are inserted then.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the nearest node, the fraction of the way to the row.
        neighbor_lr: Learning rate of the nearest node's neighbours.
        max_age: The largest age of an edge.
        insert_every: The number of rows between two insertions.
        insertion_decay: Factor of the errors of a new node's neighbours.
        error_decay: Factor of all errors after each row.
        random_state: Seed of the start and of the orders.

    Attributes:
        nodes_: Positions of the nodes, ``(n_nodes, n_features)``.
        edges_: The two nodes of each edge, by their rows in `nodes_`, ``(n_edges, 2)``.
        components_: The connected component of each node, from 0, ``(n_nodes)``.
        graph_: The graph as a `networkx.Graph`: nodes have a `position` and an `error`, edges
            an `age`.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Fritzke, "A Growing Neural Gas Network Learns Topologies", 1995, section 2. There rows
        are drawn at random with replacement.

    Example:
        >>> from sklearn.datasets import make_moons
        >>> X, _ = make_moons(1000, noise=0.05, random_state=0)
        >>> gas = GrowingNeuralGas(max_nodes=40, random_state=0).fit(X)
        >>> len(gas.nodes_), len(set(gas.predict(X).tolist()))  # one component for each moon
        (40, 2)
        >>> gas.graph_.number_of_nodes()
        40
    """

    max_nodes: int = 100
    _: KW_ONLY
    n_epochs: int = 20
    lr: float = 0.2
    neighbor_lr: float = 0.006
    max_age: int = 50
    insert_every: int = 100
    insertion_decay: float = 0.5
    error_decay: float = 0.995
    random_state: int | np.random.RandomState | None = None

    rules: ClassVar[Rules] = Quantizer.rules | {
        "max_nodes": partial(COUNT, minimum=2),
        "lr": interval("(0, 1]"),
        "neighbor_lr": interval("[0, 1]"),
        "max_age": COUNT,
        "insert_every": COUNT,
        "insertion_decay": interval("[0, 1]"),
        "error_decay": interval("(0, 1]"),
    }
    learnt: ClassVar[dict[str, Any]] = {
        "positions": array("double", "places features"),
        "errors": array("double", "places"),
        "wins": array("whole", "places"),
        "degrees": array("whole", "places"),
        "neighbors": array("whole", "places slots"),
        "births": array("whole", "places slots"),
        "free": array("whole", "places"),
        "counts": array("whole", "5"),
        "gain": array("double", "1"),
        "used": array("flag", "places"),
        "single": FLAG,
    }

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Grow a graph over rows, from the start.

        Args:
            X: Rows, at least two.
            y: Not used.

        Raises:
            ValueError: If an option or the data are invalid.
        """
        X, rates = self.training_rows(X), self.rates()
        random = check_random_state(self.random_state)
        self.begin(X, random)
        for _ in range(self.n_epochs):
            self.adapt(X, random.permutation(len(X)), rates)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - as above
        """Continue learning from more rows, in their order.

        Args:
            X: Rows; in the first call at least two.
            y: Not used.

        Raises:
            ValueError: If an option or the data are invalid.
        """
        X, rates = self.training_rows(X, first=not self.fitted), self.rates()
        if not self.fitted:
            self.begin(X, check_random_state(self.random_state))
        self.adapt(X, np.arange(len(X)), rates)
        return self

    @override
    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return the connected component, from 0, of the node that is nearest to each row."""
        labels = np.full(len(self._places()), -1)
        labels[self._places() >= 0] = self.components_
        return labels[self._winners(X)[0]]

    @override
    def transform(self, X: Any) -> Floats:
        X, nodes = self.rows(X), self.nodes_
        # Centred at the mean of the nodes, so that an offset of the data costs no digits.
        centre = nodes.mean(axis=0)
        return euclidean_distances(X - centre.astype(X.dtype), nodes - centre)

    @override
    def quantization_error(self, X: Any) -> float:
        """Return the mean distance from rows to their nearest nodes."""
        return float(self._winners(X)[1].mean())

    @property
    @override
    def search(self) -> Search:
        return Search(self.nodes_)

    @property
    def nodes_(self) -> Floats:
        """Positions of the nodes, one per row."""
        return self._gas.positions[self._places() >= 0].astype(self._dtype, copy=False)

    @property
    def edges_(self) -> NDArray[np.intp]:
        """The edges, one per row: the indices of both nodes in `nodes_`."""
        return self._edges()[:, :2]

    @property
    def components_(self) -> NDArray[np.intp]:
        """The connected component of each node, from 0."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        size = int((self._places() >= 0).sum())
        one, two = self.edges_.T
        adjacency = coo_array((np.ones(len(one)), (one, two)), shape=(size, size))
        return connected_components(adjacency, directed=False)[1].astype(np.intp)

    @property
    def graph_(self) -> networkx.Graph[int]:
        """The graph: nodes have a `position` and an `error`, edges an `age`."""
        import networkx

        alive = self._places() >= 0
        errors = self._gas.errors[alive] / self._gas.gain[0]
        graph = networkx.Graph()
        for node, (position, error) in enumerate(zip(self.nodes_, errors, strict=True)):
            graph.add_node(node, position=position, error=float(error))
        graph.add_edges_from((*ends, {"age": age}) for *ends, age in self._edges().tolist())
        return graph

    @override
    def training_rows(self, X: Any, *, first: bool = True) -> Floats:
        least = 2 if first else 1
        return self.check_magnitude(
            self.training_input(X, first=first, ensure_min_samples=least)
        )

    @override
    def learnt_values(self) -> dict[str, Any]:
        return self._gas._asdict() | {
            "used": self._places() >= 0,
            "single": self._dtype == np.float32,
        }

    @override
    def set_learnt(self, values: Mapping[str, Any]) -> None:
        values = dict(values)
        used, single = values.pop("used"), values.pop("single")
        self._gas = Gas(**values)
        self.require(consistent=sound(self._gas, used))
        self._tree = tree_of(self._gas, used)
        self._dtype = np.dtype(np.float32 if single else np.float64)

    def rates(self) -> Rates:
        """Return the options of learning, in the types that the loop is compiled for."""
        return Rates(**self.plain_options(*Rates._fields))

    def begin(self, X: Floats, random: np.random.RandomState) -> None:
        """Start with nodes on two rows."""
        most = min(self.max_nodes, 2 + self.n_epochs * len(X) // self.insert_every)
        self.require_room(2.0 * most * (2 * X.shape[1] + 2 * EDGES_AT_FIRST))
        start = X[random.choice(len(X), 2, replace=False)]
        self._dtype = X.dtype
        self._gas, self._tree = make_room(first_gas(start))

    def adapt(self, X: Floats, order: NDArray[np.intp], rates: Rates) -> None:
        """Learn from rows in an order."""
        for block in blocks(order):
            rows = X[block].astype(np.float64)
            at = learn(self._gas, self._tree, rows, 0, rates)
            # The compiled loop stops when it needs larger arrays or a new tree, and is resumed.
            while at < len(rows) or self._gas.counts[DUE]:
                self._gas, self._tree = make_room(self._gas, self._tree)
                at = learn(self._gas, self._tree, rows, at, rates)
        # Rebuilt from the gas alone, so that a saved and loaded network has the same tree.
        self._tree = tree_of(self._gas, self._places() >= 0)

    def _places(self) -> NDArray[np.intp]:
        """Return the leaf of each place, or −1 for an unused place."""
        check_is_fitted(self)
        return self._tree.leaf_of

    def _edges(self) -> NDArray[np.int64]:
        """Return the edges: both ends and the age, one edge per row."""
        return edges_of(self._gas, self._places() >= 0)

    def _winners(self, X: Any) -> tuple[NDArray[np.intp], Floats]:
        """Return the place of the node nearest to each row, and its distance."""
        X = self.rows(X)
        found = [
            winners(self._tree, self._gas.positions, X[block].astype(np.float64))
            for block in blocks(np.arange(len(X)))
        ]
        nodes, distances = zip(*found, strict=True)
        return np.concatenate(nodes), np.concatenate(distances)

    @property
    @override
    def fitted(self) -> bool:
        return hasattr(self, "_gas")


def blocks(order: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return an order of rows in blocks."""
    return [order[at : at + BLOCK] for at in range(0, len(order), BLOCK)]
