"""The residuals of a closure, and their Jacobians, for many weights at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.optim.least_squares.row_products import Rows
from neuropil.optim.least_squares.tape import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.optim.least_squares.jacobian import Jacobian
    from neuropil.optim.least_squares.tape import Product
    from neuropil.optim.parameter_vector import WeightVector

PLAIN = (list, tuple)


@final
@dataclass(frozen=True)
class Starts:
    """The residuals of a closure for many weights at once.

    Args:
        closure: Returns the residuals, a vector.
        weights: The parameters as one vector.
        jacobian: The Jacobian of the residuals, which records how the closure uses them.
    """

    closure: Callable[[], Any]
    weights: WeightVector
    jacobian: Jacobian

    def at(self, w: Tensor) -> Tensor:
        """Return the residuals of each row of weights ``(R, N)``."""
        return self.map(lambda row: self.run(row)[0], w)

    def linearize(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return the residuals ``(R, N)`` and their Jacobians ``(R, N, P)``."""
        products = self.jacobian.products(self.closure)
        if products is None:
            single = torch.func.jacrev(lambda row: (out := self.run(row)[0], out), has_aux=True)
            J, r = self.map(single, w)
            return r, J
        shapes = [product.output_shape for product in products]
        # Zeros added to the outputs change nothing, but receive the gradients of the outputs.
        zeros = [w.new_zeros(len(w), *shape, requires_grad=True) for shape in shapes]
        with torch.enable_grad():
            r, inputs = self.map(lambda row, *nudges: self.run(row, nudges), w, *zeros)
        return r.detach(), self.rows(r, inputs, zeros, products)

    def rows(
        self,
        r: Tensor,
        inputs: Sequence[Tensor],
        zeros: Sequence[Tensor],
        products: Sequence[Product],
    ) -> Tensor:
        """Return the Jacobians from the gradients of the outputs."""
        count = inputs[0].shape[1]
        each = r.shape[1] // count
        grads: list[list[Tensor | None]] = []
        for residual in range(each):
            chosen = torch.zeros_like(r)
            chosen[:, residual::each] = 1
            found = torch.autograd.grad(r, zeros, chosen, retain_graph=True, allow_unused=True)
            grads.append([None if g is None else g.flatten(0, 1) for g in found])
        flat = [
            product._replace(input=x.detach().flatten(0, 1))
            for product, x in zip(products, inputs, strict=True)
        ]
        whole = Rows(flat, grads, len(r) * count, each)
        J = whole.jacobian(self.weights.parameters, slice(None))
        return J.view(*r.shape, -1)

    def run(self, row: Tensor, nudges: Sequence[Tensor] = ()) -> tuple[Tensor, list[Tensor]]:
        """Return the residuals for one vector of weights, and the inputs of its products."""
        parameters = self.weights.parameters
        parts = row.split([p.numel() for p in parameters])
        views = [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]
        with Substitution(parameters, views, nudges) as substitution:
            return self.closure(), substitution.inputs

    def map(self, function: Callable[..., Any], *rows: Tensor) -> Any:
        """Call a function for all rows at once.

        Raises:
            RuntimeError: If `torch.func.vmap` cannot run the closure.
        """
        try:
            return torch.func.vmap(function, randomness="same")(*rows)
        except (RuntimeError, ValueError) as error:
            raise RuntimeError(
                f"{self.weights.owner}: `restarts` need a closure that torch.func.vmap can "
                f"run; it reported: {error}"
            ) from error


@final
class Substitution(TorchFunctionMode):
    """A context in which torch functions get other tensors in place of the parameters.

    Args:
        parameters: The parameters that are replaced.
        values: Their replacements.
        nudges: Tensors added to the outputs of the products with parameters, if any.
    """

    def __init__(
        self, parameters: Sequence[Tensor], values: Sequence[Tensor], nudges: Sequence[Tensor]
    ) -> None:
        super().__init__()
        self.values = {id(p): value for p, value in zip(parameters, values, strict=True)}
        self.nudges = list(nudges)
        self.inputs: list[Tensor] = []

    @override
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        replaced = self.replace(args)
        value = func(*replaced, **{name: self.replace(a) for name, a in named.items()})
        if self.nudges and func in NAMES:
            given = dict(zip(NAMES[func], args, strict=False)) | named
            if id(given["weight"]) in self.values or id(given.get("bias")) in self.values:
                value = value + self.nudges[len(self.inputs)]
                self.inputs.append(self.replace(given["input"]))
        return value

    def replace(self, value: Any) -> Any:
        """Return an argument with other tensors in place of parameters, also within lists."""
        if isinstance(value, list | tuple):
            return type(value)(map(self.replace, value)) if type(value) in PLAIN else value
        return self.values.get(id(value), value)
