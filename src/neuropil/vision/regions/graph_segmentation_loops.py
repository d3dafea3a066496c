"""Compiled loops of the graph segmentation: edges, their order, and the merging of regions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]
    Integers = NDArray[Any]

loop = compile_loop(error_model="numpy")


@loop
def pixel_edges(colors: Floats) -> tuple[Integers, Floats]:
    """Return the two pixels of each edge, and the distance of their colours.

    Args:
        colors: ``(H, W, C)``.
    """
    height, width, channels = colors.shape
    count = 4 * height * width - 3 * (height + width) + 2
    ends, weights = np.empty((count, 2), np.int32), np.empty(count)
    n = 0
    for down, right in ((0, 1), (1, 0), (1, 1), (-1, 1)):
        for i in range(max(0, -down), height - max(0, down)):
            for j in range(width - right):
                total = 0.0
                for c in range(channels):
                    difference = colors[i + down, j + right, c] - colors[i, j, c]
                    total += difference * difference
                weights[n] = math.sqrt(total)
                ends[n, 0], ends[n, 1] = i * width + j, (i + down) * width + j + right
                n += 1
    return ends, weights


@loop
def sort_further(order: Integers, weights: Floats) -> None:
    """Sort by weights in double precision what is sorted by them in single precision."""
    for k in range(1, len(order)):
        place = order[k]
        weight, to = weights[place], k
        while to and weights[order[to - 1]] > weight:
            order[to] = order[to - 1]
            to -= 1
        order[to] = place


@loop
def merge_regions(
    ends: Integers, weights: Floats, order: Integers, pixels: int, scale: float, least: int
) -> Integers:
    """Return the region of each pixel, numbered by their first pixels.

    Args:
        ends: The two pixels of each edge.
        weights: The weight of each edge.
        order: The edges, lightest first.
        pixels: The number of pixels.
        scale: k, in the unit of the weights.
        least: The smallest number of pixels of a region.
    """
    parent = np.arange(pixels).astype(np.int32)
    size = np.ones(pixels, np.int32)
    # The weight that an edge must stay below to merge a region with another.
    limit = np.full(pixels, scale)
    for edge in order:
        a, b = root(parent, ends[edge, 0]), root(parent, ends[edge, 1])
        if a != b and weights[edge] < min(limit[a], limit[b]):
            a = unite(parent, size, a, b)
            limit[a] = weights[edge] + scale / size[a]
    for edge in order:
        a, b = root(parent, ends[edge, 0]), root(parent, ends[edge, 1])
        if a != b and min(size[a], size[b]) < least:
            unite(parent, size, a, b)
    labels, found = np.full(pixels, -1), 0
    for pixel in range(pixels):
        top = root(parent, pixel)
        if labels[top] < 0:  # the root of a region is its first pixel
            labels[top], found = found, found + 1
        labels[pixel] = labels[top]
    return labels


@loop
def root(parent: Integers, pixel: int) -> int:
    """Return the root of a pixel, and shorten the way to it."""
    while parent[pixel] != pixel:
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel


@loop
def unite(parent: Integers, size: Integers, a: int, b: int) -> int:
    """Merge two regions, given by their roots, and return the root of both."""
    first, other = min(a, b), max(a, b)
    parent[other] = first
    size[first] += size[other]
    return first
