"""Layout of a graph's boxes in rows, with long edges routed past them."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from neuropil.analysis.diagram.coordinates import coordinates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Maximum number of passes that improve the order of the rows, and of passes without progress.
SWEEPS, PATIENCE = 24, 4


class Edge(NamedTuple):
    """A line from one box to another.

    Args:
        source: Position of the box that it leaves.
        target: Position of the box that it enters.
        skips: Whether a longer path leads from the source to the target.
    """

    source: int
    target: int
    skips: bool


class Layout(NamedTuple):
    """Coordinates of the boxes and edges of a graph.

    Args:
        rows: Row of each box, from 0 at the top.
        centres: Horizontal centre of each box.
        routes: For each edge, its horizontal coordinate in each row that it passes.
    """

    rows: list[int]
    centres: list[float]
    routes: dict[Edge, list[float]]


def layout(inputs: Sequence[Sequence[int]], *, box: float, line: float, gap: float) -> Layout:
    """Lay out a directed acyclic graph in rows, as Sugiyama, Tagawa and Toda (1981) do.

    Each box is one row below the lowest of its inputs. Edges over several rows pass the rows
    between through points of their own, ordered so that few edges cross. Straight paths become
    straight columns; connections that skip boxes run beside them.

    Args:
        inputs: For each box, the positions of its inputs, all before it.
        box: Width of a box.
        line: Width that an edge takes as it passes a row.
        gap: Least distance between neighbours in a row.
    """
    edges = edges_of(inputs)
    rows = rows_of(inputs, edges)
    graph = LayeredGraph(rows, edges)
    order = order_rows(graph)
    count = len(inputs)
    widths = [box if vertex < count else line for vertex in range(graph.size)]
    places = coordinates(
        order, graph.firm_above, graph.firm_below, widths, boxes=count, gap=gap
    )
    routes = {edge: [places[v] for v in chain] for edge, chain in graph.chains.items()}
    return Layout(rows, places[:count], routes)


def edges_of(inputs: Sequence[Sequence[int]]) -> list[Edge]:
    """Return the edges, each once, and whether they skip boxes on a longer path."""
    below: dict[int, set[int]] = defaultdict(set)
    for target, sources in enumerate(inputs):
        for source in sources:
            below[source].add(target)
    # Each set of boxes is the bits of one integer, which makes unions fast.
    reached = [0] * len(inputs)
    for source in reversed(range(len(inputs))):
        for target in below[source]:
            reached[source] |= reached[target] | 1 << target
    return [
        Edge(source, target, any(reached[other] >> target & 1 for other in below[source]))
        for target, sources in enumerate(inputs)
        for source in dict.fromkeys(sources)
    ]


def rows_of(inputs: Sequence[Sequence[int]], edges: Iterable[Edge]) -> list[int]:
    """Return the row of each box: below all its inputs; a source is just above its users."""
    rows: list[int] = []
    for sources in inputs:
        rows.append(max((rows[source] + 1 for source in sources), default=0))
    takers: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        takers[edge.source].append(rows[edge.target])
    for place, sources in enumerate(inputs):
        if not sources and takers[place]:
            rows[place] = min(takers[place]) - 1
    return rows


class LayeredGraph:
    """A graph in which every edge joins neighbouring rows: long edges are chains of vertices.

    Args:
        rows: Row of each box.
        edges: Edges between boxes.
    """

    def __init__(self, rows: Sequence[int], edges: Sequence[Edge]) -> None:
        self.size = self.boxes = len(rows)
        self.row = list(rows)
        self.chains: dict[Edge, list[int]] = {}
        self.lanes: dict[int, list[int]] = {}
        self.above: dict[int, list[int]] = defaultdict(list)
        self.below: dict[int, list[int]] = defaultdict(list)
        # Neighbours without the ends of connections that skip boxes, which must not pull boxes
        # into another column or another order.
        self.firm_above: dict[int, list[int]] = defaultdict(list)
        self.firm_below: dict[int, list[int]] = defaultdict(list)
        # Short connections come first, so that longer ones run further out.
        for edge in sorted(edges, key=lambda e: (e.skips, rows[e.target] - rows[e.source])):
            self.add(edge)

    def add(self, edge: Edge) -> None:
        """Add an edge, with a vertex in each row that it passes."""
        # All connections that skip boxes and start at the same source share a lane.
        lane = self.lanes.setdefault(edge.source, []) if edge.skips else []
        known = len(lane)
        between = range(self.row[edge.source] + 1, self.row[edge.target])
        for row in between[known:]:
            lane.append(self.size)
            self.row.append(row)
            self.size += 1
        chain = [edge.source, *lane, edge.target]
        self.chains[edge] = lane[: len(between)]
        for upper, lower in itertools.pairwise(chain[known:]):
            self.below[upper].append(lower)
            self.above[lower].append(upper)
            if not edge.skips or (upper >= self.boxes and lower >= self.boxes):
                self.firm_below[upper].append(lower)
                self.firm_above[lower].append(upper)


def order_rows(graph: LayeredGraph) -> list[list[int]]:
    """Return the vertices of each row from left to right, so that few edges cross."""
    best = first_order(graph)
    fewest = crossings(best, graph)
    order, vain = [list(level) for level in best], 0
    for sweep in range(SWEEPS):
        if not fewest or vain == PATIENCE:
            break
        downwards = sweep % 2 == 0
        levels = range(1, len(order)) if downwards else range(len(order) - 2, -1, -1)
        firm, all_ = (
            (graph.firm_above, graph.above) if downwards else (graph.firm_below, graph.below)
        )
        for level in levels:
            fixed = order[level - 1 if downwards else level + 1]
            near = {v: firm.get(v) or all_.get(v, []) for v in order[level]}
            order[level] = by_barycentre(order[level], fixed, near)
        count = crossings(order, graph)
        vain = 0 if count < fewest else vain + 1
        if count < fewest:
            best, fewest = [list(level) for level in order], count
    return best


def first_order(graph: LayeredGraph) -> list[list[int]]:
    """Return the vertices of each row in the order of a depth-first search."""
    levels: list[list[int]] = [[] for _ in range(max(graph.row, default=-1) + 1)]
    seen: set[int] = set()
    waiting = [v for v in reversed(range(graph.size)) if not graph.above.get(v)]
    while waiting:
        vertex = waiting.pop()
        if vertex in seen:
            continue
        seen.add(vertex)
        levels[graph.row[vertex]].append(vertex)
        waiting += reversed(graph.below.get(vertex, []))
    return levels


def by_barycentre(
    level: Sequence[int], fixed: Sequence[int], neighbours: Mapping[int, Sequence[int]]
) -> list[int]:
    """Return a row's vertices ordered by the mean place of their neighbours in a fixed row."""
    place = {vertex: index for index, vertex in enumerate(fixed)}
    means = {
        v: sum(place[u] for u in near) / len(near) for v, near in neighbours.items() if near
    }
    # Vertices without neighbours there keep their places among the others.
    movable = iter(sorted((v for v in level if v in means), key=means.__getitem__))
    return [next(movable) if vertex in means else vertex for vertex in level]


def crossings(order: Sequence[Sequence[int]], graph: LayeredGraph) -> int:
    """Return the number of pairs of edges that cross."""
    total = 0
    for upper, lower in itertools.pairwise(order):
        place = {vertex: index for index, vertex in enumerate(lower)}
        ends = [
            end
            for vertex in upper
            for end in sorted(place[v] for v in graph.below.get(vertex, []))
        ]
        # Edges sorted by their upper ends cross once for each pair of lower ends in descending
        # order (Barth, Jünger and Mutzel, 2002).
        total += inversions(ends)
    return total


def inversions(numbers: list[int]) -> int:
    """Return the number of pairs in descending order."""
    total = 0
    before: list[int] = []
    for number in numbers:
        place = bisect.bisect(before, number)
        total += len(before) - place
        before.insert(place, number)
    return total
