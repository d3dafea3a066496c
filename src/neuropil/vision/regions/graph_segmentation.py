"""Felzenszwalb's segmentation: regions are trees of neighbouring pixels of similar colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.checks import number, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def graph_segmentation(
    picture: Tensor, scale: float = 100.0, sigma: float = 0.8, min_size: int = 20
) -> Tensor:
    """Return the regions of a picture by a graph of its pixels.

    Edges join each pixel to its eight neighbours, with the distance of their colours as their
    weight. In the order of their weights w, an edge merges two regions A and B if

    ``w < min(Int(A) + k/|A|, Int(B) + k/|B|)``

    where Int is the largest weight inside a region and k the scale: large regions need more
    similar colours. Then regions of fewer than `min_size` pixels are merged with the neighbour
    across their lightest edge. Edges of equal weights are taken in one order: those to the
    right, down, down right and up right, each row by row.

    Shape:
        ``(C, H, W)`` to ``(H, W)`` of int64: numbers from 0 in the order of the first pixels.

    Args:
        picture: Colours from 0 to 1, or bytes from 0 to 255.
        scale: k, for colours from 0 to 255. Larger values give larger regions.
        sigma: Standard deviation in pixels of the Gaussian that smooths the picture first.
        min_size: The smallest number of pixels of a region.

    Raises:
        ValueError: If the picture is not one, is not finite, or an option is out of its range.

    Reference:
        Felzenszwalb, Huttenlocher, "Efficient graph-based image segmentation", 2004. Labels
        are those of ``skimage.segmentation.felzenszwalb``, which leaves the order of equal
        weights open.

    Example:
        >>> import torch
        >>> picture = torch.zeros(3, 4, 6)
        >>> picture[:, :, 4:] = 1
        >>> graph_segmentation(picture, sigma=0, min_size=1)[0].tolist()
        [0, 0, 0, 0, 1, 1]
    """
    scale = number(scale, "graph_segmentation: scale", "[0, inf)")
    sigma = number(sigma, "graph_segmentation: sigma", "[0, inf)")
    min_size = whole(min_size, "graph_segmentation: min_size")
    colors = colors_of(picture, "graph_segmentation")
    return torch.from_numpy(segment(colors, scale, sigma, min_size))


def colors_of(picture: Any, what: str) -> NDArray[np.float64]:
    """Return the colours of a picture from 0 to 1, ``(H, W, C)``.

    Raises:
        ValueError: If it is not a picture, or a colour is not finite.
    """
    picture = torch.as_tensor(picture)
    if picture.ndim != 3 or not picture.numel():
        raise ValueError(
            f"{what}: a picture must have the shape (C, H, W), got {(*picture.shape,)}."
        )
    colors = picture.detach().cpu().permute(1, 2, 0).double().contiguous().numpy()
    if not np.isfinite(colors).all():
        raise ValueError(f"{what}: the picture has colours that are not finite.")
    return colors if picture.is_floating_point() else colors / 255


def segment(
    colors: NDArray[np.float64], scale: float, sigma: float, min_size: int
) -> NDArray[np.int64]:
    """Return the region of each pixel.

    Args:
        colors: Colours from 0 to 1, ``(H, W, C)``.
        scale: As for `graph_segmentation`.
        sigma: Likewise.
        min_size: Likewise.
    """
    from scipy.ndimage import gaussian_filter

    from neuropil.vision.regions import graph_segmentation_loops as loops

    smooth = gaussian_filter(colors, [sigma, sigma, 0]) if sigma else colors
    ends, weights = loops.pixel_edges(np.ascontiguousarray(smooth))
    order = by_weight(weights)
    height, width = colors.shape[:2]
    labels = loops.merge_regions(ends, weights, order, height * width, scale / 255, min_size)
    return labels.reshape(height, width)


def by_weight(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the stable order of weights that are not negative.

    Whole numbers are sorted many times as fast as floats with their places: the upper half of
    each is the weight in single precision, the lower half its place.
    """
    from neuropil.vision.regions.graph_segmentation_loops import sort_further

    bits = weights.astype(np.float32).view(np.int32).astype(np.int64)
    keys = (bits << 32) | np.arange(len(weights))
    keys.sort()
    order = keys & 0xFFFFFFFF
    sort_further(order, weights)
    return order
