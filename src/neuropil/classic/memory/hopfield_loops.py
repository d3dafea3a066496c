"""Asynchronous recall, one unit after the other, compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from neuropil.classic.base import Floats


@compile_loop()
def visit_all(
    state: Floats,
    field: Floats,
    weights: Floats,
    order: np.ndarray,
    tolerance: float,
    falls: Floats,
) -> bool:
    """Visit each unit once and turn it to its field; tell whether any turned.

    Args:
        state: A row of −1 and 1; changed.
        field: W s; kept up with the state.
        weights: Symmetric, nothing on the diagonal.
        order: Which unit comes when.
        tolerance: A field up to this is 0, and the unit stays.
        falls: Filled with how far the energy fell at each visit.
    """
    changed = False
    for visit in range(order.shape[0]):
        unit = order[visit]
        strength = field[unit] * state[unit]
        falls[visit] = 0.0
        if strength < -tolerance:
            state[unit] = -state[unit]
            # Turning sᵢ changes −½ sᵀWs by 2 sᵢ hᵢ, with hᵢ its field: W is symmetric, and wᵢᵢ
            # is 0.
            falls[visit] = -2.0 * strength
            step = 2.0 * state[unit]
            for other in range(field.shape[0]):
                field[other] += step * weights[unit, other]
            changed = True
    return changed


@compile_loop()
def sweep(
    states: Floats,
    fields: Floats,
    weights: Floats,
    order: np.ndarray,
    tolerance: float,
    moving: np.ndarray,
) -> None:
    """Visit each unit of each row that still moves; mark the rows in which none turned."""
    falls = np.empty(states.shape[1])
    for row in range(states.shape[0]):
        if moving[row]:
            moving[row] = visit_all(states[row], fields[row], weights, order, tolerance, falls)
