"""Examples as pictures embedded in a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from neuropil.core.shape import Shape

# The page shows pictures at most this large; larger files would only weigh more.
LARGEST = 160
# Up to this size the page enlarges pixels as squares instead of blurring them.
PIXELATED_TO = 64


def can_be_shown(shape: Shape) -> bool:
    """Tell whether examples of a shape can be shown as pictures."""
    return len(shape) >= 2 and all(side is None or side > 1 for side in shape[-2:])


class Picture(NamedTuple):
    """A picture embedded in the page as a data URL.

    Args:
        source: The data URL.
        width: Width in pixels.
        height: Height in pixels.
        small: Whether the page enlarges its pixels as squares.
    """

    source: str
    width: int
    height: int
    small: bool


def picture(example: Tensor, limits: tuple[float, float]) -> Picture:
    """Return an example as a picture.

    Three channels are shown as colours, any other number of channels as their mean, and a
    volume as its middle slice.

    Args:
        example: ``(H, W)``, ``(C, H, W)`` or ``(C, D, H, W)``.
        limits: The values shown as black and as white.
    """
    from PIL import Image as Pillow

    image = Pillow.fromarray(to_bytes(example, limits))
    small = max(image.size) <= PIXELATED_TO
    return embed(image, LARGEST, small=small)


def embed(image: Image, largest: int, *, small: bool = False) -> Picture:
    """Return a picture of Pillow as a part of the page.

    Args:
        image: The picture.
        largest: Its sides are reduced to at most this length.
        small: Whether every pixel must be kept, and the page enlarges them as squares.
    """
    image.thumbnail((largest, largest))
    file = io.BytesIO()
    # JPEG makes photographs ten times smaller; small pictures must keep every pixel.
    if small or image.mode == "L":
        kind = "png"
        image.save(file, kind, optimize=True)
    else:
        kind = "jpeg"
        image.save(file, kind, quality=85)
    data = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/{kind};base64,{data}", image.width, image.height, small)


def to_bytes(example: Tensor, limits: tuple[float, float]) -> np.ndarray[Any, Any]:
    """Return an example as bytes ``(H, W)``, or ``(H, W, 3)`` in colour."""
    values = example.detach().cpu().double().numpy()
    if values.ndim == 4:
        values = values[:, values.shape[1] // 2]
    if values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
        values = values if values.shape[-1] == 3 else values.mean(axis=-1)
    low, high = limits
    scaled = (values - low) / ((high - low) or 1.0)
    return (255 * scaled.clip(0, 1)).round().astype(np.uint8)
