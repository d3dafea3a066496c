"""Horizontal places for the vertices of a graph in rows, after Brandes and Köpf."""

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

    Each vertex is aligned with the middle one of its neighbours in the row before, and columns
    so found are set as close as their widths allow. That is done from above and from below,
    from the left and from the right; the mean of the middle two keeps straight what is straight
    in all.

    Args:
        rows: The vertices of each row from left to right.
        above: For each vertex those in the row above that it is aligned with.
        below: Likewise in the row below.
        widths: The width of each vertex.
        boxes: Vertices below this number are boxes, the others places where long edges pass.
        gap: The least distance between neighbours in a row.

    Reference:
        Brandes and Köpf, "Fast and simple horizontal coordinate assignment", 2001.
    """
    # The paper's four passes: each of two vertical directions with each of two horizontal ones.
    # Turned rows let one pass serve all four.
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
    """Return the edges that give way: they cross the straight part of a long edge."""
    # Conflicts of type 1: an inner segment, between two places of long edges, is crossed by one
    # that is not inner. Long edges stay straight, so the other one gives way.
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
        # No two alignments may cross, so each lies after the one before it.
        reached = -1
        taken: set[int] = set()
        for vertex in row:
            near = sorted((v for v in neighbours.get(vertex, ())), key=place.__getitem__)
            # The lower and the upper median; one and the same of an odd number.
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
    """Return the places of columns set as close to each other as their widths allow."""
    # In place of the paper's classes and shifts: a column lies as far right as the longest path
    # of columns to its left, in topological order.
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
        # What has room to its right closes up to it.
        places[column] = max(places[column], min(rooms[column], default=places[column]))
        for other, distance in distances[column].items():
            rooms[other].append(places[column] - distance)
    return {vertex: places[root] for vertex, root in roots.items()}


def balance(results: Sequence[Mapping[int, float]], widths: Sequence[float]) -> list[float]:
    """Return the mean of the middle two of four results, each moved to the narrowest's ends."""
    ends = [
        (
            min(x - widths[vertex] / 2 for vertex, x in result.items()),
            max(x + widths[vertex] / 2 for vertex, x in result.items()),
        )
        for result in results
    ]
    # The mean of the two medians keeps the order in each row and the least distances, since all
    # four results have both.
    left, right = min(ends, key=lambda end: end[1] - end[0])
    moves = [
        left - low if turn % 2 == 0 else right - high for turn, (low, high) in enumerate(ends)
    ]
    places: list[float] = []
    for vertex in range(len(widths)):
        four = sorted(r[vertex] + move for r, move in zip(results, moves, strict=True))
        places.append((four[1] + four[2]) / 2)
    return places
