"""The check that a network fits the data and the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.core.prediction import fits
from neuropil.core.shape import format_shape, format_shapes

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.core.shape import Shape
    from neuropil.runs.task import Task


def check_fit(network: Network, shape: Shape, task: Task[Any], *, masked: bool = False) -> None:
    """Check that a network takes these examples and suits this task.

    Args:
        network: The network, built.
        shape: Shape of an example.
        task: The task of the network.
        masked: Whether the examples are padded, so that most tasks need a network that takes a
            mask.

    Raises:
        ValueError: If it does not; the message says what would fit.
    """
    takes = network.input_shapes
    masked = masked and (task.needs_mask or len(takes) > 1)
    if masked and len(takes) == 1 and fits(shape, takes[0]):
        raise ValueError(
            "pictures of their own sizes are padded, and the network does not take a mask: "
            f"give it a second Input{format_shape(shape[1:])[:-1]}, dtype='uint8'), or choose "
            "image_size='buckets'."
        )
    wanted = [shape, shape[1:]][: 1 + masked]
    if len(takes) != len(wanted) or not all(map(fits, wanted, takes)):
        raise ValueError(
            f"the network takes {format_shapes(network.input_shapes)}, the data has examples "
            f"of shape {format_shape(shape)}: begin it with Input{format_shape(shape)}."
        )
    task.check(network)
