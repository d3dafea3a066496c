"""Output shapes of a network whose input is not known yet, as far as they can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.core.graph_shapes import with_input
from neuropil.core.shape import Shape, ShapeError

if TYPE_CHECKING:
    from neuropil.core.graph import Graph

# Two inputs of each rank that differ in every length: what is equal in both outputs does not
# depend on the input. The lengths are large enough for windows and divisible by groups, and
# twice a length plus one is rounded in another way by strides.
CHANNELS, LENGTHS = (240, 480), (224, 449)
RANKS = range(1, 5)


def foreseen_shapes(graph: Graph) -> tuple[Shape | None, ...]:
    """Return the shape of each output that is the same for every input, or else None.

    Where it depends on the rank of the input, it is that for vectors, if they are taken and the
    shape is known completely. Lengths that depend on the input are free.

    Args:
        graph: A graph with an open input and no other.
    """
    by_rank = [shapes for rank in RANKS if (shapes := shapes_for_rank(graph, rank))]
    if not by_rank:
        return (None,) * len(graph.outputs)
    return tuple(map(agreed, zip(*by_rank, strict=True)))


def agreed(shapes: tuple[Shape, ...]) -> Shape | None:
    """Return the shape that all ranks give, or else a known one of the lowest rank."""
    first = shapes[0]
    return first if len({*shapes}) == 1 or None not in first else None


def shapes_for_rank(graph: Graph, rank: int) -> tuple[Shape, ...] | None:
    """Return the output shapes for inputs of a rank, or None if it is refused."""
    for kind in ("float", "int"):
        try:
            pair = [
                with_input(graph, (channels, *[length] * (rank - 1)), kind)
                for channels, length in zip(CHANNELS, LENGTHS, strict=True)
            ]
        except ShapeError:
            continue
        ends = [[one.nodes[place].shape or () for place in one.outputs] for one in pair]
        return tuple(
            tuple(a if a == b else None for a, b in zip(*shapes, strict=True))
            for shapes in zip(*ends, strict=True)
        )
    return None
