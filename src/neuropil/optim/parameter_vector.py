"""All weights of an optimiser as one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable


@final
class WeightVector:
    """The trainable parameters, concatenated into one vector; frozen ones are left out.

    Args:
        owner: The optimiser's name, for messages.
        parameters: Parameters of one dtype, on one device.

    Raises:
        ValueError: If every parameter is frozen, or they have several dtypes or devices.
    """

    def __init__(self, owner: str, parameters: Iterable[Tensor]) -> None:
        self.owner = owner
        self.parameters = [p for p in parameters if p.requires_grad]
        if not self.parameters:
            raise ValueError(f"{owner} has nothing to move: every parameter is frozen.")
        kinds = {(p.dtype, p.device) for p in self.parameters}
        if len(kinds) > 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            raise ValueError(
                f"{owner} moves all weights as one vector, which needs one dtype and one "
                f"device, got {found}."
            )
        ((self.dtype, self.device),) = kinds
        if not self.dtype.is_floating_point:
            raise ValueError(f"{owner} moves real numbers, got {self.dtype} parameters.")
        sizes = [p.numel() for p in self.parameters]
        self.size = sum(sizes)
        # `write` copies through this buffer, whose views are made once: making new views for
        # each vector would cost more than the extra copy.
        self.buffer = torch.empty(self.size, dtype=self.dtype, device=self.device)
        parts = zip(self.buffer.split(sizes), self.parameters, strict=True)
        self.parts = [part.view(p.shape) for part, p in parts]

    def fits(self, parameters: Iterable[Tensor]) -> bool:
        """Tell whether these are the same parameters, with unchanged dtype and device."""
        trainable = [p for p in parameters if p.requires_grad]
        if len(trainable) != len(self.parameters):
            return False
        return all(
            new is old and new.dtype == self.dtype and new.device == self.device
            for new, old in zip(trainable, self.parameters, strict=True)
        )

    def read(self) -> Tensor:
        """Return a copy of the weights, ``(size,)``."""
        return torch.cat([p.detach().reshape(-1) for p in self.parameters])

    def write(self, vector: Tensor) -> None:
        """Copy a vector into the parameters."""
        with torch.no_grad():
            self.buffer.copy_(vector)
            torch._foreach_copy_(self.parameters, self.parts)  # pyright: ignore[reportPrivateUsage]  # one call

    def gradient(self, value: Tensor) -> Tensor:
        """Return the gradient of a scalar, 0 for parameters that it does not depend on."""
        grads = torch.autograd.grad(value, self.parameters, allow_unused=True)
        pairs = zip(grads, self.parameters, strict=True)
        return torch.cat([flat(grad, parameter) for grad, parameter in pairs])


def flat(grad: Tensor | None, parameter: Tensor) -> Tensor:
    """Return a parameter's gradient as a dense vector; None counts as zeros."""
    if grad is None:
        return torch.zeros_like(parameter).reshape(-1)
    return (grad if grad.layout is torch.strided else grad.to_dense()).reshape(-1)
