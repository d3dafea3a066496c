"""Checkpoint files, written atomically and verified when they are read."""

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
from neuropil.digest import digest_of
from neuropil.training.checkpoints.sharded_states import are_intact, clear_shards

if TYPE_CHECKING:
    import os

    from neuropil.training.processes import Processes

FORMAT = 1
PATTERN = re.compile(r"step-(\d+)\.pt")


class CheckpointError(ValueError):
    """A checkpoint or a checkpoint folder cannot be used."""


@final
class Checkpoints:
    """A folder with the latest states of a training, ``step-000000123.pt``.

    The files contain plain data, read by ``torch.load(path, weights_only=True)``: nothing in
    them is ever executed. A file gets its name only when it is complete, and older ones are
    deleted only then. Each file contains hashes of its parts and of the state, so a damaged
    file is detected and the previous intact one is used.

    Args:
        folder: The folder, created if necessary.
        keep: Number of states to keep.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def paths(self) -> list[Path]:
        """Return the files, oldest first."""
        if not self.folder.is_dir():
            return []
        found = (path for path in self.folder.iterdir() if PATTERN.fullmatch(path.name))
        return sorted(found, key=lambda path: int(path.stem.removeprefix("step-")))

    def newest(self) -> Path | None:
        """Return the latest file, intact or not; None in an empty folder."""
        return next(reversed(self.paths()), None)

    def save(self, state: dict[str, Any], step: int) -> Path:
        """Write a state, then delete the older ones.

        Args:
            state: Plain data and tensors.
            step: Number of steps done.

        Raises:
            CheckpointError: If the state contains something that is not plain data.
            OSError: If it cannot be written; earlier checkpoints are not touched.
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
        """Return the latest intact state, or None if the folder is empty.

        A warning names newer files that are damaged.

        Raises:
            CheckpointError: If there are files but none is intact, or the latest was written
                by a newer version.
        """
        damaged = []
        for path in reversed(self.paths()):
            state = read(path)
            if state is None or not are_intact(state, self.folder):
                damaged.append(path.name)
                continue
            if damaged:
                warnings.warn(
                    f"{self.folder} contains damaged checkpoints ({', '.join(damaged)}); "
                    f"resuming from {path.name}, the latest intact one.",
                    stacklevel=2,
                )
            return state
        if damaged:
            raise CheckpointError(
                f"{self.folder} contains no intact checkpoint: {', '.join(damaged)} cannot be "
                f"read."
            )
        return None

    def tidy(self) -> None:
        """Delete all but the latest states, and temporary files of killed processes."""
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)
        clear_remains(self.folder, PATTERN)
        clear_shards(self.folder, {path.stem for path in self.paths()})

    def explain(self, error: OSError) -> OSError:
        """Return the error for a failed write: why it failed, and what is still safe."""
        reason = (
            "the disk is full"
            if error.errno in {errno.ENOSPC, errno.EDQUOT}
            else error.strerror or str(error)
        )
        newest = self.newest()
        safe = "There is no earlier one" if newest is None else f"{newest.name} is intact"
        return OSError(
            error.errno,
            f"a checkpoint could not be written: {reason}. {safe}",
            str(self.folder),
        )


def check_unused(checkpoints: Checkpoints | None, processes: Processes) -> None:
    """Refuse a folder that contains the checkpoints of another training.

    Raises:
        CheckpointError: If it contains checkpoints.
    """
    newest = None if checkpoints is None else checkpoints.newest()
    if processes.share(newest is not None):
        raise CheckpointError(
            f"{checkpoints and checkpoints.folder} already contains checkpoints: resume their "
            f"training with fit(…, resume=True), or choose another folder."
        )


class SurvivingWriter:
    """File wrapper that stores the first error until torch has finished writing.

    Torch's writer aborts the process if a write fails during its cleanup.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write the data, unless an earlier write failed."""
        if self.error is None:
            try:
                self.file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def flush(self) -> None:
        """Flush the file, unless an earlier write failed."""
        if self.error is None:
            self.file.flush()


def write(state: dict[str, Any], file: BinaryIO) -> None:
    """Write a state as a torch file.

    Raises:
        OSError: If writing fails.
    """
    writer = SurvivingWriter(file)
    torch.save(state, writer)  # pyright: ignore[reportArgumentType]  # it is enough of a file
    if writer.error is not None:
        raise writer.error


def read(path: Path) -> dict[str, Any] | None:
    """Return the state in a file, or None if the file is damaged.

    Raises:
        CheckpointError: If a newer version wrote it.
    """
    try:
        require_file(path)  # opening a pipe would wait for ever
        with zipfile.ZipFile(path) as archive:
            # Checkpoints are not compressed: a compressed file may be a decompression bomb.
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
    ):  # fmt: skip  # all the errors that a flipped bit was seen to cause
        return None
    if isinstance(written, int) and written > FORMAT:
        raise CheckpointError(
            f"{path} has format {written}, and this version reads up to {FORMAT}: update "
            f"neuropil."
        )
    return state if is_whole(state) else None


def is_whole(state: dict[str, Any]) -> bool:
    """Return whether a state matches its hash, and remove the hash.

    A file may be an intact archive and still contain another state.
    """
    digest = state.pop("digest", None)
    own = {key: value for key, value in state.items() if key != "format"}
    return state["format"] == FORMAT and digest == digest_of(own)


def check_plain(value: Any, place: str) -> None:
    """Check that a value is plain data, which can be read without running code.

    Raises:
        CheckpointError: If the value or something in it is not plain data.
    """
    if value is None or isinstance(
        value, bool | int | float | str | bytes | Tensor | torch.Size
    ):
        if isinstance(value, np.generic):
            raise CheckpointError(f"{place} is a NumPy number: convert it to a Python number.")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_plain(item, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            check_plain(item, f"{place}[{position}]")
    elif not isinstance(value, torch.dtype | torch.device):
        raise CheckpointError(
            f"{place} is a {type(value).__name__}, which a checkpoint cannot contain: use "
            f"numbers, strings, tensors, and lists and dicts of these."
        )
