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

# Names of the axes after the batch and the channels, by their number.
FREE_AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
# Lengths of free axes in the example; distinct, and even after five halvings.
LENGTHS = {"length": 224, "depth": 192, "height": 256, "width": 288}


@final
class AnsweringModule(nn.Module):
    """A network followed by the decoding of its task, in test mode.

    Shape:
        Raw inputs ``(N, …)``, with padding also a mask ``(N, H, W)``, to the answers.

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
    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        outputs = self.network(inputs) if mask is None else self.network(inputs, mask)
        return self.task.decode(outputs)

    @property
    def axes(self) -> dict[str, tuple[int | str, ...]]:
        """The length of each axis of each input, or its name if the length is free."""
        shapes = self.network.input_shapes
        first = shapes[0]
        names = FREE_AXES.get(max(1, len(first) - 1), ())
        named: dict[str, tuple[int | str, ...]] = {}
        for name, shape in zip(("inputs", "mask"), shapes, strict=False):
            own = [f"axis{place + 1}" for place in range(len(shape) - len(names))] + [*names]
            pairs = zip(own, shape, strict=True)
            named[name] = ("batch", *(axis if side is None else side for axis, side in pairs))
        return named

    def examples(self) -> tuple[Tensor, ...]:
        """Return a batch of two examples, one tensor for each input."""
        sides = [
            [LENGTHS.get(axis, 2) if isinstance(axis, str) else axis for axis in axes]
            for axes in self.axes.values()
        ]
        types = (self.dtype, torch.uint8)
        return tuple(torch.ones(s, dtype=t) for s, t in zip(sides, types, strict=False))
