"""Levenberg–Marquardt from many starts at once, of which the best is kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from neuropil.optim.least_squares.gauss_newton import (
    LEAST_DAMPING,
    LEAST_FACTOR,
    LEAST_GAIN,
    damping_scale,
)
from neuropil.optim.least_squares.memory_need import require_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.optim.least_squares.batched_residuals import Starts
    from neuropil.optim.outcome import Reason

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
