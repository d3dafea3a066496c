"""A tree of bounding boxes, to find the two nearest of a set of moving points.

The tree is complete: node i has the children 2i + 1 and 2i + 2, and each leaf holds up to
`ROOM` points. A point that moves out of its boxes widens them, so that every answer is exact;
the tree is rebuilt from time to time, before its boxes become too wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuropil.classic.compiled import REORDERED, compile_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neuropil.classic.base import Floats, Indices

# The capacity of a leaf, and the number of points it is built with; later points fill the rest.
ROOM, FILL = 16, 8
# The largest depth of the tree, and so of the stack of nodes to visit: 2⁶⁴ points.
DEEPEST = 64


class BoxTree(NamedTuple):
    """A tree of boxes around points.

    Attributes:
        low: Lower corner of each node's box, (nodes, columns).
        high: Upper corner.
        members: Points of each leaf, (leaves, ROOM).
        counts: The number of points of each leaf.
        leaf_of: The leaf of each point; −1 for indices that are not points of the tree.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    members: NDArray[np.intp]
    counts: NDArray[np.intp]
    leaf_of: NDArray[np.intp]


def empty_tree(points: int, room: int, columns: int) -> BoxTree:
    """Return an empty tree, which `build` then fills.

    Args:
        points: The number of points.
        room: The largest index of a point, plus one.
        columns: The dimension.
    """
    leaves = 1
    while leaves * FILL < points:
        leaves *= 2
    low = np.empty((2 * leaves - 1, columns))
    members = np.empty((leaves, ROOM), np.intp)
    counts, leaf_of = np.zeros(leaves, np.intp), np.full(room, -1, np.intp)
    return BoxTree(low, np.empty_like(low), members, counts, leaf_of)


@compile_loop()
def build(tree: BoxTree, points: Floats, order: Indices) -> None:
    """Fill a tree by repeatedly splitting the points at the median of the widest column.

    Args:
        tree: The result of `empty_tree` for this number of points; changed.
        points: The points, one per row.
        order: The rows that are points of the tree; sorted in place.
    """
    leaves = tree.counts.size
    starts = np.empty(2 * leaves, np.intp)
    ends = np.empty(2 * leaves, np.intp)
    starts[0], ends[0] = 0, order.size
    for node in range(2 * leaves - 1):
        start, end = starts[node], ends[node]
        widest = enclose(tree, node, points, order[start:end])
        if node < leaves - 1:
            middle = (start + end) // 2
            partition(points, order, start, end, middle, widest)
            starts[2 * node + 1], ends[2 * node + 1] = start, middle
            starts[2 * node + 2], ends[2 * node + 2] = middle, end
        else:
            leaf = node - leaves + 1
            tree.counts[leaf] = end - start
            for i in range(start, end):
                tree.members[leaf, i - start] = order[i]
                tree.leaf_of[order[i]] = leaf


@compile_loop()
def enclose(tree: BoxTree, node: int, points: Floats, members: Indices) -> int:
    """Set the bounding box of a node, and return its widest column."""
    widest, width = 0, -1.0
    for j in range(points.shape[1]):
        low, high = np.inf, -np.inf
        for i in members:
            low, high = min(low, points[i, j]), max(high, points[i, j])
        tree.low[node, j], tree.high[node, j] = low, high
        if high - low > width:
            widest, width = j, high - low
    return widest


@compile_loop()
def partition(
    points: Floats, order: Indices, start: int, end: int, middle: int, column: int
) -> None:
    """Partition rows so that no value from `middle` on is below one before it (quickselect)."""
    end -= 1
    while start < end:
        pivot = points[order[(start + end) // 2], column]
        i, j = start, end
        while i <= j:
            while points[order[i], column] < pivot:
                i += 1
            while points[order[j], column] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            end = j
        elif middle >= i:
            start = i
        else:
            break


@compile_loop(fastmath=REORDERED)
def squared_distance(x: Floats, point: Floats) -> float:
    """Return ‖x − point‖²."""
    total = 0.0
    for j in range(x.size):
        step = x[j] - point[j]
        total += step * step
    return total


@compile_loop(fastmath=REORDERED)
def to_box(x: Floats, low: Floats, high: Floats) -> float:
    """Return the squared distance from x to a box, 0 inside."""
    total = 0.0
    for j in range(x.size):
        step = max(low[j] - x[j], x[j] - high[j])
        if step > 0:
            total += step * step
    return total


@compile_loop()
def two_nearest(
    tree: BoxTree, points: Floats, x: Floats, waiting: Indices, bounds: Floats
) -> tuple[int, int, float]:
    """Return the two points nearest to x, and the squared distance of the first.

    Args:
        tree: The tree, with at least two points.
        points: The points, one per row.
        x: The query.
        waiting: Scratch of length `DEEPEST`: the stack of nodes to visit.
        bounds: Scratch of length `DEEPEST`: the squared distances of their boxes.
    """
    # Branch and bound: a box farther than the second nearest point so far cannot improve it.
    inner = tree.counts.size - 1
    first, second = -1, -1
    nearest, next_nearest = np.inf, np.inf
    waiting[0], bounds[0], depth = 0, 0.0, 1
    while depth > 0:
        depth -= 1
        node = waiting[depth]
        if bounds[depth] > next_nearest:
            continue
        while node < inner:
            node, other, bound = nearer_half(tree, node, x)
            if bound <= next_nearest:
                waiting[depth], bounds[depth] = other, bound
                depth += 1
        leaf = node - inner
        for i in range(tree.counts[leaf]):
            point = tree.members[leaf, i]
            distance = squared_distance(x, points[point])
            if distance < nearest:
                second, next_nearest = first, nearest
                first, nearest = point, distance
            elif distance < next_nearest:
                second, next_nearest = point, distance
    return first, second, nearest


@compile_loop()
def nearer_half(tree: BoxTree, node: int, x: Floats) -> tuple[int, int, float]:
    """Return the nearer child of a node, the other, and the squared distance to the other."""
    left, right = 2 * node + 1, 2 * node + 2
    to_left = to_box(x, tree.low[left], tree.high[left])
    to_right = to_box(x, tree.low[right], tree.high[right])
    if to_right < to_left:
        return right, left, to_left
    return left, right, to_right


@compile_loop()
def widen(tree: BoxTree, leaf: int, point: Floats) -> None:
    """Extend the boxes of a leaf and of its ancestors to hold a point."""
    node = leaf + tree.counts.size - 1
    while True:
        held = True
        for j in range(point.size):
            if point[j] < tree.low[node, j]:
                tree.low[node, j], held = point[j], False
            if point[j] > tree.high[node, j]:
                tree.high[node, j], held = point[j], False
        if held or node == 0:
            break
        node = (node - 1) // 2


@compile_loop()
def put(tree: BoxTree, leaf: int, index: int, point: Floats) -> None:
    """Add a point to a leaf that is not full."""
    tree.members[leaf, tree.counts[leaf]] = index
    tree.counts[leaf] += 1
    tree.leaf_of[index] = leaf
    widen(tree, leaf, point)


@compile_loop()
def take_out(tree: BoxTree, index: int) -> None:
    """Remove a point; the boxes do not change."""
    leaf = tree.leaf_of[index]
    last = tree.counts[leaf] - 1
    for i in range(last):
        if tree.members[leaf, i] == index:
            tree.members[leaf, i] = tree.members[leaf, last]
            break
    tree.counts[leaf] = last
    tree.leaf_of[index] = -1
