"""Decode many picture files at once, setting the broken ones aside."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, final

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import counted, listed
from neuropil.datasets.picture_file import (
    Header,
    Treatment,
    careful_pillow,
    read_header,
    read_picture,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

S = TypeVar("S")
T = TypeVar("T")

CHUNK = 64
"""Files handed to a thread at once: a hand-over costs as much as a small picture."""


@final
@dataclass(frozen=True)
class Batch:
    """Decoded pictures, and what had to be done to which files.

    `kept` are the places of the decoded files among those given; `broken` says why the others
    were set aside.
    """

    pixels: Tensor
    kept: list[int]
    broken: dict[Path, str]
    resized: int
    made_grey: int
    transparent: int
    animated: int

    def notes(self) -> list[str]:
        """Return what was done to the pictures, a line each."""
        size = f"{self.pixels.shape[2]}×{self.pixels.shape[3]}"
        done = [
            (self.resized, f"resized to {size} (height × width)"),
            (self.made_grey, "in colour made grey"),
            (self.transparent, "with transparency laid on white"),
            (self.animated, "with several frames: the first was taken"),
        ]
        return [f"{counted(number, 'picture')} {what}" for number, what in done if number]


def read_headers(paths: Sequence[Path]) -> tuple[list[Header | None], dict[Path, str]]:
    """Return the header of every picture, None for a broken one, and what is wrong there."""
    results = in_threads(read_header, paths)
    broken = {path: r for path, r in zip(paths, results, strict=True) if isinstance(r, str)}
    return [None if isinstance(result, str) else result for result in results], broken


def read_pictures(paths: Sequence[Path], channels: int, size: tuple[int, int]) -> Batch:
    """Decode pictures to one size and number of channels.

    Args:
        paths: The files.
        channels: 1 for grey, 3 for colour.
        size: Height and width to resize to.
    """
    pixels = np.empty((len(paths), channels, *size), np.uint8)

    def decode(place: int) -> Treatment:
        pixels[place], treatment = read_picture(paths[place], channels, size)
        return treatment

    results = in_threads(decode, range(len(paths)))
    good = [result for result in results if isinstance(result, Treatment)]
    kept = [place for place, result in enumerate(results) if isinstance(result, Treatment)]
    return Batch(
        torch.from_numpy(pixels if len(kept) == len(paths) else pixels[kept]),
        kept,
        {path: r for path, r in zip(paths, results, strict=True) if isinstance(r, str)},
        resized=sum(treatment.size != size for treatment in good),
        made_grey=sum(treatment.made_grey for treatment in good),
        transparent=sum(treatment.transparent for treatment in good),
        animated=sum(treatment.animated for treatment in good),
    )


def in_threads(work: Callable[[S], T], items: Sequence[S]) -> list[T | str]:
    """Return the result for every item, or the reason why there is none."""

    def attempt(item: S) -> T | str:
        try:
            return work(item)
        except DataError as error:
            return str(error)

    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    with careful_pillow(), ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:
        done = pool.map(lambda chunk: [attempt(item) for item in chunk], chunks)
        return [result for chunk in done for result in chunk]


def say_broken(broken: dict[Path, str], relative_to: Path) -> list[str]:
    """Return a line that counts and names the files set aside, or nothing."""
    if not broken:
        return []
    named = (f"{path.relative_to(relative_to)}: {reason}" for path, reason in broken.items())
    return [f"{counted(len(broken), 'broken picture')} set aside: {listed(named, 5)}."]
