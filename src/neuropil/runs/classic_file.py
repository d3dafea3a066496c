"""Fitted classic networks on disk: ``model.json`` and ``model.safetensors``, plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from safetensors.numpy import load as arrays_of
from safetensors.numpy import save as bytes_of

from neuropil.checks import shown
from neuropil.core.atomic import make_folder, replacing_all
from neuropil.core.reading import read_json, reading, require_file
from neuropil.runs.plain_network import Reader, Writer
from neuropil.runs.readout import Readout
from neuropil.runs.run_folder import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from neuropil.runs.classic_model import ClassicModel

    Model = TypeVar("Model", bound=ClassicModel)

FORMAT = 1
ARRAYS = "model.safetensors"
MOST_CLASSES = 1 << 16


def write_model(model: ClassicModel, folder: Path) -> None:
    """Write a model; what stood there is replaced only once the new files are complete.

    Args:
        model: The model, fitted or not.
        folder: Made where there is none.

    Raises:
        ValueError: When an option is of a type that no file holds.
    """
    writer = Writer()
    plain: dict[str, Any] = {
        "format": FORMAT,
        "classes": model.classes,
        "limits": None if model.limits is None else list(map(float, model.limits)),
        "network": writer.network(model.estimator, "network"),
        "arrays": {},
    }
    kept = {"table": model.table}
    if model.limits is None and isinstance(model.center, np.ndarray):
        kept |= {"center": model.center, "scale": model.scale}
    if model.readout is not None:
        kept |= {f"readout.{name}": value for name, value in vars(model.readout).items()}
    present = {name: value for name, value in kept.items() if value is not None}
    plain["arrays"] = {name: writer.plain(value, name) for name, value in present.items()}
    make_folder(folder)
    text = json.dumps(plain, indent=1, allow_nan=False).encode()
    with replacing_all(folder / ARRAYS, folder / MODEL) as (arrays, model_file):
        arrays.write(bytes_of(writer.arrays))
        model_file.write(text)


def read_model(kind: type[Model], folder: Path) -> Model:
    """Return the model that `write_model` wrote.

    Args:
        kind: The class of models.
        folder: Where it stands.

    Raises:
        FileNotFoundError: When a file is missing.
        ValueError: When a file is damaged or does not belong to the other.
    """
    for name in (MODEL, ARRAYS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}.")
    plain = read_json(folder / MODEL, FORMAT)
    reader = Reader(read_arrays(folder / ARRAYS))
    with reading(folder / MODEL):
        estimator = reader.network(plain["network"])
        model = kind(estimator, classes_of(plain["classes"]), limits_of(plain["limits"]))
        model.estimator = estimator
        take_arrays(model, reader.mapping(plain["arrays"]))
        if reader.arrays:
            raise ValueError(f"{ARRAYS} beside it holds {shown(next(iter(reader.arrays)))} too")
    return model


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by name, in memory of their own.

    Raises:
        ValueError: When it is damaged.
    """
    require_file(path)
    with reading(path):
        found = arrays_of(path.read_bytes())
    return {name: np.array(value, order="C") for name, value in found.items()}


def classes_of(value: Any) -> int | None:
    """Return how many classes there are.

    Raises:
        ValueError: When it is no such number.
    """
    if value is not None and (type(value) is not int or not 1 <= value <= MOST_CLASSES):
        raise ValueError(f"{shown(value)} is not a number of classes up to {MOST_CLASSES:,}")
    return value


def limits_of(value: Any) -> tuple[float, float] | None:
    """Return the values of black and white.

    Raises:
        ValueError: When they are not two finite numbers.
    """
    if value is None:
        return None
    match value:
        case [float() as black, float() as white] if np.isfinite([black, white]).all():
            return black, white
    raise ValueError(f"{shown(value)} are not the values of black and white")


def take_arrays(model: ClassicModel, arrays: dict[str, Any]) -> None:
    """Set what a model knows beside its network.

    Raises:
        ValueError: When it does not belong to the network.
    """
    wanted = wanted_arrays(model)
    if set(wanted) != set(arrays):
        odd = min(set(wanted) ^ set(arrays))
        raise ValueError(f"{odd!r} does not fit a network of this kind")
    lengths: dict[str, int] = {}
    for name, shape in wanted.items():
        check_array(name, arrays[name], shape, lengths)
    check_answers(model, arrays)
    set_arrays(model, arrays)


def wanted_arrays(model: ClassicModel) -> dict[str, tuple[Any, ...]]:
    """Return the shape of each array that a model with this network has, fitted or not."""
    columns = getattr(model.estimator, "n_features_in_", None)
    if columns is None:
        return {}
    wanted: dict[str, tuple[Any, ...]] = {}
    if model.limits is None:
        wanted |= {"center": (columns,), "scale": (columns,)}
    if model.role == "groups":
        wanted |= {"table": ("groups", "outputs")}
    if model.role == "features":
        features = len(model.estimator.get_feature_names_out())
        wanted |= {
            "readout.mean": (features,),
            "readout.scale": (features,),
            "readout.weights": ("outputs", features),
            "readout.intercept": ("outputs",),
        }
        wanted |= model.answers.readout_arrays
    return wanted


def check_array(name: str, value: Any, shape: tuple[Any, ...], lengths: dict[str, int]) -> None:
    """Refuse an array of another type or shape.

    Args:
        name: Its name.
        value: The array.
        shape: Its lengths: numbers, and names of lengths that agree wherever they are used.
        lengths: Lengths by name; those that this array settles are added.

    Raises:
        ValueError: When it is another.
    """
    dtype = np.int64 if name.endswith("classes_") else np.float64
    right = isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == len(shape)
    if not right or not np.isfinite(value).all() or 0 in value.shape:
        raise ValueError(f"{name} must hold finite numbers, of {np.dtype(dtype)}")
    for wanted, length in zip(shape, value.shape, strict=True):
        known = lengths.setdefault(wanted, length) if isinstance(wanted, str) else wanted
        if known != length:
            raise ValueError(f"{name} has the shape {value.shape}, which does not fit")
    if name.endswith("scale") and not (value > 0).all():
        raise ValueError(f"{name} must be above 0")


def check_answers(model: ClassicModel, arrays: dict[str, Any]) -> None:
    """Refuse answers for other classes than the model's.

    Raises:
        ValueError: When there are such.
    """
    known = arrays.get("readout.classes_")
    if model.role == "classifier":
        known = getattr(model.estimator, "classes_", None)
    model.answers.check(known, arrays.get("table"), arrays.get("readout.weights"))


def set_arrays(model: ClassicModel, arrays: dict[str, Any]) -> None:
    """Set arrays that have been checked."""
    if model.limits is not None:
        model.settle_limits()
    elif "center" in arrays:
        model.center, model.scale = arrays["center"], arrays["scale"]
    model.table = arrays.get("table")
    if "readout.mean" in arrays:
        parts = (
            arrays[f"readout.{part}"] for part in ("mean", "scale", "weights", "intercept")
        )
        model.readout = Readout(*parts, classes_=arrays.get("readout.classes_"))
