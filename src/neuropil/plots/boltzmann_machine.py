"""Weights and samples of a restricted Boltzmann machine as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.filters import MOST_FILTERS, color_filter, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuropil.classic import RBM, DeepBeliefNetwork

Array = np.ndarray[Any, Any]


def machine_filters(machine: RBM, shape: tuple[int, int]) -> Figure:
    """Draw the weights of each hidden unit as a picture, side by side.

    Light blue means that an active visible unit excites the hidden unit, dark orange that it
    inhibits it, and mid-grey that it has no influence. Each picture is scaled by its own
    largest weight. The first 256 are drawn.

    Args:
        machine: A fitted machine.
        shape: Height and width of the visible units as a picture.

    Raises:
        ValueError: If the visible units do not fill such a picture.

    Example:
        >>> from neuropil.classic import RBM
        >>> figure = machine_filters(RBM(6, random_state=0).fit(np.eye(4)), (2, 2))
        >>> figure.axes[0].get_title(loc="left")
        'RBM: the weights of 6 hidden units'
    """
    weights = reshape_rows(machine.components_[:MOST_FILTERS], shape)
    count = len(machine.components_)
    first = f" (the first {MOST_FILTERS} shown)" if count > MOST_FILTERS else ""
    title = f"RBM: the weights of {count} hidden units{first}"
    return sheet(np.stack([color_filter(weight[None]) for weight in weights]), title)


def samples(
    machine: RBM | DeepBeliefNetwork,
    shape: tuple[int, int],
    *,
    count: int = 64,
    n_steps: int = 500,
    random_state: Any = None,
) -> Figure:
    """Draw samples from a machine: the expected values in the last Gibbs step.

    The smallest value is black and the largest white.

    Args:
        machine: A fitted machine, or a deep belief network.
        shape: Height and width of the visible units as a picture.
        count: Number of samples.
        n_steps: Steps of the Gibbs chains.
        random_state: Seed or generator; None uses that of the machine.

    Raises:
        ValueError: If the visible units do not fill such a picture.

    Example:
        >>> from neuropil.classic import RBM
        >>> figure = samples(RBM(6, random_state=0).fit(np.eye(4)), (2, 2), count=9)
        >>> figure.axes[0].get_title(loc="left")
        'RBM: 9 samples after 500 steps'
    """
    drawn = machine.sample(count, n_steps=n_steps, expected=True, random_state=random_state)
    pictures = reshape_rows(drawn, shape)
    low, high = pictures.min(), pictures.max()
    grey = (pictures - low) / (high - low or 1.0)
    times = max(1, 64 // max(shape))
    grey = grey.repeat(times, axis=1).repeat(times, axis=2)
    opaque = np.stack([grey, grey, grey, np.ones_like(grey)], axis=-1)
    return sheet(opaque, f"{type(machine).__name__}: {count} samples after {n_steps} steps")


def reshape_rows(rows: Array, shape: tuple[int, int]) -> Array:
    """Return rows as pictures.

    Raises:
        ValueError: If the rows have another number of pixels.
    """
    height, width = shape
    if rows.shape[1] != height * width:
        raise ValueError(
            f"a picture of {height} × {width} has {height * width} pixels, the machine has "
            f"{rows.shape[1]} visible units."
        )
    return rows.reshape(-1, height, width)
