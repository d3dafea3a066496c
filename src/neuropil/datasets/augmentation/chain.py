"""Chain of augmentations."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self, final

from typing_extensions import override

from neuropil.core.arguments import Arguments
from neuropil.datasets.augmentation.base import PictureStep
from neuropil.datasets.augmentation.color_step import ColorStep, recolor
from neuropil.datasets.augmentation.geometric_step import GeometricStep, move_batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Augmentation, Inputs, Move
    from neuropil.datasets.source import Batch


@final
class Compose(Arguments):
    """Apply several augmentations in order.

    Neighbouring steps that move pixels or change colours are joined: their matrices are
    composed, the pixels are moved once and then the colours are changed once. So values are
    interpolated and rounded once only, and pixels that one step moves out of the picture and
    the next one moves back are kept. The space outside the picture has one colour: a step with
    another `fill` than those before it is applied after them.

    Args:
        *steps: The augmentations.

    Raises:
        ValueError: If a step cannot be called.

    Example:
        >>> import torch
        >>> from neuropil.datasets.augmentation import Compose, RandomFlip, RandomShift
        >>> augmentation = Compose(RandomShift(2), RandomFlip())
        >>> augmentation
        Compose(RandomShift(2), RandomFlip())
        >>> inputs, targets = augmentation(
        ...     torch.zeros(5, 1, 8, 8), torch.zeros(5), torch.Generator()
        ... )
        >>> inputs.shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(self, *steps: Augmentation) -> None:
        for step in steps:
            if not callable(step):
                raise ValueError(f"Compose: each step must be an augmentation, got {step!r}.")
        self.steps = tuple(flatten(steps))
        self.stages = tuple(join(self.steps))

    def bind(self, move: Move) -> Self:
        """Return this chain with a function that moves the targets along with the pictures.

        Args:
            move: `Target.move` of targets that have a place, such as boxes and points.
        """
        bound = copy.copy(self)
        bound.steps = tuple(
            step.bind(move) if isinstance(step, PictureStep) else step for step in self.steps
        )
        bound.stages = tuple(join(bound.steps))
        return bound

    def __call__(
        self, inputs: Inputs, targets: Tensor, generator: torch.Generator
    ) -> tuple[Inputs, Tensor]:
        for stage in self.stages:
            inputs, targets = stage(inputs, targets, generator)
        return inputs, targets


def flatten(steps: Iterable[Augmentation]) -> Iterator[Augmentation]:
    """Yield the steps of chains inside a chain."""
    for step in steps:
        if isinstance(step, Compose):
            yield from step.steps
        else:
            yield step


def join(steps: Iterable[Augmentation]) -> Iterator[Augmentation]:
    """Yield the steps, neighbours with matrices joined."""
    joint: list[GeometricStep | ColorStep] = []
    fill: float | None = None
    for step in steps:
        own = step.fill if isinstance(step, GeometricStep) else None
        matrices = isinstance(step, GeometricStep | ColorStep)
        if joint and not (matrices and (own is None or fill is None or own == fill)):
            yield Joint(*joint)
            joint, fill = [], None
        if matrices:
            joint.append(step)
            fill = own if fill is None else fill
        else:
            yield step
    if joint:
        yield Joint(*joint)


@final
class Joint(PictureStep):
    """Several steps with matrices as one: pixels are moved once, colours are changed once.

    Args:
        *steps: The steps, in order.
    """

    def __init__(self, *steps: GeometricStep | ColorStep) -> None:
        self.geometry = [step for step in steps if isinstance(step, GeometricStep)]
        self.colors = [step for step in steps if isinstance(step, ColorStep)]
        self.move = next((step.move for step in self.geometry if step.move), None)

    @override
    def change(self, batch: Batch, generator: torch.Generator) -> Batch:
        dtype = batch.inputs.dtype
        if not self.colors:
            return move_batch(self.geometry, batch, generator, self.move, dtype)
        moved = move_batch(self.geometry, batch, generator, self.move)
        return recolor(self.colors, moved, generator, dtype)

    @override
    def __repr__(self) -> str:
        steps: Any = self.__dict__["_call"][0]
        return " >> ".join(map(repr, steps))
