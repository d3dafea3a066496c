"""Distances of embeddings that are compared row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the Euclidean distance of each row of one tensor to the same row of the other.

    The gradient is 0 where two rows are equal. Half precision is computed in float32, whose
    squares neither overflow nor lose small distances, also under autocast.

    Args:
        first: ``(N, D)``.
        second: ``(N, D)``.
    """
    kind = torch.promote_types(first.dtype, torch.float32)
    return torch.linalg.vector_norm(first.to(kind) - second.to(kind), dim=1)


def check_shapes(what: str, **embeddings: Tensor) -> None:
    """Raise an error unless all are embeddings of one shape.

    Args:
        what: Name of the function that got them.
        **embeddings: The tensors by the names of their parameters.

    Raises:
        ValueError: If a shape is not ``(N, D)``, or not that of the others.
    """
    shapes = [tuple(each.shape) for each in embeddings.values()]
    if len(shapes[0]) != 2 or len({*shapes}) > 1:
        *names, last = embeddings
        *given, end = map(str, shapes)
        raise ValueError(
            f"{what} needs {', '.join(names)} and {last} of one shape (N, D), got "
            f"{', '.join(given)} and {end}."
        )
