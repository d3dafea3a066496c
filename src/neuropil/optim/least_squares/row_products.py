"""Rows of the Jacobian as products: gradients of a layer's outputs with the layer's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuropil.optim.least_squares.tape import Product


class Rows(NamedTuple):
    """The factors of the rows of a Jacobian.

    Attributes:
        products: The calls in which parameters were used.
        grads: For each residual of a row, the gradients of the outputs of these calls; None
            where a residual does not depend on an output.
        height: The number of rows of the inputs.
        each: The number of residuals per row.
    """

    products: Sequence[Product]
    grads: Sequence[Sequence[Tensor | None]]
    height: int
    each: int

    def jacobian(self, parameters: Sequence[Tensor], some: slice) -> Tensor:
        """Return the rows of the Jacobian for some rows of the inputs.

        Args:
            parameters: The parameters that the products refer to.
            some: The selected rows of the inputs.
        """
        blocks = [self.columns(parameters, grads, some) for grads in self.grads]
        if len(blocks) == 1:
            return blocks[0]
        return torch.stack(blocks, 1).flatten(0, 1)

    def columns(
        self, parameters: Sequence[Tensor], grads: Sequence[Tensor | None], some: slice
    ) -> Tensor:
        """Return the Jacobian of one residual of each row."""
        count = len(range(self.height)[some])
        parts: dict[int, Tensor] = {}
        for product, grad in zip(self.products, grads, strict=True):
            if grad is None:
                continue
            for place, part in contributions(parameters, product, grad[some], some):
                parts[place] = parts[place] + part if place in parts else part
        return torch.cat(
            [
                parts[place] if place in parts else p.new_zeros(count, p.numel())
                for place, p in enumerate(parameters)
            ],
            1,
        )


def row_products(residuals: Tensor, products: Sequence[Product]) -> Rows | None:
    """Return the factors of J if each row of the inputs has its own residuals, else None.

    Args:
        residuals: A vector in which the residuals of one row are adjacent.
        products: Calls with inputs whose first axis is the row.
    """
    counts = {len(product.input) if product.input.ndim > 1 else 0 for product in products}
    count = max(counts)
    if len(counts) > 1 or count == 0 or residuals.numel() % count:
        return None
    each = residuals.numel() // count
    edges = [product.output for product in products]
    grads: list[Sequence[Tensor | None]] = []
    # Residual i of every row at once: rows do not interact, so the sum over rows has the
    # gradient of each.
    for residual in range(each):
        chosen = torch.zeros_like(residuals)
        chosen[residual::each] = 1
        grads.append(
            torch.autograd.grad(residuals, edges, chosen, retain_graph=True, allow_unused=True)
        )
    return Rows(products, grads, count, each)


def contributions(
    parameters: Sequence[Tensor], product: Product, grad: Tensor, some: slice
) -> Iterator[tuple[int, Tensor]]:
    """Yield the contributions of one call: position of a weight or bias, and its columns."""
    x = product.input[some]
    if product.weight is not None:
        if product.window is not None:
            by_weight = convolution_rows(x, grad, parameters[product.weight], product.window)
        elif x.ndim == 2:
            by_weight = grad.unsqueeze(2) * x.unsqueeze(1)
        else:
            by_weight = grad.flatten(1, -2).mT @ x.flatten(1, -2)
        yield product.weight, by_weight.flatten(1)
    if product.bias is not None:
        if grad.ndim > 2:
            grad = grad.flatten(2).sum(2) if product.window else grad.flatten(1, -2).sum(1)
        yield product.bias, grad


def convolution_rows(
    x: Tensor, grad: Tensor, weight: Tensor, window: tuple[object, ...]
) -> Tensor:
    """Return the gradient of a convolution's weight for each row.

    The rows become the groups of a single convolution, whose weight gradient then has one part
    for each row.

    Args:
        x: Inputs ``(N, C, …)``.
        grad: Gradients of the outputs ``(N, O, …)``.
        weight: The weight of the convolution.
        window: Its stride, padding, dilation and groups.
    """
    count, rank = len(x), x.ndim - 2
    stride, padding, dilation, groups = window
    stride, padding, dilation = (each_axis(w, rank) for w in (stride, padding, dilation))
    _, by_weight, _ = torch.ops.aten.convolution_backward(
        grad.reshape(1, -1, *grad.shape[2:]),
        x.reshape(1, -1, *x.shape[2:]),
        weight.detach().repeat(count, *[1] * (rank + 1)),
        None,
        stride,
        padding,
        dilation,
        False,  # noqa: FBT003 - torch's order: not transposed
        [0] * rank,
        count * int(str(groups)),
        [False, True, False],
    )
    return by_weight.view(count, *weight.shape)


def each_axis(value: object, rank: int) -> list[int]:
    """Return one number per axis."""
    return [value] * rank if isinstance(value, int) else list(value)  # pyright: ignore[reportArgumentType]  # torch allows both
