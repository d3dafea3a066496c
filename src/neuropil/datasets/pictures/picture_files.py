"""Picture files of a source, in little memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from neuropil.datasets.pictures.packed_names import PackedNames
    from neuropil.datasets.pictures.record_file import RecordFile


@final
@dataclass(frozen=True)
class PictureFiles:
    """Picture files with their sizes, and the cache of their decoded bytes.

    Args:
        root: The folder that names are relative to.
        names: Name of each file.
        sizes: Height and width of each decoded picture, ``(N, 2)``.
        stamps: Number of bytes of each file, and the time of its last change, ``(N, 2)``.
        cache: The decoded pictures, one record for each file; None to decode them every time.
    """

    root: Path
    names: PackedNames
    sizes: np.ndarray[Any, Any]
    stamps: np.ndarray[Any, Any]
    cache: RecordFile | None = None


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers below `count`, evenly spaced."""
    return sorted({place * count // most for place in range(most)}) if count else []
