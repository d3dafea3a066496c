"""All weights of an algorithm as one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable


@final
class WeightVector:
    """Parameters that need gradients, side by side in one vector; frozen ones stay out.

    Args:
        owner: The algorithm's name, for messages.
        parameters: Of one dtype and on one device.

    Raises:
        ValueError: When none needs a gradient, or they are of several dtypes or devices.
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
        self.sizes = [p.numel() for p in self.parameters]
        self.size = sum(self.sizes)

    def read(self) -> Tensor:
        """Return the weights, a copy ``(size,)``."""
        return torch.cat([p.detach().reshape(-1) for p in self.parameters])

    def write(self, vector: Tensor) -> None:
        """Put a vector back into the parameters."""
        with torch.no_grad():
            parts = [
                part.view_as(p)
                for part, p in zip(vector.split(self.sizes), self.parameters, strict=True)
            ]
            torch._foreach_copy_(self.parameters, parts)  # pyright: ignore[reportPrivateUsage]  # one call

    def gradient(self, value: Tensor) -> Tensor:
        """Return the gradient of a scalar, zeros for parameters that it does not depend on."""
        grads = torch.autograd.grad(value, self.parameters, allow_unused=True)
        return torch.cat(
            [
                torch.zeros_like(p).reshape(-1) if g is None else g.reshape(-1)
                for g, p in zip(grads, self.parameters, strict=True)
            ]
        )
