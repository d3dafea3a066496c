"""Lines between boxes: where they attach, and how they run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.analysis.diagram.layout import Edge, Layout

# Distance in pixels between lines that meet at a box, and of lines from its corners.
PORT, CORNER = 13, 14


def ports(layout: Layout, width: float) -> tuple[dict[Edge, float], dict[Edge, float]]:
    """Return where each edge leaves its source and where it enters its target.

    Args:
        layout: Coordinates of the boxes and lines.
        width: Width of a box.
    """
    leaving: dict[int, list[tuple[float, Edge]]] = defaultdict(list)
    entering: dict[int, list[tuple[float, Edge]]] = defaultdict(list)
    for edge, route in layout.routes.items():
        source, target = layout.centres[edge.source], layout.centres[edge.target]
        leaving[edge.source].append(((*route, target)[0], edge))
        entering[edge.target].append(((source, *route)[-1], edge))
    return tuple(
        {
            edge: place
            for box, ends in side.items()
            for edge, place in spread_ports(layout.centres[box], ends, width).items()
        }
        for side in (leaving, entering)
    )  # pyright: ignore[reportReturnType]  # two sides


def spread_ports(
    centre: float, ends: Sequence[tuple[float, Edge]], width: float
) -> dict[Edge, float]:
    """Return where several lines attach to a box, in the order of their other ends.

    Args:
        centre: Centre of the box.
        ends: Coordinate from which each line comes.
        width: Width of the box.
    """
    # Lines of one lane attach at the same place.
    places = sorted({round(x, 1) for x, _ in ends})
    # A vertical line stays straight; the others spread around it.
    straight = [i for i, x in enumerate(places) if abs(x - centre) < 1]
    middle = straight[0] if straight else (len(places) - 1) / 2
    room = width / 2 - CORNER
    step = min(PORT, room / max(middle, len(places) - 1 - middle, 1))
    return {edge: centre + (places.index(round(x, 1)) - middle) * step for x, edge in ends}


def curve(points: Sequence[tuple[float, float]]) -> str:
    """Return an SVG path through points, vertical at each of them."""
    (x, y), *rest = points
    steps = [f"M{x:.1f},{y:.1f}"]
    for next_x, next_y in rest:
        middle = (y + next_y) / 2
        if abs(next_x - x) < 0.05:
            steps.append(f"V{next_y:.1f}")
        else:
            steps.append(
                f"C{x:.1f},{middle:.1f} {next_x:.1f},{middle:.1f} {next_x:.1f},{next_y:.1f}"
            )
        x, y = next_x, next_y
    return "".join(steps)
