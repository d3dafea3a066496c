"""Module that gives the answers of a task: a network with the decoding of its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.runs.exporting.input_meaning import meaning_of

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.datasets import Preparation
    from neuropil.runs.task import Task

# Names of the axes of one example by their number; a mask has the last of them.
AXES = {
    1: ("length",),
    2: ("steps", "length"),
    3: ("channels", "height", "width"),
    4: ("channels", "depth", "height", "width"),
}
# Lengths of free axes in the example: distinct, and even after five halvings.
LENGTHS = (256, 288, 320)


@final
class AnsweringModule(nn.Module):
    """A network followed by the decoding of its task, in test mode.

    Shape:
        Raw inputs ``(N, …)``, with padding also a mask ``(N, H, W)``, to the answers; for a
        classification also to the number of the predicted class, ``(N)``.

    Args:
        network: The trained network.
        task: Its task.
        preparation: The preparation of its inputs.
    """

    def __init__(self, network: Network, task: Task[Any], preparation: Preparation) -> None:
        super().__init__()
        self.network = network.scores() if task.takes == "scores" else network
        self.task = task
        self.dtype: torch.dtype = getattr(torch, meaning_of(preparation).dtype)
        self.eval()

    @override
    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Any:
        outputs = self.network(inputs) if mask is None else self.network(inputs, mask)
        answers = self.task.chosen(self.task.decode(outputs))
        if not self.task.decision:
            return answers
        return answers, self.task.decisions(answers).argmax(1)

    @property
    def outputs(self) -> list[str]:
        """The name of each output."""
        return [name for name in (self.task.answers, self.task.decision) if name]

    @property
    def axes(self) -> dict[str, tuple[int | str, ...]]:
        """The length of each axis of each input, or its name if the length is free."""
        shapes = self.network.input_shapes
        rank = len(shapes[0])
        names = AXES.get(rank, [f"axis{number}" for number in range(1, rank + 1)])
        return {
            each: (
                "batch",
                *(
                    axis if side is None else side
                    for axis, side in zip(names[-len(shape) :], shape, strict=True)
                ),
            )
            for each, shape in zip(("inputs", "mask"), shapes, strict=False)
        }

    def examples(self) -> tuple[Tensor, ...]:
        """Return a batch of two examples, one tensor for each input."""
        free = [axis for axis in self.axes["inputs"][1:] if isinstance(axis, str)]
        lengths = {"batch": 2, **dict(zip(free, LENGTHS, strict=False))}
        return tuple(
            torch.ones(
                [axis if isinstance(axis, int) else lengths[axis] for axis in axes], dtype=dtype
            )
            for axes, dtype in zip(self.axes.values(), (self.dtype, torch.uint8), strict=False)
        )
