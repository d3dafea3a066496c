"""Colour spaces in which selective search compares regions, each from 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# From linear red, green and blue to X, Y, Z over those of white (D65).
TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
) / [[0.950456], [1.0], [1.088754]]
# Where the cube root of Lab gives way to a line, and its slope.
SMALL, SLOPE = 0.008856, 7.787


def to_hsv(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return hue, saturation and value of colours: the hexagonal cone.

    Args:
        colors: Red, green and blue from 0 to 1, ``(…, 3)``.
    """
    red, green, blue = np.moveaxis(colors, -1, 0)
    value = colors.max(-1)
    spread = value - colors.min(-1)
    safe = np.where(spread > 0, spread, 1)
    sixth = np.where(
        value == red,
        (green - blue) / safe % 6,
        np.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = np.where(spread > 0, sixth / 6, 0)
    return np.stack([hue, spread / np.where(value > 0, value, 1), value], -1)


def to_lab(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return L/100, (a + 128)/255 and (b + 128)/255 of colours, in CIE's Lab space.

    Args:
        colors: Red, green and blue of sRGB from 0 to 1, ``(…, 3)``.
    """
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    xyz = linear @ TO_XYZ.T
    x, y, z = np.moveaxis(np.where(xyz > SMALL, np.cbrt(xyz), SLOPE * xyz + 16 / 116), -1, 0)
    lightness = np.where(xyz[..., 1] > SMALL, 1.16 * y - 0.16, 9.033 * xyz[..., 1])
    return np.stack([lightness, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255], -1)


SPACES = {"hsv": to_hsv, "lab": to_lab}
"""The colour spaces by name."""
