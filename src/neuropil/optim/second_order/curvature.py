"""Second derivatives of a loss at a point: products with vectors, or the whole Hessian."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from neuropil.optim.least_squares.jacobian import batched_gradient, flat_gradient

if TYPE_CHECKING:
    from collections.abc import Sequence

# The number of rows of the Hessian computed in one pass.
ROWS = 32
# The largest number of weights for which the Hessian is computed as a matrix.
MATRIX = 1000


@final
class Curvature:
    """A loss with its gradient g and products with its Hessian: ``H v = ∂(gᵀv)/∂w``.

    Args:
        owner: The optimiser's name, for messages.
        loss: A scalar with its graph.
        parameters: The parameters that make up w, in this order.

    Raises:
        ValueError: If the loss cannot be differentiated twice.

    Example:
        >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> curvature = Curvature("Hessian", (w**3).sum(), [w])
        >>> curvature.gradient.tolist()
        [3.0, 12.0]
        >>> curvature.matrix().tolist()
        [[6.0, 0.0], [0.0, 12.0]]
    """

    def __init__(self, owner: str, loss: Tensor, parameters: Sequence[Tensor]) -> None:
        self.owner = owner
        self.parameters = parameters
        one = torch.ones_like(loss)
        self.graph = flat_gradient(loss, parameters, one, create_graph=True)
        if meets_an_end(self.graph):
            raise ValueError(
                f"{owner} needs second derivatives, but a function in this network can only be "
                f"differentiated once."
            )
        self.gradient = self.graph.detach()
        self.value, self.largest = torch.stack(
            [loss.detach(), torch.linalg.vector_norm(self.gradient, math.inf)]
        ).tolist()

    @property
    def finite(self) -> bool:
        """Whether the loss and its gradient are finite."""
        return math.isfinite(self.value) and math.isfinite(self.largest)

    def times(self, vector: Tensor) -> Tensor:
        """Return ``H v``.

        Args:
            vector: v.
        """
        return self.rows(vector[None])[0]

    def rows(self, vectors: Tensor) -> Tensor:
        """Return ``H v`` for each row v of a matrix.

        Raises:
            ValueError: If a function in the network has no second derivative.
            RuntimeError: If torch fails for any other reason.
        """
        if not self.graph.requires_grad:  # the loss is linear in the weights
            return torch.zeros_like(vectors)
        try:
            if len(vectors) == 1:
                # Pearlmutter, "Fast Exact Multiplication by the Hessian", 1994: one more
                # backward pass.
                return flat_gradient(self.graph, self.parameters, vectors[0])[None]
            return batched_gradient(self.graph, self.parameters, vectors)
        except RuntimeError as error:
            if "not implemented" not in str(error):
                raise
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"{self.owner} needs second derivatives, but a function in this network has "
                f"none: {reason}"
            ) from None

    def matrix(self) -> Tensor:
        """Return H, symmetric."""
        identity = torch.eye(
            len(self.gradient), dtype=self.gradient.dtype, device=self.gradient.device
        )
        whole = torch.cat([self.rows(part) for part in identity.split(ROWS)])
        return (whole + whole.T) / 2


def meets_an_end(gradient: Tensor) -> bool:
    """Tell whether a gradient passes through a function that is differentiable only once.

    Torch would silently treat its second derivatives as 0.
    """
    seen, waiting = set(), [gradient.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if type(node).__name__ == "Error":
            return True
        seen.add(node)
        waiting += [following for following, _ in node.next_functions]
    return False
