"""The cache of decoded pictures on disk: where it is, and how large it may become."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuropil.core.free_memory import format_bytes
from neuropil.datasets.pictures.record_file import RecordFile

if TYPE_CHECKING:
    import numpy as np

PART_OF_DISK = 0.5
"""Largest part of the free disk space that a cache may take."""
UNUSED_DAYS = 30
"""A cache that was not used for this many days is removed."""
SUFFIX = ".pictures"


def cache_folder() -> Path:
    """Return the folder of all caches: ``neuropil/pictures`` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(home, "neuropil", "pictures").expanduser()
    except RuntimeError:  # the user has no home
        return Path(tempfile.gettempdir(), "neuropil", "pictures")


def open_cache(key: str, lengths: np.ndarray[Any, Any], notes: list[str]) -> RecordFile | None:
    """Return the cache of some pictures, or None if there is no room for it.

    Args:
        key: Text that is different for other pictures and for another preparation.
        lengths: Number of bytes of each decoded picture.
        notes: Gains a line with the place and the size of the cache, or why there is none.
    """
    folder = cache_folder()
    path = folder / f"{key}{SUFFIX}"
    needed = int(lengths.sum())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_unused(folder, keep=path)
        held = 512 * path.stat().st_blocks if path.exists() else 0
        room = PART_OF_DISK * (shutil.disk_usage(folder).free + held)
        if needed > room:
            why = f"half of the free space of {folder} is {format_bytes(room)}"
            notes.append(
                f"The decoded pictures would take {format_bytes(needed)} of disk, and {why}: "
                "not cached, so each epoch decodes them again."
            )
            return None
        cache = RecordFile(path, lengths)
    except OSError as error:
        notes.append(
            f"{folder} cannot be used ({error.strerror}): the pictures are not cached, so each "
            "epoch decodes them again."
        )
        return None
    notes.append(
        f"Decoded pictures are cached in {path}, up to {format_bytes(needed)}; a cache that is "
        f"not used for {UNUSED_DAYS} days is removed."
    )
    return cache


def remove_unused(folder: Path, keep: Path) -> None:
    """Remove the caches that were not used for a long time.

    Args:
        folder: The folder of the caches.
        keep: The cache about to be used.
    """
    before = time.time() - UNUSED_DAYS * 24 * 3600
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            if path != keep and path.stat().st_mtime < before:
                path.unlink()
