"""Pictures with the predictions drawn on them, in a folder."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.core.atomic import make_folder, replacing
from neuropil.datasets.pictures.picture_file import read_picture
from neuropil.report.example_pictures import to_bytes
from neuropil.report.training_report import pages_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from neuropil.datasets import PredictionInputs
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task

JPEG = (".jpg", ".jpeg")
QUALITY = 92


def check_folder(folder: Path, task: Task[Any]) -> None:
    """Refuse a folder for pictures that would overwrite something, or that nothing can fill.

    Args:
        folder: The folder.
        task: The task whose answers are drawn.

    Raises:
        ValueError: If its answers cannot be drawn.
        FileExistsError: If the folder is a file, or is not empty.
    """
    drawing_of(folder, task)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{folder} already exists: name a new folder with --out.")


def write_pictures(folder: Path, run: Run, given: PredictionInputs, answers: Tensor) -> None:
    """Write each picture with its predictions drawn on it, at the size of its file.

    The files have the names of the examples, in subfolders where these have some. They are JPEG
    where the given files are, else PNG. Masks are always PNG: those of ``a.png`` and ``a.jpg``
    are ``a.png`` and ``a.jpg.png``.

    Args:
        folder: The folder, new or empty.
        run: The run that predicts.
        given: The pictures.
        answers: The answers of the run's task, in the pixels of the files.

    Raises:
        ValueError: If the answers of the run cannot be drawn.
        FileExistsError: If the folder is a file, or is not empty.
    """
    check_folder(folder, run.task)
    draw = drawing_of(folder, run.task)
    paths = [folder / inner_name(name) for name in given.names]
    often = Counter(path.with_suffix(".png") for path in paths)
    for place, path in enumerate(paths):
        picture = draw(pixels_of(run, given, place), answers[place], run.task)
        # The values of a mask are classes, which a JPEG would change.
        if picture.mode == "P" and path.suffix.casefold() in JPEG:
            own = path.with_suffix(".png")
            path = own if often[own] == 1 else path.with_name(f"{path.name}.png")
        make_folder(path.parent)
        with replacing(path) as file:
            file.write(encode(picture, path.suffix))


def drawing_of(folder: Path, task: Task[Any]) -> Callable[[Any, Tensor, Any], Image]:
    """Return the function that draws the answers of a task.

    Raises:
        ValueError: If there is none.
    """
    draw = pages_of(task).draw
    if draw is None:
        raise ValueError(
            f"--out must name a .csv, .parquet or .json file, got {str(folder)!r}: a folder is "
            f"for answers that have a place in a picture, and those of a {task.name} have none."
        )
    return draw


def pixels_of(run: Run, given: PredictionInputs, place: int) -> np.ndarray[Any, Any]:
    """Return a picture in bytes: that of its file, or else the input of the network."""
    preparation: Any = run.preparation
    low, high = preparation.low, preparation.high
    if given.files is None or given.sizes is None:
        inputs: Any = given.inputs
        source = not isinstance(inputs, torch.Tensor)
        return to_bytes(
            inputs.fetch([place]).inputs[0] if source else inputs[place], (low, high)
        )
    pixels, treatment = read_picture(given.files[place], 3, given.sizes[place])
    if treatment.deep is not None:
        low, high = treatment.deep
        return to_bytes(torch.from_numpy(np.asarray(pixels)), (low, high))
    return np.ascontiguousarray(np.moveaxis(pixels, 0, -1))


def inner_name(name: str) -> PurePath:
    """Return the name of an example as a path below a folder, with the suffix of a picture.

    Example:
        >>> inner_name("cats/1.jpg").as_posix(), inner_name("/data/../b.tif").as_posix()
        ('cats/1.jpg', 'data/b.tif.png')
    """
    path = PurePath(name)
    parts = [part for part in path.parts if part not in (path.anchor, "..")]
    inner = PurePath(*(part.replace(":", "_") for part in parts))
    known = inner.suffix.casefold() in (*JPEG, ".png")
    return inner if known else inner.with_name(f"{inner.name}.png")


def encode(picture: Image, suffix: str) -> bytes:
    """Return the content of a picture file."""
    file = io.BytesIO()
    if suffix.casefold() in JPEG:
        picture.save(file, "jpeg", quality=QUALITY)
    else:
        picture.save(file, "png")
    return file.getvalue()
