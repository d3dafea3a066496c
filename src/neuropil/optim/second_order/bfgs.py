"""BFGS's inverse Hessian, with the scale of its first matrix chosen again after each step.

From ``H₀ = h I``, updates give ``H = h A + C``: A is the remainder of the identity, C the
contribution of the pairs of steps and changes. Both are stored separately, so that h can still
be chosen. A large ("bold") h is used while much of the slope lies in the directions of A, along
which no step has been taken yet.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.optim.second_order.matrix_updates import above_rounding, gram

if TYPE_CHECKING:
    from neuropil.optim.line_search.objective import Point

# Names of the learnt state: A and C, both values of h, and how far to trust the last direction.
LEARNT_STATE = ("matrices", "bold", "cautious", "known", "departure", "fall")
# The first trial is a little more than what the last step suggests, so that it can be 1 again.
MORE = 1.01
FINEST = 0.375  # h grows by at most eps^-FINEST
SHARE = 0.3  # use the bold h if the unseen share of the slope, relative to the rest, is larger


def learn(memory: dict[str, Any], old: Point, new: Point) -> None:
    """Update the matrices from a step; a pair without curvature does not change them.

    Args:
        memory: The learnt state; changed.
        old: The start of the step.
        new: The end of the step.
    """
    s, y = new.weights - old.weights, new.gradient - old.gradient
    if "matrices" not in memory:
        identity = torch.eye(len(s), dtype=s.dtype, device=s.device)
        memory["matrices"] = torch.stack((identity, torch.zeros_like(identity)))
        memory["departure"], memory["cautious"] = 0.0, math.inf
    matrices: Tensor = memory["matrices"]
    Ay, Cy = turned = matrices @ y
    rows = gram(s, y, old.gradient + new.gradient, *turned)
    (ss, sy, along, _, _), (_, yy, _, *yHy) = rows[:2]
    memory["fall"] = old.loss - new.loss
    if not above_rounding(sy, ss, yy):
        memory["departure"] = math.inf
        memory.setdefault("bold", math.sqrt(ss / yy) if ss > 0 and 0 < yy < math.inf else 1.0)
        return
    # Zhang, Deng and Chen: if the loss is a cubic along the step, this is its third derivative
    # times ‖s‖³ (up to a factor); on a quadratic it is 0.
    departure = max(memory["departure"], abs(6 * memory["fall"] + 3 * along) / sy)
    memory["departure"] = departure
    memory["bold"] = ss / sy * emphasis(departure, torch.finfo(s.dtype).eps)
    memory["cautious"] = min(memory["cautious"], sy / yy)
    # Nocedal and Wright, "Numerical Optimization", 2006, (6.17), multiplied out for each part
    # of H = h A + C: a matrix of rank 2. The term s sᵀ/yᵀs belongs to C alone.
    for matrix, Hy, own, share in zip(matrices, (Ay, Cy), (0, 1), yHy, strict=True):
        side = torch.add(s * ((own + share / sy) / (2 * sy)), Hy, alpha=-1 / sy)
        matrix.addr_(side, s).addr_(s, side)


def emphasis(departure: float, eps: float) -> float:
    """Return the factor by which a bold h exceeds the last step's 1/curvature.

    Args:
        departure: ρ, the deviation of the loss from a quadratic, relative to its curvature.
        eps: The relative rounding error of the weights.
    """
    most = eps**-FINEST
    return most if departure * most <= 1 else max(1.0, 1 / departure)


def direction(memory: dict[str, Any], gradient: Tensor) -> Tensor:
    """Return ``−H g``."""
    unseen, seen = parts = memory["matrices"] @ gradient
    fresh, known = (parts @ gradient).tolist()
    h, seen_most = memory["bold"], memory["bold"] * fresh < SHARE * known
    if seen_most:  # A now holds mostly rounding errors of seen directions: do not magnify them
        h = min(h, memory["cautious"])
    memory["known"] = seen_most and memory["departure"] < 1
    return torch.add(seen, unseen, alpha=h).neg_()


def first_trial(memory: dict[str, Any], slope: float) -> float:
    """Return the first step to try along the last direction.

    It is 1, the Newton step, where the direction is well known and the loss close to a
    quadratic. Otherwise it is the step in which a parabola would fall by as much as the loss
    fell in the last step, and at most 1 (Nocedal, Wright, "Numerical Optimization", 2006,
    (3.60)).

    Args:
        memory: The learnt state.
        slope: The slope along the direction, below 0.
    """
    if memory["known"]:
        return 1.0
    return min(1.0, MORE * 2 * memory["fall"] / -slope)
