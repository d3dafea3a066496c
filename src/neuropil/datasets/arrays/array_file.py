"""Safe reader for named arrays in ``.npz`` and ``.npy`` files."""

from __future__ import annotations

import math
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, final

import numpy as np

from neuropil.checks import shown
from neuropil.core.free_memory import require_memory
from neuropil.core.reading import reading, require_file
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import visible_entries
from neuropil.datasets.unpacking import check_unpacked
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAIRS = (("x", "y"), ("inputs", "targets"), ("images", "labels"), ("data", "target"))
"""Known names of inputs and targets."""
PIECE = 2**20
"""Number of bytes unpacked at a time."""
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test",),
}


@final
class ArrayFile:
    """Named arrays in an ``.npz`` file or a folder of ``.npy`` files, each read on access.

    Args:
        path: The file or the folder.

    Raises:
        DataError: If the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self.files = {e.stem: e for e in visible_entries(path) if is_npy(e)}
            self.names = list(self.files)
        else:
            self.names = npz_names(path)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        if self.path.is_dir():
            return read_npy(self.files[name])
        with npz_member(self.path, name) as (file, size, where):
            return read_array(file, size, where)

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return the shape and the type of an array, whose values are not read.

        Args:
            name: Name of the array.

        Raises:
            DataError: If the header is damaged, or that of objects.
        """
        if not self.path.is_dir():
            with npz_member(self.path, name) as (file, _, where):
                shape, _, dtype = read_header(file, where)
            return shape, dtype
        path = self.files[name]
        with reading(path, DataError):
            require_file(path, failure=DataError)
            with path.open("rb") as file:
                shape, _, dtype = read_header(file, path.name)
        return shape, dtype

    def pair(self, part: str | None) -> tuple[str, str] | None:
        """Return the names of the inputs and targets of a part, or None.

        Args:
            part: ``"train"``, ``"validation"``, ``"test"``, or None for arrays without a part
                in their names.
        """
        for inputs, targets in PAIRS:
            found = self.find(inputs, part), self.find(targets, part)
            if found[0] and found[1]:
                return found[0], found[1]
        return None

    def find(self, name: str, part: str | None) -> str | None:
        """Return the full name of an array: ``x_train``, ``X_train`` or ``train_x``.

        Args:
            name: Its role, such as ``"x"``.
            part: The part that it belongs to, or None.
        """
        words = PARTS[part] if part else ()
        wanted = [w for word in words for w in (f"{name}_{word}", f"{word}_{name}")] or [name]
        known = {own.casefold(): own for own in reversed(self.names)}
        return next((known[name] for name in wanted if name in known), None)

    def require_training_pair(self) -> tuple[str, str]:
        """Return the names of the arrays to train on.

        Raises:
            DataError: If the arrays have other names.
        """
        found = self.pair("train") or self.pair(None)
        if found is None:
            raise DataError(
                f"{self.path} holds the arrays {some_of(map(repr, self.names), 8)}; it needs "
                "x_train and y_train (with x_test and y_test), or x and y, inputs and "
                "targets, images and labels, data and target."
            )
        return found

    def inputs_name(self) -> str:
        """Return the name of the inputs; there may be no targets.

        Raises:
            DataError: If there are several arrays, none with a known name.
        """
        if len(self.names) == 1:
            return self.names[0]
        found = [
            name
            for part in (None, "test")
            for pair in PAIRS
            if (name := self.find(pair[0], part))
        ]
        if not found:
            raise DataError(
                f"{self.path} holds the arrays {some_of(map(repr, self.names), 8)}: call the "
                "inputs 'x'."
            )
        return found[0]


def recognise(path: Path) -> str | None:
    """Return ``"arrays"`` for an ``.npz`` file, else None."""
    return "arrays" if path.suffix.casefold() == ".npz" and path.is_file() else None


def recognise_folder(path: Path) -> str | None:
    """Return ``"arrays"`` for a folder with ``.npy`` files, else None."""
    found = path.is_dir() and any(map(is_npy, visible_entries(path)))
    return "arrays" if found else None


def is_npy(path: Path) -> bool:
    """Return whether a file has the suffix of a single array."""
    return path.suffix.casefold() == ".npy"


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Return the array in an ``.npy`` file.

    Args:
        path: The file.

    Raises:
        DataError: If it is damaged or holds objects.
    """
    with reading(path, DataError):
        require_file(path, failure=DataError)
        with path.open("rb") as file:
            return read_array(file, path.stat().st_size, path.name)


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in an archive.

    Raises:
        DataError: If the archive is damaged or declares an implausible unpacked size.
    """
    with reading(path, DataError):
        require_file(path, failure=DataError)
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        check_unpacked(path, sum(member.file_size for member in members))
    return [member.filename.removesuffix(".npy") for member in members]


@contextmanager
def npz_member(path: Path, name: str) -> Iterator[tuple[IO[bytes], int, str]]:
    """Open one array of an archive; yield the file, its length in bytes, and a name for errors.

    Raises:
        DataError: If it turns out to be damaged.
    """
    with reading(path, DataError), zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"{name}.npy")
        with archive.open(member) as file:
            yield file, member.file_size, f"array {name!r} of {path.name}"


def read_array(file: IO[bytes], size: int, where: str) -> np.ndarray[Any, Any]:
    """Return an array of numbers or texts; its header is checked before memory is allocated.

    Args:
        file: An ``.npy`` file, at its beginning.
        size: Its length in bytes.
        where: Name of the array, for errors.

    Raises:
        DataError: If it holds anything else, or the header does not fit the length.
    """
    shape, fortran, dtype = read_header(file, where)
    needed = math.prod(shape) * dtype.itemsize
    held = size - file.tell()
    if needed > held or min(shape, default=1) < 0 or not dtype.itemsize:
        raise DataError(
            f"{where} is damaged: its header claims {dtype} of shape "
            f"{shown(shape)}, but {held:,} bytes follow."
        )
    require_memory(needed, where)
    array = np.empty(shape[::-1] if fortran else shape, dtype)
    view = memoryview(array.reshape(-1).view(np.uint8).data) if needed else memoryview(b"")
    filled = 0
    while filled < needed:
        got = file.readinto(view[filled : filled + PIECE])  # pyright: ignore[reportAttributeAccessIssue]  # all have it
        if not got:
            raise DataError(f"{where} is damaged: it ends after {filled:,} bytes.")
        filled += got
    return array.T if fortran else array


def read_header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether the order is Fortran's, and the type in an ``.npy`` header.

    Raises:
        DataError: If the array holds anything but numbers or texts.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        read = np.lib.format.read_array_header_1_0
    elif version != (2, 0):
        raise DataError(f"{where} must hold numbers, got a header of version {version}.")
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are never unpickled: save the arrays as "
            "plain numbers."
        )
    if dtype.kind not in "buifUS":
        raise DataError(f"{where} must hold numbers, got {dtype}.")
    return shape, fortran, dtype
