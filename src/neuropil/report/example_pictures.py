"""Examples as pictures inside a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.report.html import Html, element

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets import Splits

# Shown at most this large, so larger ones would only make the file heavy.
LARGEST = 160
# Smaller ones are shown as squares, not as a blur.
PIXELATED_TO = 64


def can_be_shown(shape: tuple[int, ...]) -> bool:
    """Tell whether examples of a shape can be seen as a picture."""
    return len(shape) >= 2 and min(shape[-2:]) > 1


def gallery(cards: list[Html], shape: tuple[int, ...]) -> Html:
    """Return pictures with their captions side by side, large ones larger."""
    large = " large" if max(shape[-2:]) > PIXELATED_TO else ""
    return element("ul", cards, class_=f"pictures{large}")


def value_range(splits: Splits) -> tuple[float, float]:
    """Return the values of black and white."""
    preparation: Any = splits.preparation
    if splits.kind == "pictures":
        return preparation.low, preparation.high
    inputs = splits.train.inputs
    return float(inputs.min()), float(inputs.max())


def picture(example: Tensor, limits: tuple[float, float], alternative: str) -> Html:
    """Return an example as an ``<img>`` that holds its own data.

    Args:
        example: ``(H, W)``, ``(C, H, W)`` or ``(C, D, H, W)``; three channels are colours, of
            any other number the mean is shown, of a volume its middle slice.
        limits: The values of black and white.
        alternative: What it shows, for who cannot see it.
    """
    from PIL import Image

    pixels = as_bytes(example, limits)
    image = Image.fromarray(pixels)
    size = image.size
    if max(size) > LARGEST:
        image.thumbnail((LARGEST, LARGEST))
    file = io.BytesIO()
    # Photographs are a tenth as large as JPEG; small pictures must keep every pixel.
    kind = "jpeg" if max(size) > PIXELATED_TO and pixels.ndim == 3 else "png"
    image.save(file, kind, **({"quality": 85} if kind == "jpeg" else {"optimize": True}))
    data = base64.b64encode(file.getvalue()).decode()
    return element(
        "img",
        src=f"data:image/{kind};base64,{data}",
        alt=alternative,
        width=image.width,
        height=image.height,
        class_="pixels" if max(size) <= PIXELATED_TO else None,
    )


def as_bytes(example: Tensor, limits: tuple[float, float]) -> np.ndarray[Any, Any]:
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
