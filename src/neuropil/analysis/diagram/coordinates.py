"""Horizontal coordinates of the vertices of a layered graph, after Brandes and Köpf."""

from __future__ import annotations

import itertools
from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Rows: TypeAlias = "Sequence[Sequence[int]]"
Neighbours: TypeAlias = "Mapping[int, Sequence[int]]"


def coordinates(
    rows: Rows,
    above: Neighbours,
    below: Neighbours,
    widths: Sequence[float],
    boxes: int,
    gap: float,
) -> list[float]:
    """Return the horizontal centre of each vertex.

    Each vertex is aligned with its median neighbour in the previous row, and the resulting
    columns are placed as close as their widths allow. This is done from above and from below,
    from the left and from the right. The mean of the middle two results keeps columns straight
    that are straight in all four.

    Args:
        rows: Vertices of each row from left to right.
        above: For each vertex, those in the row above that it is aligned with.
        below: For each vertex, those in the row below that it is aligned with.
        widths: Width of each vertex.
        boxes: Vertices below this number are boxes; the others are points of long edges.
        gap: Least distance between neighbours in a row.

    Reference:
        Brandes and Köpf, "Fast and simple horizontal coordinate assignment", 2001.
    """
    # The paper's four passes: two vertical directions, each with two horizontal ones. Reversed
    # rows let one pass serve all four.
    apart = conflicts(rows, above, boxes)
    results: list[dict[int, float]] = []
    for neighbours, downwards in ((above, 1), (below, -1)):
        for leftwards in (1, -1):
            turned = [row[::leftwards] for row in rows[::downwards]]
            roots = align(turned, neighbours, apart)
            places = compact(turned, roots, widths, gap)
            results.append({v: leftwards * x for v, x in places.items()})
    return balance(results, widths)


def conflicts(rows: Rows, above: Neighbours, boxes: int) -> set[tuple[int, int]]:
    """Return the edges that are not aligned, since they cross the inner part of a long edge."""
    # Type 1 conflicts: an inner segment, between two points of long edges, is crossed by a
    # segment that is not inner. Long edges stay straight, so the other segment is not aligned.
    giving_way: set[tuple[int, int]] = set()
    for upper, lower in itertools.pairwise(rows):
        place = {vertex: index for index, vertex in enumerate(upper)}
        edges = [(place[u], i, u, v) for i, v in enumerate(lower) for u in above.get(v, ())]
        straight = [(p, i) for p, i, u, v in edges if u >= boxes and v >= boxes]
        giving_way.update(
            (u, v)
            for p, i, u, v in edges
            if (u < boxes or v < boxes) and any((p - q) * (i - j) < 0 for q, j in straight)
        )
    return giving_way


def align(rows: Rows, neighbours: Neighbours, apart: set[tuple[int, int]]) -> dict[int, int]:
    """Return for each vertex the first vertex of its column."""
    root = {vertex: vertex for row in rows for vertex in row}
    for before, row in itertools.pairwise(rows):
        place = {vertex: index for index, vertex in enumerate(before)}
        # Alignments must not cross, so each lies after the previous one.
        reached = -1
        taken: set[int] = set()
        for vertex in row:
            near = sorted((v for v in neighbours.get(vertex, ())), key=place.__getitem__)
            # The lower and the upper median, which are equal for an odd number.
            middle = near[(len(near) - 1) // 2 : len(near) // 2 + 1]
            for other in middle:
                free = vertex not in taken and reached < place[other]
                if free and not {(other, vertex), (vertex, other)} & apart:
                    root[vertex] = root[other]
                    reached = place[other]
                    taken.add(vertex)
    return root


def compact(
    rows: Rows, roots: Mapping[int, int], widths: Sequence[float], gap: float
) -> dict[int, float]:
    """Return the coordinates of columns placed as close together as their widths allow."""
    # In place of the paper's classes and shifts: a column's coordinate is the length of the
    # longest path of columns to its left, computed in topological order.
    distances: dict[int, dict[int, float]] = {root: {} for root in roots.values()}
    for row in rows:
        for left, right in itertools.pairwise(row):
            least = (widths[left] + widths[right]) / 2 + gap
            before = distances[roots[right]]
            before[roots[left]] = max(before.get(roots[left], 0), least)
    places: dict[int, float] = {}
    order = list(TopologicalSorter(distances).static_order())
    for column in order:
        places[column] = max((places[c] + d for c, d in distances[column].items()), default=0)
    rooms: dict[int, list[float]] = defaultdict(list)
    for column in reversed(order):
        # A column with room to its right moves up to its neighbour.
        places[column] = max(places[column], min(rooms[column], default=places[column]))
        for other, distance in distances[column].items():
            rooms[other].append(places[column] - distance)
    return {vertex: places[root] for vertex, root in roots.items()}


def balance(results: Sequence[Mapping[int, float]], widths: Sequence[float]) -> list[float]:
    """Return the mean of the middle two of four results, each aligned to the narrowest."""
    ends = [
        (
            min(x - widths[vertex] / 2 for vertex, x in result.items()),
            max(x + widths[vertex] / 2 for vertex, x in result.items()),
        )
        for result in results
    ]
    # The mean of the two medians keeps the order in each row and the least distances, since
    # all four results do.
    left, right = min(ends, key=lambda end: end[1] - end[0])
    moves = [
        left - low if turn % 2 == 0 else right - high for turn, (low, high) in enumerate(ends)
    ]
    places: list[float] = []
    for vertex in range(len(widths)):
        four = sorted(r[vertex] + move for r, move in zip(results, moves, strict=True))
        places.append((four[1] + four[2]) / 2)
    return places
