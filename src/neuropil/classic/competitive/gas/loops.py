"""The compiled loops of growing neural gas."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuropil.classic.competitive.gas.box_tree import (
    DEEPEST,
    ROOM,
    BoxTree,
    put,
    take_out,
    two_nearest,
    widen,
)
from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats, Indices

# Indices in `Gas.counts`: number of nodes, signals so far, signals until the tree is rebuilt,
# whether an insertion is due, and number of free places.
NODES, SIGNALS, FRESH, DUE, FREE = range(5)
# Instead of decaying all errors, new errors are multiplied by a growing gain, so that a signal
# changes one error only. All are divided by the gain when it exceeds this.
LARGEST_GAIN = 1e100


class Gas(NamedTuple):
    """The graph of a growing gas. Node i is in use while the tree contains it.

    Attributes:
        positions: Positions of the nodes, one per row.
        errors: Accumulated squared distances of each node, times `gain`.
        wins: The number of times each node was the nearest.
        degrees: The number of edges of each node.
        neighbors: The nodes at the other ends of these edges.
        births: The sum of both ends' `wins` when the edge was created or renewed; its age is
            the increase of that sum since then.
        free: A stack of unused places.
        counts: See `NODES` and the following constants.
        gain: The factor of all errors, an array of one number.
    """

    positions: NDArray[np.float64]
    errors: NDArray[np.float64]
    wins: NDArray[np.int64]
    degrees: NDArray[np.intp]
    neighbors: NDArray[np.intp]
    births: NDArray[np.int64]
    free: NDArray[np.intp]
    counts: NDArray[np.int64]
    gain: NDArray[np.float64]


class Rates(NamedTuple):
    """The options of `GrowingNeuralGas` that the loops need."""

    lr: float
    neighbor_lr: float
    max_age: int
    insert_every: int
    insertion_decay: float
    error_decay: float
    max_nodes: int


@compile_loop()
def learn(gas: Gas, tree: BoxTree, X: Floats, start: int, rates: Rates) -> int:
    """Learn from rows, up to the last or until more room or a new tree is needed.

    Args:
        gas: The graph; changed.
        tree: Its positions; changed.
        X: Rows.
        start: The first row to learn from.
        rates: The options of learning.

    Returns:
        The next row to learn from.
    """
    waiting, bounds = np.empty(DEEPEST, np.intp), np.empty(DEEPEST)
    at = start
    while True:
        if gas.counts[DUE] and not insert(gas, tree, rates.insertion_decay):
            break
        if at == len(X) or gas.counts[FRESH] == 0:
            break
        x = X[at]
        first, second, distance = two_nearest(tree, gas.positions, x, waiting, bounds)
        width = gas.neighbors.shape[1]
        if gas.degrees[first] == width or gas.degrees[second] == width:
            break
        # Fritzke's step 3: counting the winner's wins increases the age of all of its edges.
        gas.wins[first] += 1
        # Step 4, in units of the errors' common factor.
        gas.errors[first] += distance * gas.gain[0]
        # Step 5: move the winner and its neighbours towards the row.
        follow(gas, tree, first, x, rates.lr)
        for i in range(gas.degrees[first]):
            follow(gas, tree, gas.neighbors[first, i], x, rates.neighbor_lr)
        # Steps 6 and 7: only edges of the winner have aged, so only they can be too old.
        connect(gas, first, second)
        drop_old_edges(gas, tree, first, rates.max_age)
        # Step 9. Step 8 is `insert`, at the start of the next iteration, where the loop can
        # stop for lack of room.
        decay(gas, rates.error_decay)
        gas.counts[SIGNALS] += 1
        gas.counts[FRESH] -= 1
        if gas.counts[SIGNALS] % rates.insert_every == 0:
            gas.counts[DUE] = gas.counts[NODES] < rates.max_nodes
        at += 1
    return at


@compile_loop()
def follow(gas: Gas, tree: BoxTree, node: int, x: Floats, rate: float) -> None:
    """Move a node towards x."""
    position = gas.positions[node]
    for j in range(x.size):
        position[j] += rate * (x[j] - position[j])
    widen(tree, tree.leaf_of[node], position)


@compile_loop()
def place(gas: Gas, node: int, other: int) -> int:
    """Return the index of a node's edge to another among its edges, or −1."""
    for i in range(gas.degrees[node]):
        if gas.neighbors[node, i] == other:
            return i
    return -1


