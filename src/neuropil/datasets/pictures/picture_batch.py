"""Parallel decoding of picture files; broken ones are set aside."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np
import torch
from torch import Tensor

from neuropil.core.free_memory import require_memory
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import name_below
from neuropil.datasets.pictures.picture_depth import white_of
from neuropil.datasets.pictures.picture_file import Treatment, read_picture
from neuropil.datasets.pictures.picture_header import Header, careful_pillow, read_header
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

CHANGES = {
    "made_grey": "in colour converted to grey",
    "transparent": "with transparency put on a white background",
    "animated": "with several frames: the first one is used",
    "cut": "of 16 bits with transparency: the upper 8 bits are used",
}
"""Notes about the changes of a `Treatment`, by the name of its field."""
CHUNK = 64
"""Number of files per task of a thread: starting a task costs as much as a small picture."""


@final
@dataclass(frozen=True)
class Batch:
    """Decoded pictures, with their treatments and the broken files.

    `pixels` are bytes, or the original values in single precision if some files have more than
    8 bits; each picture has one of the `treatments`. `kept` are the indices of the decoded
    files; `broken` has the reasons why the others were set aside.
    """

    pixels: Tensor
    treatments: list[Treatment]
    kept: list[int]
    broken: dict[Path, str]

    @property
    def deep(self) -> Tensor:
        """Mask of the pictures with more than 8 bits."""
        return torch.tensor([treatment.deep is not None for treatment in self.treatments])

    @property
    def white(self) -> float | None:
        """The value of white in files of more than 8 bits; None if there are none."""
        highs = [treatment.deep[1] for treatment in self.treatments if treatment.deep]
        fractions = all(t.fractions for t in self.treatments if t.deep)
        return white_of(max(highs), fractions=fractions) if highs else None

    def notes(self, white: float | None) -> list[str]:
        """Return notes about changes other than of the size, one line for each kind.

        Args:
            white: The value used as white in files of more than 8 bits.
        """
        counts = {
            what: sum(getattr(treatment, name) for treatment in self.treatments)
            for name, what in CHANGES.items()
        }
        lines = [f"{number_of(n, 'picture')} {what}" for what, n in counts.items() if n]
        return lines + depth_notes([t.deep for t in self.treatments if t.deep], white)


def depth_notes(spans: Sequence[tuple[float, float]], white: float | None) -> list[str]:
    """Return a note about files of more than 8 bits, if there are any.

    Args:
        spans: Lowest and highest value of each.
        white: The value used as white.
    """
    if not spans or white is None:
        return []
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    what = f"{number_of(len(spans), 'picture')} of more than 8 bits"
    return [f"{what}: values from {low:g} to {high:g}, with 0 as black and {white:g} as white."]


def read_headers(paths: Sequence[Path]) -> tuple[dict[int, Header], dict[Path, str]]:
    """Return the headers of the readable pictures by place, and the errors of the others."""
    return in_threads(lambda place: read_header(paths[place]), paths)


def read_pictures(paths: Sequence[Path], channels: int, size: tuple[int, int]) -> Batch:
    """Decode pictures to one size and number of channels.

    Args:
        paths: The files.
        channels: 1 for grey, 3 for colour.
        size: Height and width to resize to.
    """
    require_memory(len(paths) * channels * size[0] * size[1], f"{len(paths):,} pictures")
    pixels = np.empty((len(paths), channels, *size), np.uint8)
    deep: dict[int, np.ndarray[Any, Any]] = {}

    def decode(place: int) -> Treatment:
        values, treatment = read_picture(paths[place], channels, size)
        if treatment.deep is None:
            pixels[place] = values
        else:
            deep[place] = values
        return treatment

    treatments, broken = in_threads(decode, paths)
    kept = list(treatments)
    if deep:
        require_memory(4 * pixels.size, f"{len(paths):,} pictures of more than 8 bits")
    shades = pixels.astype(np.float32) if deep else pixels
    for place, values in deep.items():
        shades[place] = values
    return Batch(
        torch.from_numpy(shades if len(kept) == len(paths) else shades[kept]),
        list(treatments.values()),
        kept,
        broken,
    )


def in_threads(
    work: Callable[[int], T], paths: Sequence[Path]
) -> tuple[dict[int, T], dict[Path, str]]:
    """Return the result for each file by its place, and the errors of the others by path.

    Args:
        work: Takes the place of a file among the paths.
        paths: The files.
    """

    def attempt(place: int) -> T | DataError:
        try:
            return work(place)
        except DataError as error:
            return error

    chunks = [range(len(paths))[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with careful_pillow(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        done = pool.map(lambda chunk: [attempt(place) for place in chunk], chunks)
        results = [result for chunk in done for result in chunk]
    pairs = zip(paths, results, strict=True)
    broken = {path: str(result) for path, result in pairs if isinstance(result, DataError)}
    return {n: r for n, r in enumerate(results) if not isinstance(r, DataError)}, broken


def broken_notes(broken: dict[Path, str], relative_to: Path) -> list[str]:
    """Return a note with the number and the names of broken files, if there are any."""
    if not broken:
        return []
    named = (f"{name_below(relative_to, path)}: {reason}" for path, reason in broken.items())
    return [f"{number_of(len(broken), 'broken picture')} set aside: {some_of(named, 5)}."]
