"""What every augmentation is, and what they share."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from neuropil.datasets.errors import DataError


class Augmentation(Protocol):
    """A change to a batch of training examples."""

    def __call__(
        self, inputs: Tensor, targets: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the changed batch; the given one is left as it is.

        Args:
            inputs: ``(N, …)``, raw.
            targets: One target for each.
            generator: The only source of random numbers.
        """
        ...


def uniform(count: int, like: Tensor, generator: torch.Generator, *, rows: int = 1) -> Tensor:
    """Return ``(rows, count)`` numbers in [0, 1) on the device of `like`."""
    drawn = torch.rand(rows, count, generator=generator, device=generator.device)
    return drawn.to(like.device, non_blocking=True)


def require_pictures(inputs: Tensor, who: object) -> None:
    """Refuse what is no batch of pictures.

    Raises:
        DataError: If there are not four axes.
    """
    if inputs.ndim != 4:
        raise DataError(
            f"{who} needs pictures (N, C, H, W), got a batch of shape {tuple(inputs.shape)}."
        )


def require(ok: object, who: str, what: str, got: object) -> None:
    """Refuse an argument out of its range.

    Raises:
        DataError: If it is.
    """
    if not ok:
        raise DataError(f"{who}: {what}, got {got!r}.")
