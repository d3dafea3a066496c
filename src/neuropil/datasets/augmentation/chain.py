"""Chain of augmentations."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from neuropil.core.arguments import Arguments

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from neuropil.datasets.augmentation.base import Augmentation


@final
class Compose(Arguments):
    """Apply several augmentations in order.

    Args:
        *steps: The augmentations.

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
        self.steps = steps

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        for step in self.steps:
            inputs, targets = step(inputs, targets, generator)
        return inputs, targets
