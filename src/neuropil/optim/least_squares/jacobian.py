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

# The number of entries of the Jacobian computed at a time: 32 MiB in single precision.
BLOCK = 2**23
# A forward-mode pass costs about as much as three backward passes.
FORWARD_COST = 3


@final
class Jacobian:
    """The matrix ``J[i, j] = ∂rᵢ/∂wⱼ``, block of rows by block of rows.

    If each residual depends on one row of the inputs, as in most networks, one backward pass
    gives the gradients of all outputs of linear maps and convolutions, and their products with
    the inputs are the rows of J. Whether this holds is tested whenever the closure calls other
    functions than before: ``Jᵀv`` is compared with autograd's result for some v. Otherwise J is
    computed row by row (reverse mode) or column by column (forward mode), whichever needs fewer
    passes.

    Args:
        parameters: The parameters that make up w, in this order.

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
        """Call a closure and yield its residuals, recording each portion on the tape.

        Args:
            closure: Returns the residuals, or an iterable of portions of them.
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
        """Yield the rows of J for the last recorded residuals, ``(some, size)`` each.

        Args:
            residuals: A vector with its graph.
        """
        rows = self.rows(residuals)
        yield from (
            general_blocks(residuals, self.parameters) if rows is None else self.fast(rows)
        )

    def products(self, closure: Callable[[], Tensor]) -> Sequence[Product] | None:
        """Return the products that form the rows of J, or None if the fast method fails.

        Args:
            closure: Returns the residuals, a vector.
        """
        with torch.enable_grad():
            residuals = next(self.portions(closure))
        calls, products = [*self.tape.calls, residuals.shape], self.tape.products
        if calls == self.trusted:
            return products
        return None if self.rows(residuals) is None else products

    def rows(self, residuals: Tensor) -> Rows | None:
        """Return the factors of the rows of J, or None if the fast method does not apply."""
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
        """Yield the rows of J as products of output gradients and inputs."""
        # As many rows of the inputs as fit into one block of the Jacobian.
        step = max(1, BLOCK // (self.size * rows.each))
        for start in range(0, rows.height, step):
            yield rows.jacobian(self.parameters, slice(start, start + step))


def holds(blocks: Iterable[Tensor], residuals: Tensor, parameters: Sequence[Tensor]) -> bool:
    """Tell whether ``Jᵀv`` of these blocks of J equals autograd's, for a random v."""
    generator = torch.Generator().manual_seed(0)
    # Positive entries: contributions between rows, as under BatchNorm, must not cancel.
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
    """Yield J column by column if that needs fewer passes, else row by row."""
    count, size = residuals.numel(), sum(p.numel() for p in parameters)
    if FORWARD_COST * size < count and size * count <= BLOCK:
        whole = by_columns(residuals, parameters)
        # A function that cannot be differentiated twice may silently leave out its part.
        if whole is not None and holds([whole], residuals, parameters):
            yield whole
            return
    # A backward pass holds a few vectors as long as the residuals.
    step = max(1, min(count, BLOCK // max(size, 16 * count)))
    for start in range(0, count, step):
        yield by_rows(residuals, parameters, range(start, min(start + step, count)))


def by_rows(residuals: Tensor, parameters: Sequence[Tensor], rows: range) -> Tensor:
    """Return some rows of J by reverse mode."""
    chosen = residuals.new_zeros(len(rows), residuals.numel())
    # Rows of the identity: Jᵀ times the i-th unit vector is the i-th row of J.
    chosen[range(len(rows)), rows] = 1
    return batched_gradient(residuals, parameters, chosen)


def by_columns(residuals: Tensor, parameters: Sequence[Tensor]) -> Tensor | None:
    """Return J by forward mode: ``Jᵀu`` is linear in u, and its derivative by u is Jᵀ.

    The result is None if a function cannot be differentiated twice.
    """
    # Forward mode by two backward passes: the "double backward trick".
    u = torch.zeros_like(residuals, requires_grad=True)
    try:
        with torch.enable_grad():
            pulled = flat_gradient(residuals, parameters, u, create_graph=True)
        chosen = torch.eye(pulled.numel(), dtype=pulled.dtype, device=pulled.device)
        return batched_gradient(pulled, [u], chosen).T
    except RuntimeError:
        return None


def batched_gradient(value: Tensor, sources: Sequence[Tensor], chosen: Tensor) -> Tensor:
    """Return one gradient for each row of ``chosen``, batched where torch supports it."""
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
    """Return gradients as one matrix, with zeros for sources that were not used."""
    columns = [
        source.new_zeros(count, source.numel()) if grad is None else grad.reshape(count, -1)
        for grad, source in zip(grads, sources, strict=True)
    ]
    return torch.cat(columns, 1)
