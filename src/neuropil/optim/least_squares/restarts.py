"""Levenberg–Marquardt from many starts at once, of which the best is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.optim.least_squares.gauss_newton import (
    LEAST_DAMPING,
    LEAST_FACTOR,
    LEAST_GAIN,
    damping_scale,
)
from neuropil.optim.least_squares.memory_need import require_matrix
from neuropil.optim.least_squares.row_products import Rows
from neuropil.optim.least_squares.tape import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.optim.least_squares.jacobian import Jacobian
    from neuropil.optim.least_squares.tape import Product
    from neuropil.optim.outcome import Reason
    from neuropil.optim.parameter_vector import WeightVector

MOST_DAMPING = 1e15
MORE = 4  # the number of vectors as long as the weights that each start needs


class StepOfAll(NamedTuple):
    """The result of a step from every start.

    Attributes:
        before: ½‖r‖² of the best start before the step.
        reason: Why the optimiser stops, or ``"going on"``.
        loss: ½‖r‖² of the best start after it.
        gradient: The largest absolute entry of its gradient.
    """

    before: Tensor
    reason: Reason
    loss: float
    gradient: float


def step_all(starts: Starts, memory: dict[str, Any], tolerance: float) -> StepOfAll:
    """Try one step from every start and accept the steps that go downhill.

    A start whose step is rejected has more damping in the next call.

    Args:
        starts: The residuals; the best start is written to their parameters.
        memory: The starts, in the form that `begin` returns; changed.
        tolerance: Relative decrease below which a start has settled.
    """
    w: Tensor = memory["starts"]
    r, J = starts.linearize(w)
    gradient = (J.mT @ r.unsqueeze(2)).squeeze(2)
    step, foretold = propose(memory, J, gradient, r)
    reached = starts.at(w + step)
    # ½‖r‖² − ½‖r⁺‖², factored: near a minimum the two squares would cancel.
    decrease = 0.5 * ((r - reached) * (r + reached)).sum(1)
    gain = decrease / foretold
    taken = (foretold > 0) & (gain >= LEAST_GAIN)  # both are false for NaN
    # Nielsen's factor, as in `LevenbergMarquardt.descend`.
    less = (1 - (2 * gain - 1) ** 3).clamp(min=LEAST_FACTOR)
    changed = memory["damping"] * torch.where(taken, less, memory["growth"])
    memory["damping"] = changed.clamp(LEAST_DAMPING, MOST_DAMPING)
    memory["growth"] = torch.where(taken, 2.0, memory["growth"] * 2).clamp(max=MOST_DAMPING)
    memory["starts"] = torch.where(taken.unsqueeze(1), w + step, w)
    before = 0.5 * r.square().sum(1)
    after = torch.where(taken, before - decrease, before).nan_to_num(
        nan=math.inf, posinf=math.inf
    )
    least = max(tolerance, torch.finfo(w.dtype).eps) * before
    # A start has settled if no decrease is predicted or observed, or no finite step exists.
    settled = (foretold <= least) & ~(decrease > least)
    settled |= ~torch.isfinite(before) | (memory["damping"] >= MOST_DAMPING)
    best = after.argmin()
    starts.weights.write(memory["starts"][best])
    figures = torch.stack([after[best], gradient[best].abs().max(), settled.all()])
    loss, steepest, done = figures.tolist()
    reason: Reason = "loss" if done else "going on"
    if not math.isfinite(loss):
        reason = "not finite"
    start = before.nan_to_num(nan=math.inf, posinf=math.inf).min()
    return StepOfAll(start, reason, loss, steepest)


def propose(
    memory: dict[str, Any], J: Tensor, gradient: Tensor, r: Tensor
) -> tuple[Tensor, Tensor]:
    """Return a damped step for each start, and the decrease that the model predicts.

    Args:
        memory: Scales and dampings of the starts.
        J: Their Jacobians.
        gradient: Jᵀr.
        r: Their residuals.
    """
    square = J.mT @ J
    largest = memory["scale"] = square.diagonal(dim1=1, dim2=2).maximum(memory["scale"])
    loss = 0.5 * r.square().sum(1, keepdim=True)
    scale = damping_scale(largest, memory["starts"], loss)
    damped = memory["damping"].unsqueeze(1) * scale
    # JᵀJ + λD² for each start.
    square.diagonal(dim1=1, dim2=2).add_(damped)
    factor, info = torch.linalg.cholesky_ex(square)
    step = -torch.cholesky_solve(gradient.unsqueeze(2), factor).squeeze(2)
    # L(0) − L(δ) = ½ δᵀ(λD²δ − Jᵀr), as in `LevenbergMarquardt.attempt`.
    foretold = 0.5 * (step * (damped * step - gradient)).sum(1)
    return step, torch.where(info == 0, foretold, math.nan)


def begin(
    starts: Starts,
    count: int,
    damping: float,
    draw: Callable[[], Any] | None,
) -> dict[str, Tensor]:
    """Return random starts with their dampings; the first start is the current weights.

    Args:
        starts: The residuals and the parameters.
        count: The number of starts.
        damping: λ of each start.
        draw: Draws new weights into the parameters.

    Raises:
        MemoryError: If there is too little memory for this number of starts.
        ValueError: If ``draw`` is None and more than one start is needed.
    """
    drawn = [starts.weights.read()]
    size, residuals = len(drawn[0]), starts.closure()
    rows = residuals.numel() if isinstance(residuals, Tensor) else 0
    what = f"`restarts={count}` with {rows:,} residuals and {size:,} weights each"
    require_matrix(what, count * size * (rows + size + MORE), drawn[0])
    for _ in range(count - 1):
        if draw is None:
            raise ValueError(
                "LevenbergMarquardt: `restarts` need `draw`, which draws new weights into the "
                "parameters, such as network.reset_parameters; it is not part of a pickle."
            )
        with torch.no_grad():
            draw()
        drawn.append(starts.weights.read())
    starts.weights.write(drawn[0])
    whole = torch.stack(drawn)
    dampings = torch.full_like(whole[:, 0], damping)
    return {
        "starts": whole,
        "damping": dampings,
        "growth": torch.full_like(dampings, 2.0),
        "scale": torch.zeros_like(whole),
    }


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


PLAIN = (list, tuple)
