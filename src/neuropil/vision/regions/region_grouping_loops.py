"""Compiled loops of selective search: regions are described and merged by their likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuropil.classic.compiled import compile_loop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]
    Integers = NDArray[Any]

loop = compile_loop(error_model="numpy")
# Bins of a histogram of one channel's colours, directions of its slopes, and their bins.
COLOR_BINS, DIRECTIONS, SLOPE_BINS = 25, 8, 10
# Slopes of this many colours per pixel, and steeper ones, share the last bin.
STEEPEST = 0.25
ACROSS = np.cos(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS))
DOWN = np.sin(np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS))


class Regions(NamedTuple):
    """Regions of a picture.

    Attributes:
        hues: Histograms of colours, ``(count, bins)``, which add up to 1.
        slopes: Histograms of slopes, likewise.
        sizes: Numbers of pixels; 0 for a region that was merged into another.
        boxes: Bounding boxes x₁, y₁, x₂, y₂.
    """

    hues: Floats
    slopes: Floats
    sizes: Integers
    boxes: Integers


@loop
def describe_regions(colors: Floats, smooth: Floats, labels: Integers, count: int) -> Regions:
    """Return the regions of a picture with their descriptions.

    Args:
        colors: Colours from 0 to 1, ``(H, W, C)``.
        smooth: The same, smoothed.
        labels: The region of each pixel.
        count: The number of regions.
    """
    height, width, channels = colors.shape
    hues = np.zeros((count, channels, COLOR_BINS), np.float32)
    slopes = np.zeros((count, channels, DIRECTIONS, SLOPE_BINS), np.float32)
    sizes, boxes = np.zeros(count, np.int64), np.empty((count, 4), np.int64)
    for region in range(count):
        boxes[region, 0], boxes[region, 1] = width, height
        boxes[region, 2], boxes[region, 3] = 0, 0
    for i in range(height):
        for j in range(width):
            region = labels[i, j]
            sizes[region] += 1
            box = boxes[region]
            box[0], box[1] = min(box[0], j), min(box[1], i)
            box[2], box[3] = max(box[2], j + 1), max(box[3], i + 1)
            for c in range(channels):
                place = int(colors[i, j, c] * COLOR_BINS)
                hues[region, c, min(max(place, 0), COLOR_BINS - 1)] += 1
                count_slopes(slopes[region, c], smooth, i, j, c)
    bins = hues.reshape(count, -1), slopes.reshape(count, -1)
    for histogram, parts in ((bins[0], channels), (bins[1], channels * DIRECTIONS)):
        for region in range(count):
            for k in range(histogram.shape[1]):
                histogram[region, k] /= sizes[region] * parts
    return Regions(bins[0], bins[1], sizes, boxes)


@loop
def count_slopes(slopes: Floats, smooth: Floats, i: int, j: int, c: int) -> None:
    """Count the slope of a channel at a pixel in each direction in which it rises, or as 0."""
    left, right = smooth[i, max(j - 1, 0), c], smooth[i, min(j + 1, smooth.shape[1] - 1), c]
    above, below = smooth[max(i - 1, 0), j, c], smooth[min(i + 1, smooth.shape[0] - 1), j, c]
    for d in range(DIRECTIONS):
        slope = max(((right - left) * ACROSS[d] + (below - above) * DOWN[d]) / 2, 0.0)
        slopes[d, min(int(slope * (SLOPE_BINS / STEEPEST)), SLOPE_BINS - 1)] += 1


@loop
def neighbors(labels: Integers, count: int) -> Integers:
    """Return which regions touch each other, at a side or a corner of a pixel."""
    height, width = labels.shape
    touch = np.zeros((count, count), np.bool_)
    for i in range(height):
        for j in range(width):
            for y, x in ((i, j + 1), (i + 1, j), (i + 1, j + 1), (i + 1, j - 1)):
                if y < height and 0 <= x < width and labels[y, x] != labels[i, j]:
                    touch[labels[i, j], labels[y, x]] = touch[labels[y, x], labels[i, j]] = True
    return touch


@loop
def group_regions(regions: Regions, touch: Integers, area: int, by_color: float) -> Integers:
    """Return the bounding boxes of all regions, merged ones after their parts.

    Of all regions that touch, the two most alike are merged, until one is left. A merged region
    takes the place of the first of its parts in all the arrays, which are changed.

    Args:
        regions: The regions.
        touch: Which regions touch each other.
        area: Number of pixels of the picture.
        by_color: The weight of the likeness of colours.
    """
    count = len(regions.sizes)
    found = np.empty((2 * count - 1, 4), np.int64)
    for a in range(count):
        for k in range(4):
            found[a, k] = regions.boxes[a, k]
    # How much alike regions are that touch, and the one that is most like each.
    like, best = np.full((count, count), -1.0, np.float32), np.zeros(count, np.int64)
    for a in range(count):
        compare(regions, touch, area, by_color, like, best, a)
    for made in range(count, 2 * count - 1):
        a = most_alike(regions.sizes, like, best)
        b = best[a]
        merge(regions, a, b)
        for k in range(4):
            found[made, k] = regions.boxes[a, k]
        for other in range(count):
            if touch[b, other]:
                touch[a, other] = touch[other, a] = other != a
                touch[b, other] = touch[other, b] = False
                like[b, other] = like[other, b] = -1
        compare(regions, touch, area, by_color, like, best, a)
    return found


@loop
def compare(
    regions: Regions,
    touch: Integers,
    area: int,
    by_color: float,
    like: Floats,
    best: Integers,
    a: int,
) -> None:
    """Write how much one region is like those that it touches, and which is most like each."""
    for b in range(len(best)):
        if touch[a, b]:
            like[a, b] = like[b, a] = alike(regions, area, by_color, a, b)
            best[b] = like[b].argmax()
    best[a] = like[a].argmax()


@loop
def most_alike(sizes: Integers, like: Floats, best: Integers) -> int:
    """Return one of the two regions that are most alike; the other is its best."""
    found, top = 0, np.float32(-2)
    for each in range(len(sizes)):
        if sizes[each] and like[each, best[each]] > top:
            found, top = each, like[each, best[each]]
    return found


@loop
def merge(regions: Regions, a: int, b: int) -> None:
    """Merge region b into region a."""
    hues, slopes, sizes, boxes = regions
    share = sizes[a] / (sizes[a] + sizes[b])
    for histogram in (hues, slopes):
        for k in range(histogram.shape[1]):
            histogram[a, k] = share * histogram[a, k] + (1 - share) * histogram[b, k]
    for k in range(2):
        boxes[a, k] = min(boxes[a, k], boxes[b, k])
        boxes[a, k + 2] = max(boxes[a, k + 2], boxes[b, k + 2])
    sizes[a] += sizes[b]
    sizes[b] = 0


@loop
def alike(regions: Regions, area: int, by_color: float, a: int, b: int) -> float:
    """Return the likeness of two regions: of colours, slopes, sizes, and how well they fit."""
    hues, slopes, sizes, boxes = regions
    common = 0.0
    for k in range(hues.shape[1]):
        common += by_color * min(hues[a, k], hues[b, k])
    for k in range(slopes.shape[1]):
        common += min(slopes[a, k], slopes[b, k])
    both = sizes[a] + sizes[b]
    width = max(boxes[a, 2], boxes[b, 2]) - min(boxes[a, 0], boxes[b, 0])
    height = max(boxes[a, 3], boxes[b, 3]) - min(boxes[a, 1], boxes[b, 1])
    return common + (1 - both / area) + (1 - (width * height - both) / area)
