"""Recall in a Hopfield network: states descend the energy until they are stable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neuropil.classic.memory.hopfield_loops import sweep, visit_all
from neuropil.classic.memory.signs import follow_fields, rounding

if TYPE_CHECKING:
    from neuropil.classic.base import Floats


@dataclass(frozen=True)
class RecallPath:
    """The states and energies of one recall.

    Attributes:
        states: The first state and those after each sweep, ``(n_sweeps + 1, n_units)``.
        energies: The energy at first and after each visit of a unit, or each synchronous step.
    """

    states: Floats
    energies: Floats


def energy(states: Floats, weights: Floats) -> Floats:
    """Return −½ sᵀ W s of each row."""
    return -0.5 * ((states @ weights) * states).sum(axis=1)


def settle(states: Floats, weights: Floats, mode: str, sweeps: int, seed: int) -> int:
    """Update rows of −1 and 1 until they are stable; return the number that are not.

    Args:
        states: The rows; changed.
        weights: W.
        mode: ``"async"`` or ``"sync"``.
        sweeps: The largest number of sweeps.
        seed: Seed of the order of the units, the same for all rows.
    """
    if mode == "sync":
        return settle_at_once(states, weights, sweeps)
    rng, moving = np.random.default_rng(seed), np.ones(len(states), bool)
    # Fields are computed once and then updated with each change of a unit.
    fields, tolerance = states @ weights, rounding(weights)
    for _ in range(sweeps):
        order = rng.permutation(states.shape[1])
        sweep(states, fields, weights, order, tolerance, moving)
        if not moving.any():
            break
    return int(moving.sum())


def settle_at_once(states: Floats, weights: Floats, steps: int) -> int:
    """Update all units of a row at once, until none changes or two states alternate."""
    moving, before = np.arange(len(states)), np.zeros_like(states)
    tolerance = rounding(weights)
    for _ in range(steps):
        now = states[moving]
        after = follow_fields(now, now @ weights, tolerance)
        states[moving] = after
        # With symmetric W, synchronous updates end in a fixed point or a cycle of length 2.
        unsettled = (after != now).any(axis=1) & (after != before).any(axis=1)
        moving, before = moving[unsettled], now[unsettled]
        if not len(moving):
            break
    return len(moving)


def follow(state: Floats, weights: Floats, mode: str, sweeps: int, seed: int) -> RecallPath:
    """Return the path of one row, ``(1, n_units)``, until it is stable."""
    rng, falls = np.random.default_rng(seed), np.empty(state.shape[1])
    field, tolerance = state @ weights, rounding(weights)
    states, energies = [state.copy()], [energy(state, weights)]
    for _ in range(sweeps):
        if mode == "async":
            order = rng.permutation(state.shape[1])
            visit_all(state[0], field[0], weights, order, tolerance, falls)
            energies.append(energies[-1][-1] - np.cumsum(falls))
        else:
            state = follow_fields(state, state @ weights, tolerance)
            energies.append(energy(state, weights))
        states.append(state.copy())
        if any(np.array_equal(state, known) for known in states[-3:-1]):
            break
    return RecallPath(np.concatenate(states), np.concatenate(energies))
