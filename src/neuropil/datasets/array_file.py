"""Arrays in ``.npz`` and ``.npy`` files: read them without trust, find them by name."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, Any, TypeVar, final

import numpy as np

from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed, shortened, visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

PAIRS = (("x", "y"), ("inputs", "targets"), ("images", "labels"), ("data", "target"))
"""Names that inputs and targets go by."""
PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test",),
}


@final
class ArrayFile:
    """Named arrays in an ``.npz`` file or a folder of ``.npy`` files, each read when asked for.

    Args:
        path: The file or the folder.

    Raises:
        DataError: If the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self.names = [e.stem for e in visible(path) if e.suffix.casefold() == ".npy"]
        else:
            self.names = guarded(path, lambda: npz_names(path))

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        if self.path.is_dir():
            return read_npy(self.path / f"{name}.npy")
        return guarded(self.path, lambda: npz_array(self.path, name))

    def pair(self, part: str | None) -> tuple[str, str] | None:
        """Return the names of the inputs and targets of a part, if they are there.

        Args:
            part: ``"train"``, ``"validation"``, ``"test"``, or None for arrays that belong to
                no part.
        """
        for inputs, targets in PAIRS:
            found = self.find(inputs, part), self.find(targets, part)
            if found[0] and found[1]:
                return found[0], found[1]
        return None

    def find(self, name: str, part: str | None) -> str | None:
        """Return how an array is called here, ``x_train``, ``X_train`` or ``train_x``.

        Args:
            name: What it is, such as ``"x"``.
            part: The part it belongs to, or None.
        """
        words = PARTS[part] if part else ()
        wanted = [w for word in words for w in (f"{name}_{word}", f"{word}_{name}")] or [name]
        known = {own.casefold(): own for own in reversed(self.names)}
        return next((known[name] for name in wanted if name in known), None)

    def require_training_pair(self) -> tuple[str, str]:
        """Return the names of the arrays to train on.

        Raises:
            DataError: If no names are known ones.
        """
        found = self.pair("train") or self.pair(None)
        if found is None:
            raise DataError(
                f"{self.path} holds the arrays {listed(map(repr, self.names), 8)}; needed are "
                "x_train and y_train (with x_test and y_test), or x and y, inputs and "
                "targets, images and labels, data and target."
            )
        return found

    def inputs_name(self) -> str:
        """Return the name of the inputs, where targets need not be.

        Raises:
            DataError: If it cannot be told.
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
                f"{self.path} holds the arrays {listed(map(repr, self.names), 8)}: call the "
                "inputs 'x'."
            )
        return found[0]


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Return the array in an ``.npy`` file.

    Args:
        path: The file.

    Raises:
        DataError: If it is damaged or holds objects.
    """
    array = guarded(path, lambda: np.load(path, allow_pickle=False))
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} is no .npy file of one array.")
    return plain_array(array, f"{path.name}")


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in an archive."""
    with zipfile.ZipFile(path) as archive:
        return [
            name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
        ]


def npz_array(path: Path, name: str) -> np.ndarray[Any, Any]:
    """Return one array of an archive."""
    with np.load(path, allow_pickle=False) as arrays:
        return plain_array(arrays[name], f"array {name!r} of {path.name}")


def plain_array(array: np.ndarray[Any, Any], where: str) -> np.ndarray[Any, Any]:
    """Return an array of numbers or texts, or say that it holds something else.

    Raises:
        DataError: If it does.
    """
    if array.dtype.kind not in "buifUS":
        raise DataError(f"{where} must hold numbers, got {array.dtype}.")
    return array


def guarded(path: Path, read: Callable[[], T]) -> T:
    """Read a file, and turn whatever is wrong with it into one clear line.

    Raises:
        DataError: If anything is wrong.
    """
    try:
        return read()
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{path} claims an array that does not fit in memory.") from None
    except ValueError as error:
        if "pickle" in str(error):
            raise DataError(
                f"{path} holds Python objects, which are never unpickled: save the arrays as "
                "plain numbers."
            ) from None
        raise DataError(f"{path} is damaged: {shortened(str(error), 150)}.") from None
    except (
        EOFError,
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        NotImplementedError,
    ) as error:
        why = shortened(str(error), 150)
        raise DataError(f"{path} is damaged or truncated: {why}.") from None
