"""Masks as run lengths, in the compressed form of COCO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

# Five bits in each character, from the character 0 on; a sixth bit says that more follow.
BITS, MORE, FIRST = 5, 32, 48


def encode_runs(mask: np.ndarray[Any, Any] | Tensor) -> dict[str, Any]:
    """Return a mask as run lengths, as COCO and pycocotools write them.

    The pixels of the columns, from left to right, are one sequence: its runs of zeros and ones
    in turn, beginning with zeros, are written in characters of 5 bits, from the third run on as
    the difference from the run before the last.

    Shape:
        Mask ``(H, W)``.

    Args:
        mask: Zeros, and ones or other numbers in the pixels of the thing.

    Raises:
        ValueError: If the mask has not two axes.

    Reference:
        Lin et al., "Microsoft COCO", 2014; the code of its ``maskApi.c`` is the definition.

    Example:
        >>> encode_runs(np.array([[0, 1], [1, 1]]))
        {'size': [2, 2], 'counts': '13'}
    """
    values = np.asarray(mask) != 0
    if values.ndim != 2:
        raise ValueError(f"encode_runs takes a mask (H, W), got the shape {values.shape}.")
    line = values.T.ravel()
    ends = np.flatnonzero(line[1:] != line[:-1]) + 1
    bounds = np.concatenate([[0], ends, [line.size]])
    runs = np.diff(bounds).tolist()
    if line.size and line[0]:
        runs.insert(0, 0)
    return {"size": list(values.shape), "counts": to_text(runs)}


def decode_runs(runs: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return the mask that run lengths describe, ``(H, W)``, of zeros and ones in bytes.

    Args:
        runs: Result of `encode_runs`; or with ``counts`` as a list of numbers, as COCO's labels
            have it.

    Raises:
        ValueError: If the runs do not fill the picture.

    Example:
        >>> decode_runs({"size": [2, 2], "counts": "13"})
        array([[0, 1],
               [1, 1]], dtype=uint8)
    """
    height, width = runs["size"]
    counts = runs["counts"]
    counts = from_text(counts) if isinstance(counts, str) else list(counts)
    if sum(counts) != height * width or min(counts, default=0) < 0:
        raise ValueError(
            f"the runs have {sum(counts):,} pixels, the picture of {height}×{width} has "
            f"{height * width:,}."
        )
    values = np.arange(len(counts), dtype=np.uint8) % 2
    return np.ascontiguousarray(values.repeat(counts).reshape(width, height).T)


def to_text(runs: Sequence[int]) -> str:
    """Return runs in characters."""
    text = bytearray()
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        going = True
        while going:
            low = value & (MORE - 1)
            value >>= BITS
            # The sign is that of the highest bit.
            going = value != (-1 if low & (MORE >> 1) else 0)
            text.append(FIRST + low + (MORE if going else 0))
    return text.decode()


def from_text(text: str) -> list[int]:
    """Return the runs that characters describe."""
    runs: list[int] = []
    value = shift = 0
    for character in text.encode():
        code = character - FIRST
        value |= (code & (MORE - 1)) << shift
        shift += BITS
        if code & MORE:
            continue
        if code & (MORE >> 1):
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return runs
