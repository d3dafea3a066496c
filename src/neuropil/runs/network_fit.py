"""The check that a network fits the data and the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.core.prediction import fits
from neuropil.core.shape import format_shape, format_shapes

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.core.shape import Shape
    from neuropil.runs.task import Task


def check_fit(network: Network, shape: Shape, task: Task[Any]) -> None:
    """Check that a network takes these examples and suits this task.

    Args:
        network: The network, built.
        shape: Shape of an example.
        task: The task of the network.

    Raises:
        ValueError: If it does not; the message says what would fit.
    """
    if len(network.input_shapes) != 1 or not fits(shape, network.input_shapes[0]):
        raise ValueError(
            f"the network takes {format_shapes(network.input_shapes)}, the data has examples "
            f"of shape {format_shape(shape)}: begin it with Input{format_shape(shape)}."
        )
    task.check(network)
