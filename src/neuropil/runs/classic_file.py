"""Classic networks on disk, as ``model.json`` and ``model.safetensors``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as bytes_of

from neuropil.checks import shown
from neuropil.core.atomic import make_folder, replacing_all
from neuropil.core.reading import read_json, reading, require_file
from neuropil.runs.plain_network import Reader, Writer
from neuropil.runs.run_facts import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from neuropil.classic.base import ClassicNetwork

    Limits = tuple[float, float] | None
    Build: TypeAlias = Callable[[ClassicNetwork, int | None, Limits, dict[str, Any]], "Model"]

Model = TypeVar("Model")

FORMAT = 1
ARRAYS = "model.safetensors"
MOST_CLASSES = 1 << 16


def write_model(
    folder: Path, estimator: ClassicNetwork, options: dict[str, Any], arrays: dict[str, Any]
) -> None:
    """Write a model; existing files are replaced only once the new ones are complete.

    Args:
        folder: The folder; it is made if missing.
        estimator: The classic network, fitted or not.
        options: Further options of the model, as plain data.
        arrays: Arrays of the model besides those of its network.

    Raises:
        ValueError: If an option is of a type that cannot be saved.
    """
    writer = Writer()
    plain = {"format": FORMAT, **options, "network": writer.network(estimator, "network")}
    plain["arrays"] = {name: writer.plain(value, name) for name, value in arrays.items()}
    make_folder(folder)
    text = json.dumps(plain, indent=1, allow_nan=False).encode()
    with replacing_all(folder / ARRAYS, folder / MODEL) as (array_file, model_file):
        array_file.write(bytes_of(writer.arrays))
        model_file.write(text)


def read_model(folder: Path, build: Build[Model]) -> Model:
    """Return the model that `write_model` wrote.

    Args:
        folder: Its folder.
        build: Makes the model from its network, the number of classes, the values of black and
            white, and its arrays.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, or the two do not belong together.
    """
    for name in (MODEL, ARRAYS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}.")
    plain = read_json(folder / MODEL, FORMAT)
    reader = Reader(read_arrays(folder / ARRAYS))
    with reading(folder / MODEL):
        estimator = reader.network(plain["network"])
        classes, limits = classes_of(plain["classes"]), limits_of(plain["limits"])
        model = build(estimator, classes, limits, reader.mapping(plain["arrays"]))
        if reader.arrays:
            extra = shown(next(iter(reader.arrays)))
            raise ValueError(f"{ARRAYS} has an array {extra} that it does not use")
    return model


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by name, copied so that they own their memory.

    Raises:
        ValueError: If the file is damaged.
    """
    require_file(path)
    with reading(path):
        found = arrays_of(path.read_bytes())
    return {name: np.array(value, order="C") for name, value in found.items()}


def classes_of(value: Any) -> int | None:
    """Return the number of classes.

    Raises:
        ValueError: If the value is not such a number.
    """
    if value is not None and (type(value) is not int or not 1 <= value <= MOST_CLASSES):
        raise ValueError(f"{shown(value)} is not a number of classes up to {MOST_CLASSES:,}")
    return value


def limits_of(value: Any) -> tuple[float, float] | None:
    """Return the values of black and white.

    Raises:
        ValueError: If they are not two finite numbers.
    """
    if value is None:
        return None
    match value:
        case [float() as black, float() as white] if np.isfinite([black, white]).all():
            return black, white
    raise ValueError(f"{shown(value)} are not the values of black and white")


def check_arrays(arrays: dict[str, Any], wanted: dict[str, tuple[Any, ...]]) -> None:
    """Check that the arrays belong to the network.

    Args:
        arrays: The arrays by name.
        wanted: The required shape of each; see `check_array`.

    Raises:
        ValueError: If one does not.
    """
    if set(wanted) != set(arrays):
        odd = min(set(wanted) ^ set(arrays))
        raise ValueError(f"{odd!r} does not fit a network of this kind")
    lengths: dict[str, int] = {}
    for name, shape in wanted.items():
        check_array(name, arrays[name], shape, lengths)


def check_array(name: str, value: Any, shape: tuple[Any, ...], lengths: dict[str, int]) -> None:
    """Check the type and the shape of an array.

    Args:
        name: Its name.
        value: The array.
        shape: Its lengths: numbers, or names of lengths that must agree between arrays.
        lengths: The named lengths known so far; those of this array are added.

    Raises:
        ValueError: If the type or the shape differs.
    """
    dtype = np.int64 if name.endswith("classes_") else np.float64
    right = isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == len(shape)
    if not right or not np.isfinite(value).all() or 0 in value.shape:
        raise ValueError(f"{name} must hold finite numbers of type {np.dtype(dtype)}")
    for wanted, length in zip(shape, value.shape, strict=True):
        known = lengths.setdefault(wanted, length) if isinstance(wanted, str) else wanted
        if known != length:
            raise ValueError(f"{name} has the shape {value.shape}, which does not fit")
    if name.endswith("scale") and not (value > 0).all():
        raise ValueError(f"{name} must be above 0")
