"""The Jacobian of residuals with respect to the parameters, from the graph of a closure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.optim.least_squares.row_products import Rows, row_products
from neuropil.optim.least_squares.tape import Product, Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Entries of the Jacobian that are worked out at a time: 32 MiB in single precision.
BLOCK = 2**23
# A pass forward through the graph costs about three backward.
FORWARD_COST = 3


@final
class Jacobian:
    """The matrix ``J[i, j] = ∂rᵢ/∂wⱼ``, block of rows by block of rows.

    Where each residual depends on one row of the inputs, as in most networks, one pass
    backward gives the gradients of all outputs of linear maps and convolutions, and their
    products with the inputs are the rows of J. Whether this holds is found out: ``Jᵀv`` is
    compared with autograd's for some v, whenever the closure calls other functions than before.
    Where it does not, J comes from passes for single rows (reverse mode) or single columns
    (forward mode), whichever are fewer.

    Args:
        parameters: What w is made of, in this order.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> jacobian = Jacobian(list(layer.parameters()))
        >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> for residuals in jacobian.portions(lambda: layer(x).flatten()):
        ...     torch.cat(list(jacobian.blocks(residuals))).tolist()
        [[1.0, 2.0, 1.0], [3.0, 4.0, 1.0]]
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = parameters
        self.size = sum(p.numel() for p in self.parameters)
        self.tape = Tape(self.parameters)
        self.trusted: list[Any] = []
        self.refused: list[Any] = []

    def portions(self, closure: Callable[[], Any]) -> Iterator[Any]:
        """Call a closure and yield what it gives, part by part, each watched while it is made.

        Args:
            closure: Gives the residuals, or an iterable of portions of them.
        """
        with self.tape:
            self.tape.clear()
            value = closure()
        if isinstance(value, Tensor) or not isinstance(value, Iterable):
            yield value
            return
        portions = iter(value)
        while True:
            with self.tape:
                self.tape.clear()
                portion = next(portions, None)
            if portion is None:
                return
            yield portion

    def blocks(self, residuals: Tensor) -> Iterator[Tensor]:
        """Yield the rows of J for residuals that were just made, ``(some, size)`` each.

        Args:
            residuals: A vector with its graph.
        """
        rows = self.rows(residuals)
        yield from (
            general_blocks(residuals, self.parameters) if rows is None else self.fast(rows)
        )

    def products(self, closure: Callable[[], Tensor]) -> Sequence[Product] | None:
        """Return the products that the rows of J are made of, or None where they are not.

        Args:
            closure: Gives the residuals, a vector.
        """
        with torch.enable_grad():
            residuals = next(self.portions(closure))
        calls, products = [*self.tape.calls, residuals.shape], self.tape.products
        if calls == self.trusted:
            return products
        return None if self.rows(residuals) is None else products

    def rows(self, residuals: Tensor) -> Rows | None:
        """Return what the rows of J are made of if the fast way is right, else None."""
        calls, products = self.tape.calls, self.tape.products
        self.tape.clear()
        calls.append(residuals.shape)
        if not products or calls == self.refused:
            return None
        rows = row_products(residuals, products)
        if rows is not None and (
            calls == self.trusted or holds(self.fast(rows), residuals, self.parameters)
        ):
            self.trusted = calls
            return rows
        self.refused = calls
        return None

    def fast(self, rows: Rows) -> Iterator[Tensor]:
        """Yield J from gradients of outputs."""
        step = max(1, BLOCK // (self.size * rows.each))
        for start in range(0, rows.height, step):
            yield rows.jacobian(self.parameters, slice(start, start + step))


def holds(blocks: Iterable[Tensor], residuals: Tensor, parameters: Sequence[Tensor]) -> bool:
    """Tell whether ``Jᵀv`` of these blocks of J is autograd's, for a vector v."""
    generator = torch.Generator().manual_seed(0)
    # Not centred: what rows add to each other, as under BatchNorm, must not cancel.
    v = torch.rand(residuals.shape, generator=generator, dtype=residuals.dtype)
    v = v.to(residuals.device)
    exact = flat_gradient(residuals, parameters, v)
    ours, start = torch.zeros_like(exact), 0
    for block in blocks:
        ours += v[start : start + len(block)] @ block
        start += len(block)
    error = torch.linalg.vector_norm(ours - exact)
    tolerance = torch.finfo(exact.dtype).eps ** 0.5
    return bool(error <= tolerance * torch.linalg.vector_norm(exact))


def general_blocks(residuals: Tensor, parameters: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield J by passes for single columns where these are fewer, else for single rows."""
    count, size = residuals.numel(), sum(p.numel() for p in parameters)
    if FORWARD_COST * size < count and size * count <= BLOCK:
        whole = by_columns(residuals, parameters)
        # A function that cannot be differentiated twice may leave out its part unsaid.
        if whole is not None and holds([whole], residuals, parameters):
            yield whole
            return
    # A pass backward holds about as much as a few vectors of residuals.
    step = max(1, min(count, BLOCK // max(size, 16 * count)))
    for start in range(0, count, step):
        yield by_rows(residuals, parameters, range(start, min(start + step, count)))


def by_rows(residuals: Tensor, parameters: Sequence[Tensor], rows: range) -> Tensor:
    """Return some rows of J by reverse mode."""
    chosen = residuals.new_zeros(len(rows), residuals.numel())
    chosen[range(len(rows)), rows] = 1
    return batched_gradient(residuals, parameters, chosen)


def by_columns(residuals: Tensor, parameters: Sequence[Tensor]) -> Tensor | None:
    """Return J by forward mode: ``Jᵀu`` is linear in u, and its derivative by u is Jᵀ.

    None where a function cannot be differentiated twice.
    """
    u = torch.zeros_like(residuals, requires_grad=True)
    try:
        with torch.enable_grad():
            pulled = flat_gradient(residuals, parameters, u, create_graph=True)
        chosen = torch.eye(pulled.numel(), dtype=pulled.dtype, device=pulled.device)
        return batched_gradient(pulled, [u], chosen).T
    except RuntimeError:
        return None


def batched_gradient(value: Tensor, sources: Sequence[Tensor], chosen: Tensor) -> Tensor:
    """Return one gradient for each row of ``chosen``, all at once where torch can."""
    try:
        grads = torch.autograd.grad(
            value, sources, chosen, retain_graph=True, is_grads_batched=True, allow_unused=True
        )
    except RuntimeError:  # some functions have no batched derivative
        return torch.stack([flat_gradient(value, sources, row) for row in chosen])
    return side_by_side(grads, sources, len(chosen))


def flat_gradient(
    value: Tensor, sources: Sequence[Tensor], v: Tensor, *, create_graph: bool = False
) -> Tensor:
    """Return ``Jᵀv`` as one vector."""
    grads = torch.autograd.grad(
        value, sources, v, retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    return side_by_side([None if g is None else g[None] for g in grads], sources, 1)[0]


def side_by_side(
    grads: Iterable[Tensor | None], sources: Sequence[Tensor], count: int
) -> Tensor:
    """Return gradients as one matrix, zeros for sources that do not matter."""
    columns = [
        source.new_zeros(count, source.numel()) if grad is None else grad.reshape(count, -1)
        for grad, source in zip(grads, sources, strict=True)
    ]
    return torch.cat(columns, 1)
