"""Checkpoints on disk: written whole or not at all, checked when they are read."""

from __future__ import annotations

import errno
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, final

import numpy as np
import torch
from torch import Tensor

from neuropil.core.atomic import clear_remains, make_folder, replacing
from neuropil.core.reading import require_file
from neuropil.training.checkpoints.digest import digest_of

if TYPE_CHECKING:
    import os

    from neuropil.training.processes import Processes

FORMAT = 1
PATTERN = re.compile(r"step-(\d+)\.pt")


class CheckpointError(ValueError):
    """A folder of checkpoints cannot be used as asked."""


@final
class Checkpoints:
    """A folder with the latest states of a training, ``step-000000123.pt``.

    A file is plain data, read by ``torch.load(path, weights_only=True)``: nothing in it is ever
    executed. It appears under its name only once it is complete, and the older ones go only
    then. Each file carries hashes of its parts and of the state in it, so a damaged one is
    noticed and the older whole one used.

    Args:
        folder: Made if need be.
        keep: How many of the latest states stay.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def paths(self) -> list[Path]:
        """Return the files, oldest first."""
        if not self.folder.is_dir():
            return []
        found = (path for path in self.folder.iterdir() if PATTERN.fullmatch(path.name))
        return sorted(found, key=step_of)

    def newest(self) -> Path | None:
        """Return the latest file, whole or not; None where there is none."""
        return next(reversed(self.paths()), None)

    def save(self, state: dict[str, Any], step: int) -> Path:
        """Write a state; older ones are deleted only once it is safe on disk.

        Args:
            state: Plain data and tensors.
            step: The number of steps done.

        Raises:
            CheckpointError: When the state holds something that is not plain data.
            OSError: When it cannot be written; what was there before is untouched.
        """
        check_plain(state, "state")
        state = {"format": FORMAT, "digest": digest_of(state), **state}
        path = self.folder / f"step-{step:09}.pt"
        try:
            make_folder(self.folder)
            with replacing(path) as file:
                write(state, file)
        except OSError as error:
            raise self.explain(error) from error
        self.tidy()
        return path

    def load(self) -> dict[str, Any] | None:
        """Return the latest state that is whole, or None where there never was one.

        Damaged files that are newer are named in a warning.

        Raises:
            CheckpointError: When there are files but none is whole, or when the latest was
                written by a newer version.
        """
        damaged = []
        for path in reversed(self.paths()):
            state = read(path)
            if state is None:
                damaged.append(path.name)
                continue
            if damaged:
                warnings.warn(
                    f"{self.folder} holds damaged checkpoints ({', '.join(damaged)}); resuming "
                    f"from {path.name}, the latest whole one.",
                    stacklevel=2,
                )
            return state
        if damaged:
            raise CheckpointError(
                f"{self.folder} holds no whole checkpoint: {', '.join(damaged)} cannot be read."
            )
        return None

    def tidy(self) -> None:
        """Delete what is older than the latest states, and remains of killed writers."""
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)
        clear_remains(self.folder, PATTERN)

    def explain(self, error: OSError) -> OSError:
        """Return an error that says what was lost: nothing."""
        reason = (
            "the disk is full"
            if error.errno in {errno.ENOSPC, errno.EDQUOT}
            else error.strerror or str(error)
        )
        newest = self.newest()
        safe = "No earlier one exists" if newest is None else f"{newest.name} is untouched"
        return OSError(
            error.errno,
            f"a checkpoint could not be written: {reason}. {safe}",
            str(self.folder),
        )


def check_unused(checkpoints: Checkpoints | None, processes: Processes) -> None:
    """Refuse to write among the checkpoints of another training.

    Raises:
        CheckpointError: When there are such checkpoints.
    """
    newest = None if checkpoints is None else checkpoints.newest()
    if processes.share(newest is not None):
        raise CheckpointError(
            f"{checkpoints and checkpoints.folder} already holds a training's checkpoints: "
            f"resume it with fit(…, resume=True), or choose another folder."
        )


class SurvivingWriter:
    """A file whose first error is kept until torch has finished with it.

    Torch's writer ends the whole process when a write fails while it cleans up.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, or after an error pretend to."""
        if self.error is None:
            try:
                self.file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def flush(self) -> None:
        """Flush, unless writing has failed."""
        if self.error is None:
            self.file.flush()


def write(state: dict[str, Any], file: BinaryIO) -> None:
    """Write a state as a torch file.

    Raises:
        OSError: When the disk refuses.
    """
    writer = SurvivingWriter(file)
    torch.save(state, writer)  # pyright: ignore[reportArgumentType]  # it is enough of a file
    if writer.error is not None:
        raise writer.error


def read(path: Path) -> dict[str, Any] | None:
    """Return a whole state, or None when the file is damaged.

    Raises:
        CheckpointError: When a newer version wrote it.
    """
    try:
        require_file(path)  # a pipe would be waited on for ever
        with zipfile.ZipFile(path) as archive:
            # Ours are not compressed: a small file that unpacks to a large one is no such file.
            packed = any(part.compress_type != zipfile.ZIP_STORED for part in archive.filelist)
            if packed or archive.testzip() is not None:
                return None
        state = torch.load(path, map_location="cpu", weights_only=True)
        written = state["format"]
    except (
        OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, NotImplementedError,
        zipfile.BadZipFile, pickle.UnpicklingError,
        AttributeError, IndexError, AssertionError, MemoryError, OverflowError,
        RecursionError,
    ):  # fmt: skip  # all that a flipped bit has been seen to raise
        return None
    if isinstance(written, int) and written > FORMAT:
        raise CheckpointError(
            f"{path} has format {written}, and this version reads up to {FORMAT}: update "
            f"neuropil."
        )
    return state if is_whole(state) else None


def is_whole(state: dict[str, Any]) -> bool:
    """Tell whether a state is the one that was written, and take its hash out of it.

    A file may be an intact archive and hold another state all the same.
    """
    digest = state.pop("digest", None)
    own = {key: value for key, value in state.items() if key != "format"}
    return state["format"] == FORMAT and digest == digest_of(own)


def check_plain(value: Any, place: str) -> None:
    """Refuse what could not be read back without running code.

    Raises:
        CheckpointError: When the value or something in it is not plain data.
    """
    if value is None or isinstance(
        value, bool | int | float | str | bytes | Tensor | torch.Size
    ):
        if isinstance(value, np.generic):
            raise CheckpointError(f"{place} is a NumPy number: make it a Python one.")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_plain(item, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            check_plain(item, f"{place}[{position}]")
    elif not isinstance(value, torch.dtype | torch.device):
        raise CheckpointError(
            f"{place} is a {type(value).__name__}, which a checkpoint does not hold: use "
            f"numbers, texts, tensors, and lists and dicts of them."
        )


def step_of(path: Path) -> int:
    """Return the number in a checkpoint's name."""
    found = PATTERN.fullmatch(path.name)
    return int(found[1]) if found else -1
