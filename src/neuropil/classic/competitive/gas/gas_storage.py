"""Storage of a growing gas: arrays that double when full, and the trees built over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.competitive.gas.box_tree import BoxTree, build, empty_tree
from neuropil.classic.competitive.gas.loops import FREE, FRESH, NODES, Gas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats

NODES_AT_FIRST, EDGES_AT_FIRST = 64, 12
# The number of signals until the tree is rebuilt: few enough that its boxes stay tight, and
# enough that building costs little compared with learning.
SIGNALS_AT_LEAST, SIGNALS_PER_NODE = 1000, 16


def first_gas(positions: Floats) -> Gas:
    """Return a gas of nodes at positions, without edges."""
    nodes, columns = positions.shape
    gas = Gas(
        positions=np.zeros((NODES_AT_FIRST, columns)),
        errors=np.zeros(NODES_AT_FIRST),
        wins=np.zeros(NODES_AT_FIRST, np.int64),
        degrees=np.zeros(NODES_AT_FIRST, np.intp),
        neighbors=np.zeros((NODES_AT_FIRST, EDGES_AT_FIRST), np.intp),
        births=np.zeros((NODES_AT_FIRST, EDGES_AT_FIRST), np.int64),
        free=np.arange(NODES_AT_FIRST)[::-1].copy(),
        counts=np.zeros(5, np.int64),
        gain=np.ones(1),
    )
    gas.positions[:nodes] = positions
    gas.counts[NODES], gas.counts[FREE] = nodes, NODES_AT_FIRST - nodes
    return gas


def make_room(gas: Gas, tree: BoxTree | None = None) -> tuple[Gas, BoxTree]:
    """Return a gas with room for one more node and one more edge per node, and a new tree.

    Args:
        gas: The gas; it must not be used afterwards.
        tree: Its tree so far; None if the nodes in use are the first ones.
    """
    used = np.arange(gas.counts[NODES]) if tree is None else np.flatnonzero(tree.leaf_of >= 0)
    if gas.counts[FREE] == 0:
        gas = with_more_nodes(gas)
    if gas.degrees.max() == gas.neighbors.shape[1]:
        gas = gas._replace(
            neighbors=double(gas.neighbors, axis=1), births=double(gas.births, axis=1)
        )
    in_use = np.zeros(len(gas.errors), bool)
    in_use[used] = True
    return gas, tree_of(gas, in_use)


def tree_of(gas: Gas, used: NDArray[np.bool_]) -> BoxTree:
    """Return a new tree of the nodes of a gas.

    Args:
        gas: The gas; its count of signals until the next tree is reset.
        used: Which places hold nodes.
    """
    places = np.flatnonzero(used)
    tree = empty_tree(len(places), *gas.positions.shape)
    build(tree, gas.positions, places)
    gas.counts[FRESH] = SIGNALS_AT_LEAST + SIGNALS_PER_NODE * len(places)
    return tree


def sound(gas: Gas, used: NDArray[np.bool_]) -> bool:
    """Tell whether the parts of a gas are consistent, so that loops stay within its arrays.

    Args:
        gas: The gas.
        used: Which places hold nodes.
    """
    slots = gas.neighbors.shape[1]
    nodes, signals, _, due, free = gas.counts.tolist()
    counted = nodes == used.sum() >= 2 and free == (~used).sum() and due == 0 and signals >= 0
    if not counted or gas.gain[0] < 1:
        return False
    freed = np.array_equal(np.sort(gas.free[:free]), np.flatnonzero(~used))
    degrees = (gas.degrees >= 0) & (gas.degrees <= slots) & (used | (gas.degrees == 0))
    errors = (gas.errors == 0) | ((gas.errors > 0) & (gas.degrees > 0))
    return freed and bool((degrees & errors).all()) and sound_edges(gas, used)


def sound_edges(gas: Gas, used: NDArray[np.bool_]) -> bool:
    """Tell whether each edge is stored once at each of its ends, with the same age."""
    node, slot = np.nonzero(np.arange(gas.neighbors.shape[1]) < gas.degrees[:, None])
    other = gas.neighbors[node, slot]
    inside = (other >= 0) & (other < len(used)) & (node != other)
    if not inside.all() or not used[other].all():
        return False
    edges = np.stack([node, other, gas.births[node, slot]], axis=1)
    once = len(np.unique(edges[:, :2], axis=0)) == len(edges)
    there, back = np.unique(edges, axis=0), np.unique(edges[:, [1, 0, 2]], axis=0)
    return once and np.array_equal(there, back)


def with_more_nodes(gas: Gas) -> Gas:
    """Return a gas with twice the places for nodes; all places must be in use."""
    taken = len(gas.errors)
    free = np.zeros(2 * taken, np.intp)
    free[:taken] = np.arange(taken, 2 * taken)[::-1]
    gas.counts[FREE] = taken
    per_node = ("positions", "errors", "wins", "degrees", "neighbors", "births")
    larger = {name: double(getattr(gas, name), axis=0) for name in per_node}
    return gas._replace(free=free, **larger)


def double(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return an array twice as long along an axis, with zeros at the end."""
    return np.concatenate([array, np.zeros_like(array)], axis=axis)


def edges_of(gas: Gas, alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the edges: both ends, as indices among the nodes in use, and the age."""
    present = np.arange(gas.neighbors.shape[1]) < gas.degrees[:, None]
    node, slot = np.nonzero(present & alive[:, None])
    other = gas.neighbors[node, slot]
    age = gas.wins[node] + gas.wins[other] - gas.births[node, slot]
    number = np.cumsum(alive) - 1
    edges = np.stack([number[node], number[other], age], axis=1)
    return edges[edges[:, 0] < edges[:, 1]]
