"""Reader for named arrays, which may hold pictures or other data, classes or numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neuropil.core.moments import column_axes, narrow, standardization
from neuropil.datasets.arrays.array_file import ArrayFile, is_npy, read_npy
from neuropil.datasets.arrays.array_preparation import (
    ArrayPreparation,
    check_finite,
    unresolved_notes,
)
from neuropil.datasets.arrays.array_targets import (
    LABELS,
    Values,
    as_word,
    choose_task,
    class_labels,
    plain_targets,
)
from neuropil.datasets.arrays.axis_order import as_batch, example_shape, value_range
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.pictures.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.datasets.splits import Splits
from neuropil.datasets.target import Classes, Numbers, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.datasets.open_options import Options, TestReader
    from neuropil.datasets.preparation import Preparation

# Placeholder until the mean and deviation of the training examples are known.
NUMBERS = Numbers((0.0,), (1.0,))
CLASS_NAMES = ("classes", "class_names", "label_names", "target_names")


def open_arrays(path: Path, options: Options) -> Splits:
    """Read named arrays; those of the test are read when first used.

    Args:
        path: The file or the folder.
        options: Options of the caller.

    Raises:
        DataError: If the arrays have other names, or do not fit each other.
    """
    options.refuse("arrays", "target", "image_size", "color")
    notes: list[str] = []
    with adding_notes(notes):
        return open_named(ArrayFile(path), options, notes)


def open_named(file: ArrayFile, options: Options, notes: list[str]) -> Splits:
    """Read the training arrays, and cut or read the other parts.

    Args:
        file: The arrays.
        options: Options of the caller.
        notes: Gains notes for the user.
    """
    path = file.path
    inputs, values = load_pair(file, file.require_training_pair())
    names = class_names(file)
    if choose_task(values, names, options.task, notes) == "classification":
        classes = Classes.fit(class_labels(values, names, str(path)), str(path), order=names)
    else:
        classes = None
        notes += unresolved_notes(values, f"the targets in {path.name}")
    notes += unresolved_notes(inputs, f"the inputs in {path.name}")
    shape = example_shape(inputs)

    def as_dataset(inputs: Values, values: Values) -> Dataset:
        batch = as_batch(inputs, shape, f"the inputs in {path.name}")
        outcome = encode_outcome(values, classes or NUMBERS, names, str(path))
        return Dataset(in_double_precision(batch), outcome)

    validation, test = file.pair("validation"), file.pair("test")
    train, cut, held_out = options.cut(
        as_dataset(inputs, values),
        as_dataset(*load_pair(file, validation)) if validation else None,
        (lambda _notes: as_dataset(*load_pair(file, test))) if test else None,
    )
    target = classes or Numbers.fit(torch.as_tensor(train.targets), str(path))
    preparation = prepare(train, target, value_range(inputs))
    wide = narrow(torch.as_tensor(train.targets)).dtype

    def prepare_part(part: Dataset) -> Dataset:
        targets = torch.as_tensor(part.targets)
        targets = targets.to(wide) if targets.is_floating_point() else targets
        return Dataset(preparation.encode(part.inputs), targets)

    parts = (train, cut, held_out)
    return prepared_splits(parts, prepare_part, preparation, source=str(path), notes=notes)


def prepared_splits(
    parts: tuple[Dataset, Dataset | None, Dataset | TestReader | None],
    prepare_part: Callable[[Dataset], Dataset],
    preparation: Preparation,
    *,
    source: str,
    notes: list[str],
) -> Splits:
    """Return the splits of prepared parts; a test part that is read later is prepared then.

    Args:
        parts: Training, validation and test, as `Options.cut` returns them.
        prepare_part: Prepares one of them.
        preparation: The preparation.
        source: Where the data come from.
        notes: Notes for the user.
    """
    train, cut, held_out = parts
    test = (
        (lambda notes: prepare_part(held_out(notes)))
        if callable(held_out)
        else held_out and prepare_part(held_out)
    )
    return Splits(
        prepare_part(train),
        cut and prepare_part(cut),
        test,
        preparation=preparation,
        source=source,
        notes=notes,
    )


def read_labelled(preparation: Preparation, path: Path, _notes: list[str]) -> Dataset:
    """Return the test arrays of a file or folder, or all of its arrays.

    Args:
        preparation: Preparation of the training data.
        path: The file or the folder.
    """
    file = ArrayFile(path)
    inputs, values = load_pair(file, file.pair("test") or file.require_training_pair())
    targets = encode_outcome(values, preparation.target, class_names(file), str(path))
    return Dataset(preparation.encode(inputs), targets)


def read_new(preparation: Preparation, file: Path, notes: list[str]) -> PredictionInputs:
    """Return the examples in an array file, which may hold a single one.

    Args:
        preparation: Preparation of the training data.
        file: The file.
        notes: Gains notes for the user.

    Raises:
        DataError: If the array does not fit.
    """
    if is_npy(file):
        name, array = file.name, read_npy(file)
    else:
        arrays = ArrayFile(file)
        own = arrays.inputs_name()
        name, array = f"{file.name}, {own}", arrays[own]
    try:
        batch = preparation.encode(array, notes)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    rows = [f"{name}, row {row}" for row in range(len(batch))]
    return PredictionInputs(batch, rows if len(batch) > 1 else [name])


def in_double_precision(batch: Values) -> Values | Tensor:
    """Return floating-point numbers as a float64 tensor, which `Dataset` does not convert."""
    if batch.dtype.kind != "f":
        return batch
    return torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float64))


def load_pair(file: ArrayFile, names: tuple[str, str]) -> tuple[Values, Values]:
    """Return inputs and targets after a check of their shapes and values.

    Raises:
        DataError: If values are not finite, or there is not one target for each example.
    """
    where = [f"{name} of {file.path.name}" for name in names]
    inputs, targets = file[names[0]], file[names[1]]
    if inputs.ndim < 2 or inputs.size == 0 or inputs.dtype.kind not in "buif":
        raise DataError(
            f"{where[0]} must hold numbers with at least two axes, examples along the first; "
            f"got {inputs.dtype} of shape {inputs.shape}."
        )
    if targets.ndim == 0 or len(inputs) != len(targets):
        raise DataError(
            f"{where[0]} has shape {inputs.shape}, {where[1]} has {targets.shape}: there must "
            "be one target for each example."
        )
    check_finite(inputs, where[0])
    return inputs, plain_targets(targets, where[1])


def encode_outcome(
    values: Values, target: Target, names: list[str] | None, where: str
) -> Tensor:
    """Return targets as a tensor.

    Args:
        values: ``(N)`` or ``(N, k)``.
        target: The kind of target.
        names: Names of the classes by number, if the file has them.
        where: Source of the targets, for the error.

    Raises:
        DataError: If they are words where numbers are needed, or a class is unknown.
    """
    return target.collate(LABELS[target.kind](values, names, where), where)


def class_names(file: ArrayFile) -> list[str] | None:
    """Return the names of the classes if the file has them as texts, else None."""
    for name in CLASS_NAMES:
        if (own := file.find(name, None)) is not None:
            names = file[own]
            if names.ndim == 1 and names.dtype.kind in "US" and len(set(names)) == len(names):
                return [as_word(name) for name in names.tolist()]
    return None


def prepare(train: Dataset, target: Target, span: tuple[float, float] | None) -> Preparation:
    """Return a picture preparation if the arrays are pictures, else an array preparation."""
    shape = tuple(train.inputs.shape[1:])
    dtype = str(train.inputs.dtype).removeprefix("torch.").replace("float64", "float32")
    if len(shape) == 3 and shape[0] in (1, 3) and span is not None and dtype != "int64":
        low, high = span
        background = rim_brightness(train.inputs, low, high)
        return PicturePreparation(shape, target, dtype, low, high, background)
    if narrow(train.inputs).dtype != torch.float64:
        return ArrayPreparation(shape, target, dtype)
    axes = column_axes(train.inputs.ndim)
    center, scale = (v.flatten().tolist() for v in standardization(train.inputs, axes))
    return ArrayPreparation(shape, target, dtype, tuple(center), tuple(scale))