@compile_loop()
def connect(gas: Gas, node: int, other: int) -> None:
    """Create or renew the edge between two nodes."""
    # An age of 0 now; it grows by 1 with each win of either end.
    birth = gas.wins[node] + gas.wins[other]
    for one, two in ((node, other), (other, node)):
        i = place(gas, one, two)
        if i < 0:
            i = gas.degrees[one]
            gas.degrees[one] += 1
            gas.neighbors[one, i] = two
        gas.births[one, i] = birth


@compile_loop()
def disconnect(gas: Gas, node: int, other: int) -> None:
    """Remove the edge between two nodes."""
    for one, two in ((node, other), (other, node)):
        i, last = place(gas, one, two), gas.degrees[one] - 1
        gas.neighbors[one, i] = gas.neighbors[one, last]
        gas.births[one, i] = gas.births[one, last]
        gas.degrees[one] = last


@compile_loop()
def drop_old_edges(gas: Gas, tree: BoxTree, node: int, max_age: int) -> None:
    """Remove a node's edges that are too old, and neighbours left without an edge."""
    # Backwards, since `disconnect` moves the last edge into the gap.
    for i in range(gas.degrees[node] - 1, -1, -1):
        other = gas.neighbors[node, i]
        if gas.wins[node] + gas.wins[other] - gas.births[node, i] > max_age:
            disconnect(gas, node, other)
            if gas.degrees[other] == 0:
                take_out(tree, other)
                gas.errors[other] = 0
                gas.free[gas.counts[FREE]] = other
                gas.counts[FREE] += 1
                gas.counts[NODES] -= 1


@compile_loop()
def decay(gas: Gas, rate: float) -> None:
    """Decay all errors, by raising the gain of new ones."""
    # Dividing the gain by d is the same as multiplying all errors by d.
    gas.gain[0] /= rate
    if gas.gain[0] > LARGEST_GAIN:
        for node in range(gas.errors.size):
            gas.errors[node] /= gas.gain[0]
        gas.gain[0] = 1


@compile_loop()
def insert(gas: Gas, tree: BoxTree, share: float) -> bool:
    """Insert a node between the node of largest error and its neighbour of largest error.

    Args:
        gas: The graph; changed.
        tree: Its positions; changed.
        share: Factor of the errors of these two.

    Returns:
        False if all places are in use or the tree's leaf is full; else True.
    """
    worst = 0
    for node in range(1, gas.errors.size):
        if gas.errors[node] > gas.errors[worst]:
            worst = node
    if gas.errors[worst] > 0:
        leaf = tree.leaf_of[worst]
        if gas.counts[FREE] == 0 or tree.counts[leaf] == ROOM:
            return False
        other = int(gas.neighbors[worst, 0])
        for i in range(1, gas.degrees[worst]):
            if gas.errors[gas.neighbors[worst, i]] > gas.errors[other]:
                other = int(gas.neighbors[worst, i])
        gas.counts[FREE] -= 1
        new = int(gas.free[gas.counts[FREE]])
        for j in range(gas.positions.shape[1]):
            # Fritzke's step 8: halfway between q and f.
            middle = (gas.positions[worst, j] + gas.positions[other, j]) / 2
            gas.positions[new, j] = middle
        gas.wins[new] = gas.degrees[new] = 0
        disconnect(gas, worst, other)
        connect(gas, worst, new)
        connect(gas, other, new)
        # The new node gets the error of q after its reduction.
        gas.errors[worst] *= share
        gas.errors[other] *= share
        gas.errors[new] = gas.errors[worst]
        gas.counts[NODES] += 1
        put(tree, leaf, new, gas.positions[new])
    gas.counts[DUE] = 0
    return True


@compile_loop()
def winners(tree: BoxTree, positions: Floats, X: Floats) -> tuple[Indices, Floats]:
    """Return the node nearest to each row, and its distance."""
    waiting, bounds = np.empty(DEEPEST, np.intp), np.empty(DEEPEST)
    nodes, distances = np.empty(len(X), np.intp), np.empty(len(X))
    for row in range(len(X)):
        first, _, distance = two_nearest(tree, positions, X[row], waiting, bounds)
        nodes[row], distances[row] = first, np.sqrt(distance)
    return nodes, distances
