"""Compiled asynchronous recall, one unit after the other."""

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
    """Update each unit once from its field; tell whether any changed.

    Args:
        state: A row of −1 and 1; changed.
        field: W s; updated with the state.
        weights: A symmetric matrix with a zero diagonal.
        order: The order of the units.
        tolerance: A field up to this size counts as 0, and the unit does not change.
        falls: Filled with the decrease of the energy at each visit.
    """
    changed = False
    for visit in range(order.shape[0]):
        unit = order[visit]
        strength = field[unit] * state[unit]
        falls[visit] = 0.0
        if strength < -tolerance:
            state[unit] = -state[unit]
            # Flipping sᵢ changes −½ sᵀWs by 2 sᵢ hᵢ, with hᵢ its field and sᵢ its old value: W
            # is symmetric, and wᵢᵢ is 0.
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
    """Update each unit of the rows that still change; mark those in which none changed."""
    falls = np.empty(states.shape[1])
    for row in range(states.shape[0]):
        if moving[row]:
            moving[row] = visit_all(states[row], fields[row], weights, order, tolerance, falls)
