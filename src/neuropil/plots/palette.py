"""Colours of classes, signs and amounts, which stay the same in every theme of a page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.plots.theme import PAPER

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The palette of Okabe and Ito (2008), distinguishable in every kind of colour blindness.
FIRST = (
    "#56b4e9", "#e69f00", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999",
)  # fmt: skip
# Negative, zero and positive rise in lightness, so that signs can be told apart in grey. Each
# end has a contrast of at least 3 with the middle (WCAG 2.2, non-text contrast).
NEGATIVE, ZERO, POSITIVE = "#4a1c00", "#7b7f84", "#d6ecff"
# Differs by one from the ink of the page, so that a dark theme does not turn it light.
DATA_INK = "#1d2732"

# Levels of red, green and blue of the candidates, without those close to paper or ink.
LEVELS = np.linspace(0, 1, 14)
DARKEST, LIGHTEST = 0.35, 0.93
# Matrices from linear RGB to cone responses, and from their cube roots to OKLab (Ottosson,
# "A perceptual color space for image processing", 2020).
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@cache
def class_palette(count: int) -> tuple[str, ...]:
    """Return a palette of distinct colours, each far from those before it.

    The first eight can be distinguished in every kind of colour blindness. Each further colour
    is the candidate with the largest distance in OKLab to the nearest colour so far.

    Args:
        count: Number of colours.

    Example:
        >>> class_palette(2)
        ('#56b4e9', '#e69f00')
        >>> len(set(class_palette(300)))
        300
    """
    from matplotlib.colors import to_hex, to_rgb

    if count <= len(FIRST):
        return FIRST[:count]
    candidates = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS), axis=-1).reshape(-1, 3)
    places = oklab(candidates)
    middling = (places[:, 0] > DARKEST) & (places[:, 0] < LIGHTEST)
    candidates, places = candidates[middling], places[middling]
    chosen = oklab(np.array([to_rgb(color) for color in FIRST]))
    nearest = np.linalg.norm(places[:, None] - chosen, axis=2).min(axis=1)
    further = []
    for _ in range(min(count - len(FIRST), len(candidates))):
        best = int(nearest.argmax())
        further.append(to_hex(candidates[best]))
        nearest = np.minimum(nearest, np.linalg.norm(places - places[best], axis=1))
    # With more classes than candidates the colours repeat: nobody can distinguish thousands.
    colors = (*FIRST, *further)
    return tuple(colors[place % len(colors)] for place in range(count))


def oklab(rgb: NDArray[Any]) -> NDArray[Any]:
    """Return colours ``(n, 3)`` from 0 to 1 as lightness and two opponent axes."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ CONES.T) @ LAB.T


def shades(color: str) -> Any:
    """Return the colour map from paper to a colour."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", [PAPER, color])


def signed_scale() -> Any:
    """Return the colour map from −1, dark orange, over 0, grey, to 1, light blue."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, ZERO, POSITIVE])


def borders(regions: NDArray[Any]) -> NDArray[Any]:
    """Return a mask of the cells whose right or lower neighbour belongs to another region.

    Args:
        regions: The region of each cell, ``(height, width)``.

    Example:
        >>> borders(np.array([[0, 0, 1]])).tolist()
        [[False, True, False]]
    """
    edge = np.zeros(regions.shape, dtype=bool)
    edge[:, :-1] |= regions[:, 1:] != regions[:, :-1]
    edge[:-1] |= regions[1:] != regions[:-1]
    return edge
