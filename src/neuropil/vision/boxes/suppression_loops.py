"""Compiled non-max suppression: each box is compared with the kept boxes around it."""

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
# Cells farther from the origin count as this one, whose number is exact in float64.
LAST_CELL = 2.0**40
# The number of boxes whose sides decide the size of a cell.
SAMPLE = 256


@loop
def suppress_pictures(
    boxes: Floats,
    classes: Integers,
    order: Integers,
    counts: Integers,
    threshold: Any,
    inexact: Any,
    kept: Integers,
) -> None:
    """Write the rows kept of each picture, best first, until `kept` is full.

    Args:
        boxes: Corners, (pictures, candidates, 4).
        classes: (pictures, candidates).
        order: Rows of each picture, best first.
        counts: The number of rows of each picture that take part.
        threshold: IoU from which a box is dropped, above 0, in the dtype of the boxes.
        inexact: Area below which products are not exact to some digits.
        kept: Where to write, (pictures, rows).
    """
    for i in range(len(boxes)):
        rows = order[i, : counts[i]]
        keep_best(boxes[i], classes[i], rows, threshold, inexact, kept[i, : len(rows)])


@loop
def keep_best(
    boxes: Floats,
    classes: Integers,
    rows: Integers,
    threshold: Any,
    inexact: Any,
    kept: Integers,
) -> None:
    """Write the rows kept of one picture.

    Two boxes whose IoU is t lie at most ``w (1 − t) / 2t`` apart in x, w being the width of
    either, and no farther than half the sum of their widths.
    """
    # Corners and area of the kept boxes, and their classes.
    places, labels = np.empty((len(kept), 5), boxes.dtype), np.empty(len(kept), np.int64)
    # Cells of a grid share buckets: the box that entered last, and the one before each.
    last = np.empty(2 ** int(math.log2(len(kept) + 8) + 2), np.int32)
    last.fill(-1)
    before = np.empty(len(kept), np.int32)
    # Rounding may raise an IoU to the threshold.
    reach = 0.5 / (threshold * (1 - 1e-5)) - 0.5
    per_x, per_y = cells_per_unit(boxes, rows, min(1.0, max(2 * reach, 0.125)))
    n, widest, tallest = 0, 0.0, 0.0
    for row in rows:
        if n == len(kept):
            break
        label = classes[row]
        x1, y1, x2, y2 = boxes[row]
        box = x1, y1, x2, y2, (x2 - x1) * (y2 - y1)
        if x2 > x1 and y2 > y1 and box[4] > 0:  # a box without area overlaps nothing
            left, x, right = cells_of(x1, x2, reach, widest, per_x)
            top, y, bottom = cells_of(y1, y2, reach, tallest, per_y)
            home = bucket(x, y, label, last)
            # Few cells are looked up; tiny areas are too inexact for a bound on the distance.
            if box[4] < inexact or (right - left + 1.0) * (bottom - top + 1.0) > n:
                dropped = meets_any(box, label, threshold, places[:n], labels)
            else:
                cells = left, right, top, bottom
                dropped = meets_near(
                    cells, home, box, label, threshold, places, labels, last, before
                )
            if dropped:
                continue
            before[n], last[home] = last[home], n
            widest, tallest = max(widest, x2 - x1), max(tallest, y2 - y1)
        kept[n], labels[n] = row, label
        for k in range(5):
            places[n, k] = box[k]
        n += 1


@loop
def cells_per_unit(boxes: Floats, rows: Integers, factor: float) -> tuple[float, float]:
    """Return the number of cells per unit of x and y, for cells as large as typical boxes."""
    width = height = 0.0
    n = 0
    for row in rows[:: len(rows) // SAMPLE + 1]:
        x1, y1, x2, y2 = boxes[row]
        if x2 > x1 and y2 > y1:
            width += math.log(x2 - x1)
            height += math.log(y2 - y1)
            n += 1
    n = max(n, 1)
    return math.exp(-width / n) / factor, math.exp(-height / n) / factor


@loop
def cells_of(
    low: Any, high: Any, reach: float, widest: float, per_unit: float
) -> tuple[Any, Any, Any]:
    """Return the first cell of those that reach the threshold, the box's own, and the last."""
    size = float(high) - float(low)
    center = float(low) + size / 2
    # The margin is more than coordinates and products are rounded by.
    away = min(size * reach, (size + widest) / 2) * 1.000001 + 1e-15 * abs(center)
    return cell(center - away, per_unit), cell(center, per_unit), cell(center + away, per_unit)


@loop
def cell(x: float, per_unit: float) -> Any:
    """Return the number of the cell in which a coordinate lies."""
    return np.int64(max(-LAST_CELL, min(np.floor(x * per_unit), LAST_CELL)))


@loop
def bucket(x: int, y: int, label: Any, last: Integers) -> Any:
    """Return the bucket of a cell and a class; cells side by side have buckets side by side."""
    return (x + 7919 * y + 104729 * label) & (len(last) - 1)


@loop
def meets_any(
    box: tuple[Any, ...], label: Any, threshold: Any, places: Floats, labels: Integers
) -> bool:
    """Tell whether any kept box of the class reaches the threshold."""
    for other in range(len(places)):
        if overlap(box, places, other) >= threshold and labels[other] == label:
            return True
    return False


@loop
def meets_near(
    cells: tuple[int, int, int, int],
    home: int,
    box: tuple[Any, ...],
    label: Any,
    threshold: Any,
    places: Floats,
    labels: Integers,
    last: Integers,
    before: Integers,
) -> bool:
    """Tell whether a kept box of the class, in these cells, reaches the threshold."""
    # The box that drops this one mostly has its centre in the same cell.
    if meets_in(home, box, label, threshold, places, labels, last, before):
        return True
    left, right, top, bottom = cells
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            there = bucket(x, y, label, last)
            if there != home and meets_in(
                there, box, label, threshold, places, labels, last, before
            ):
                return True
    return False


@loop
def meets_in(
    there: int,
    box: tuple[Any, ...],
    label: Any,
    threshold: Any,
    places: Floats,
    labels: Integers,
    last: Integers,
    before: Integers,
) -> bool:
    """Tell whether a kept box of the class, in this bucket, reaches the threshold."""
    other = np.int64(last[there])
    while other >= 0:
        if overlap(box, places, other) >= threshold and labels[other] == label:
            return True
        other = np.int64(before[other])
    return False


@loop
def overlap(box: tuple[Any, ...], places: Floats, other: Any) -> Any:
    """Return the IoU of a box with one of others, computed as `iou` computes it."""
    x1, y1, x2, y2, area = box
    width = min(x2, places[other, 2]) - max(x1, places[other, 0])
    height = min(y2, places[other, 3]) - max(y1, places[other, 1])
    common = width * height
    if width <= 0 or height <= 0 or common == 0:
        return x1 - x1  # 0 in the dtype of the boxes
    return common / (area + places[other, 4] - common)
