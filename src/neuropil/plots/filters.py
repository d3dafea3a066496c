"""The filters of a convolution as pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.layers import Deconvolution
from neuropil.plots.palette import signed_scale
from neuropil.plots.theme import blank, heading
from neuropil.text import number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuropil.core import Network

Array = np.ndarray[Any, Any]

MOST_FILTERS = 256
MOST_COLUMNS = 16
# Pixels are enlarged until a filter is this wide, so that the gap of one pixel looks thin.
WIDEST_GAP = 9


def filters(network: Network, name: str | None = None) -> Figure:
    """Draw the filters of a convolution, side by side.

    Filters over three channels are shown in colour. In all others, light blue weights are
    positive and dark orange weights negative; filters over several channels are averaged. Zero
    is mid-grey, and each filter is scaled by its own largest weight. Filters of a signal are
    drawn as one row of cells, filters of a volume as their middle slice. The first 256 are
    drawn.

    Args:
        network: A built network.
        name: The layer, such as ``"convolution2"``; by default the first with filters.

    Raises:
        ValueError: If the network lacks such a layer, or the layer has no filters.

    Example:
        >>> from neuropil.layers import Convolution, Input
        >>> figure = filters(Input(1, 8, 8) >> Convolution(6, 3))
        >>> figure.axes[0].get_title(loc="left")
        'convolution1: 6 filters of 3 × 3 over 1 channel'
    """
    name, weight = filter_weights(network, name)
    taps = filter_pictures(weight)
    return sheet(
        np.stack([color_filter(tap) for tap in taps]), f"{name}: {filter_words(weight)}"
    )


def sheet(pictures: Array, title: str) -> Figure:
    """Return a figure of small pictures ``(n, height, width, 4)``, side by side.

    Args:
        pictures: Red, green, blue and opacity of each.
        title: The title above them.
    """
    columns = columns_for(len(pictures))
    picture = mosaic(pictures, columns)
    height, width = picture.shape[:2]
    # About half an inch per picture, as long as they fit on a page.
    inch = min(0.5 * columns, 7.5) / width
    figure, [axes] = blank(max(3.6, width * inch), height * inch + 0.45)
    axes.imshow(picture, interpolation="none", aspect="equal")
    axes.set_axis_off()
    heading(axes, title)
    return figure


def columns_for(count: int) -> int:
    """Return the number of columns, chosen so that all rows are full if possible."""
    if count <= MOST_COLUMNS:
        return count
    full = [n for n in range(MOST_COLUMNS // 2, MOST_COLUMNS + 1) if count % n == 0]
    return max(full, default=MOST_COLUMNS)


def filter_weights(network: Network, name: str | None = None) -> tuple[str, Array]:
    """Return the name of a layer and its filters, ``(filters, channels, …)``.

    Raises:
        ValueError: If the network lacks such a layer with filters.
    """
    network.require_built()
    found = {key: layer for key, layer in network.layers.items() if has_filters(layer)}
    if name is None and not found:
        raise ValueError("filters: this network has no convolution, so it has no filters.")
    if name is not None and name not in found:
        known = ", ".join(found) or "none"
        raise ValueError(
            f"filters: {name!r} is not a layer with filters; those with filters: {known}."
        )
    name = name or next(iter(found))
    layer: Any = found[name]
    weight = layer.weight.detach().float().cpu().numpy()
    # A transposed convolution stores its input channels along the first axis.
    return name, weight.swapaxes(0, 1) if isinstance(layer, Deconvolution) else weight


def has_filters(layer: Any) -> bool:
    """Tell whether a layer is a convolution with windows of more than one weight."""
    weight = getattr(layer, "weight", None)
    return weight is not None and weight.ndim >= 3 and math.prod(weight.shape[2:]) > 1


def filter_words(weight: Array) -> str:
    """Return the number and the size of the filters in words."""
    count, channels = weight.shape[:2]
    size = " × ".join(map(str, weight.shape[2:]))
    over = number_of(channels, "channel")
    first = f" (the first {MOST_FILTERS} shown)" if count > MOST_FILTERS else ""
    return f"{number_of(count, 'filter')} of {size} over {over}{first}"


def filter_pictures(weight: Array) -> Array:
    """Return filters as pictures ``(n, channels, height, width)`` of one or three channels."""
    weight = weight[:MOST_FILTERS]
    if weight.ndim == 3:
        weight = weight[:, :, None]
    if weight.ndim == 5:
        weight = weight[:, :, weight.shape[2] // 2]
    return weight if weight.shape[1] in (1, 3) else weight.mean(axis=1, keepdims=True)


def color_filter(tap: Array) -> Array:
    """Return one filter as ``(height, width, 4)``: red, green, blue, opacity."""
    scaled = tap / (np.abs(tap).max() or 1.0)
    picture = np.ones((*tap.shape[1:], 4))
    if len(tap) == 3:
        picture[..., :3] = 0.5 + 0.5 * np.moveaxis(scaled, 0, -1)
    else:
        picture[...] = signed_scale()((1 + scaled[0]) / 2)
    times = -(-WIDEST_GAP // max(tap.shape[1:]))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def mosaic(pictures: Array, columns: int) -> Array:
    """Return pictures laid out in rows, with transparent lines between them."""
    count, height, width, depth = pictures.shape
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, depth))
    for number, picture in enumerate(pictures):
        y, x = number // columns * (height + 1), number % columns * (width + 1)
        canvas[y : y + height, x : x + width] = picture
    return canvas
