"""The log partition function of a Boltzmann machine: exact, or by annealed sampling."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from neuropil.classic.boltzmann.loops import draw_hidden, draw_visible
from neuropil.classic.boltzmann.softplus import softplus_sums

Floats = NDArray[np.floating[Any]]

MOST_ENUMERATED = 20
STATES_AT_ONCE = 4096


def exact_log_partition(W: Floats, b: Floats, c: Floats, *, gaussian: bool) -> float:
    """Return ``log Z`` by a sum over all states of the hidden units, or of the visible bits.

    For each state, the other side is summed (or integrated) in closed form.

    Args:
        W: Weights, visible × hidden.
        b: Biases of visible units.
        c: Biases of hidden units.
        gaussian: Whether visible units are real numbers, or bits.
    """
    # A machine of bits is symmetric in its two sides: enumerate the smaller one.
    if not gaussian and len(b) < len(c):
        W, b, c = np.ascontiguousarray(W.T), c, b
    constant = len(b) / 2 * math.log(2 * math.pi) if gaussian else 0.0
    sums = []
    for first in range(0, 2 ** len(c), STATES_AT_ONCE):
        numbers = np.arange(first, min(first + STATES_AT_ONCE, 2 ** len(c)))
        # The binary digits of each number are one state of the units.
        states = (numbers[:, None] >> np.arange(len(c)) & 1).astype(float)
        inputs = states @ W.T
        others = (
            inputs @ b + (inputs**2).sum(1) / 2 if gaussian else softplus_sums(inputs + b, 1.0)
        )
        sums.append(logsumexp(states @ c + others))
    return float(logsumexp(sums)) + constant


def annealed_log_partition(
    W: Floats,
    b: Floats,
    c: Floats,
    *,
    gaussian: bool,
    n_temperatures: int,
    n_chains: int,
) -> float:
    """Return an estimate of ``log Z`` by annealed importance sampling.

    Chains move from a machine without weights, whose Z is known, to this one: at inverse
    temperature β the input of the hidden units is ``β (c + v W)``. The mean of their importance
    weights estimates the ratio of both Z.

    Args:
        W: Weights, visible × hidden.
        b: Biases of visible units.
        c: Biases of hidden units.
        gaussian: Whether visible units are real numbers, or bits.
        n_temperatures: The number of steps from β = 0 to 1.
        n_chains: The number of chains.
    """
    # A fixed seed, so that two machines are compared with the same random numbers.
    rng = np.random.default_rng(0)
    V, H = np.empty((n_chains, len(b))), np.zeros((n_chains, len(c)))
    draw_visible(V, 0 * W, b, H, gaussian, rng)
    # log of Σᵥ exp(b·v) over bits, or of ∫ exp(−‖v − b‖² / 2) dv.
    alone = len(b) / 2 * math.log(2 * math.pi) if gaussian else softplus_sums(b[None], 1.0)[0]
    weights = np.zeros(n_chains)
    inverse = np.linspace(0, 1, n_temperatures + 1)
    for before, beta in itertools.pairwise(inverse):
        inputs = c + V @ W
        # log p*_β(v) / p*_before(v) at a v drawn at the temperature before; the visible biases
        # are in both and cancel.
        weights += softplus_sums(inputs, beta) - softplus_sums(inputs, before)
        draw_hidden(expit(beta * inputs), H, rng)
        draw_visible(V, beta * W, b, H, gaussian, rng)
    # The mean of the weights estimates Z over that of the machine without weights, for which
    # Z = 2^hidden · ∏ (1 + e^bᵢ).
    ratio = logsumexp(weights) - math.log(n_chains)
    return float(alone + len(c) * math.log(2) + ratio)
