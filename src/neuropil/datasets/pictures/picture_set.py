"""Pictures with their labels: in memory if they are small, else decoded on demand."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from neuropil.core.free_memory import free_memory
from neuropil.datasets.batch_places import MIXED, variety_in_batches
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.paths import name_below
from neuropil.datasets.pictures.duplicate_pictures import (
    keys_of,
    note_duplicates,
    note_equal_pictures,
)
from neuropil.datasets.pictures.picture_batch import (
    Batch,
    broken_notes,
    read_headers,
    read_pictures,
)
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.pictures.picture_sample import background, holds_only_greys, sample
from neuropil.datasets.pictures.picture_sizes import (
    DETAIL_MULTIPLE,
    DETAIL_SIDE,
    common_size,
    cut_buckets,
    detail_size,
    located_size,
    note_resizing,
)
from neuropil.datasets.pictures.source_opening import lost_classes, open_source
from neuropil.datasets.pictures.target_moves import collate_resized
from neuropil.datasets.splits import Splits
from neuropil.datasets.target import Numbers, Target
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from neuropil.datasets.open_options import Options, TestReader
    from neuropil.datasets.pictures.class_folders import LabelledFiles
    from neuropil.datasets.pictures.picture_header import Header
    from neuropil.datasets.pictures.picture_source import PictureSource

Pictures: TypeAlias = "Dataset | PictureSource"

MEMORY = 2**30
"""Pictures that take more bytes than this, or than a part of the free memory, stay on disk."""
PART_OF_MEMORY = 0.25


def open_pictures(
    files: LabelledFiles,
    fit: Callable[[list[Any]], Target],
    options: Options,
    root: Path,
    notes: list[str],
    more: Mapping[str, Callable[[PicturePreparation], Any]],
    divide: Callable[[Pictures], tuple[Any, Any, Any]] | None = None,
) -> Splits:
    """Return pictures with their labels, split into parts.

    Args:
        files: The training pictures, or all.
        fit: Function from labels to the target.
        options: Options of the caller.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
        more: Functions that return the pictures of ``"validation"``, or the reader of
            ``"test"``, with the preparation of the training pictures.
        divide: Function that returns the training, validation and test parts of all pictures;
            None to divide them at random.

    Raises:
        DataError: If no picture can be read, or there is nothing to learn.
    """
    data, preparation = read_training(files, fit, options, root, notes)
    validation = more["validation"](preparation) if "validation" in more else None
    test: TestReader | None = more["test"](preparation) if "test" in more else None
    own: Any = data
    train, cut, held_out = options.cut(own, validation, test) if divide is None else divide(own)
    if preparation.buckets and variety_in_batches(train) < MIXED:
        notes.append(
            "The sizes of the pictures go with the targets: a batch of one size holds few of "
            "them, and batch normalisation removes what tells them apart. The default network "
            "normalises each picture by itself; for another network, set image_size= to "
            "'native' or one size."
        )
    if test is not None:
        held_out = comparing(test, train)
    named = {"train": train, "validation": cut, "test": held_out}
    note_equal_pictures(named, preparation.target, notes)
    target = preparation.target
    if isinstance(target, Numbers) and train.targets is not None:
        # The mean and scale of the training pictures alone.
        where, columns = str(files.folder), target.columns
        target = Numbers.fit(train.targets, where, name=target.name, columns=columns)
    preparation = replace(
        preparation, target=target, background=background(train, preparation, notes)
    )
    return Splits(
        train, cut, held_out, preparation=preparation, source=str(files.folder), notes=notes
    )


def comparing(test: TestReader, train: Pictures) -> TestReader:
    """Return a reader of the test pictures that notes those that equal a training picture.

    Args:
        test: Reader of the test pictures.
        train: The training pictures.
    """

    def read(notes: list[str]) -> Any:
        found = test(notes)
        note_duplicates(keys_of({"train": train, "test": found}), notes)
        return found

    return read


def read_training(
    files: LabelledFiles,
    fit: Callable[[list[Any]], Target],
    options: Options,
    root: Path,
    notes: list[str],
) -> tuple[Pictures, PicturePreparation]:
    """Return the training pictures and their preparation.

    Args:
        files: The pictures.
        fit: Function from labels to the target.
        options: Options of the caller.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
    """
    headers, broken = readable_headers(files)
    shape, buckets = choose_shape(files, list(headers.values()), options, notes)
    deep = any(header.deep for header in headers.values())
    if None not in shape and fits_in_memory(len(headers), shape, deep=deep):
        batch, labels, names = read_files(files, shape, root, notes)
        if shape[0] == 3 and options.color is None and holds_only_greys(batch.pixels):
            batch, shape = replace(batch, pixels=batch.pixels[:, :1].clone()), (1, *shape[1:])
            notes.append("The pictures are stored in colour but are all grey: read as grey.")
        target, white = fit(labels), batch.white
        kind = "float32" if white else "uint8"
        preparation = PicturePreparation(shape, target, kind, white=white)
        targets = targets_of(files, labels, target, batch, notes)
        return Dataset(preparation.from_files(batch), targets, names=names), preparation

    def prepare(labels: list[Any], white: float | None) -> PicturePreparation:
        kind = "float32" if white else "uint8"
        return PicturePreparation(shape, fit(labels), kind, white=white, buckets=buckets)

    source = open_source(files, (headers, broken), prepare, shape[0], root, notes)
    greys = shape[0] == 3 and options.color is None
    if greys and all(holds_only_greys(one) for one in sample(source, notes)):
        notes.append(
            "The pictures that were looked at are stored in colour but are grey; set "
            "color='grey' to read all as grey."
        )
    return source, source.preparation


def read_more(
    files: LabelledFiles, preparation: PicturePreparation, root: Path, notes: list[str]
) -> Pictures:
    """Return the pictures of another part with the preparation of the training pictures.

    Args:
        files: The pictures.
        preparation: Preparation of the training pictures.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
    """
    shape, deep = preparation.shape, preparation.dtype == "float32"
    if None in shape or not fits_in_memory(len(files.pictures), shape, deep=deep):

        def prepare(_labels: list[Any], white: float | None) -> PicturePreparation:
            return replace(preparation, white=preparation.white or white)

        return open_source(files, readable_headers(files), prepare, shape[0], root, notes)
    batch, labels, names = read_files(files, shape, root, notes, white=preparation.white)
    targets = targets_of(files, labels, preparation.target, batch, notes)
    return Dataset(preparation.from_files(batch), targets, names=names)


def targets_of(
    files: LabelledFiles, labels: list[Any], target: Target, batch: Batch, notes: list[str]
) -> Tensor:
    """Return the targets of decoded pictures.

    Args:
        files: The pictures that were to be decoded.
        labels: The labels of those that were.
        target: The kind of targets.
        batch: The decoded pictures.
        notes: Gains a line if targets are lost.
    """
    own = [treatment.size for treatment in batch.treatments]
    size = batch.pixels.shape[2:]
    return collate_resized(target, labels, str(files.folder), own, size, notes)


def fits_in_memory(count: int, shape: tuple[int | None, ...], *, deep: bool) -> bool:
    """Return whether pictures of one size are few enough to be kept in memory.

    Args:
        count: Number of pictures.
        shape: Channels, height and width.
        deep: Whether they are stored in single precision.
    """
    size = count * math.prod(side or 1 for side in shape) * (4 if deep else 1)
    return size <= min(MEMORY, PART_OF_MEMORY * free_memory())


def readable_headers(files: LabelledFiles) -> tuple[dict[int, Header], dict[Path, str]]:
    """Return the headers of the readable pictures by place, and the errors of the others.

    Raises:
        DataError: If no picture can be read.
    """
    paths = [path for path, _ in files.pictures]
    headers, broken = files.scanned or read_headers(paths)
    if not headers:
        path, reason = next(iter(broken.items()))
        raise DataError(
            f"None of the {number_of(len(paths), 'picture')} in {files.folder} can be read: "
            f"{path.name}: {reason}."
        )
    return headers, broken


def choose_shape(
    files: LabelledFiles, headers: list[Header], options: Options, notes: list[str]
) -> tuple[tuple[int, int | None, int | None], tuple[tuple[int, int], ...]]:
    """Return channels, height and width for the pictures, and the buckets of varied sizes.

    Args:
        files: The pictures.
        headers: Their headers.
        options: Options of the caller.
        notes: Gains a line if the sizes change.
    """
    all_grey = all(header.grey for header in headers)
    channels = 1 if (options.color or ("grey" if all_grey else "rgb")) == "grey" else 3
    sizes = [header.size for header in headers]
    if options.image_size == "native":
        return (channels, None, None), ()
    size = options.size
    if options.image_size is None:
        # Pictures of more than 8 bits are stored in single precision.
        pixel = channels * (4 if any(header.deep for header in headers) else 1)
        find = detail_size if files.located else partial(common_size, pixel=pixel)
        size = find(sizes, notes=notes)
        if size is None and options.task == "localisation":  # its network takes one size
            size = located_size(sizes, DETAIL_SIDE, notes)
    if size is not None:
        return (channels, *size), ()
    bounds = (DETAIL_SIDE, DETAIL_MULTIPLE) if files.located else ()
    buckets = cut_buckets(sizes, *bounds)
    named = some_of(("×".join(map(str, size)) for size in buckets), len(buckets))
    notes.append(f"The pictures are resized to {len(buckets)} sizes, by shape: {named}.")
    return (channels, None, None), buckets


def read_files(
    files: LabelledFiles,
    shape: tuple[int, Any, Any],
    root: Path,
    notes: list[str],
    *,
    white: float | None = None,
) -> tuple[Batch, list[Any], list[str]]:
    """Return the pictures, labels and names of the files that can be read.

    Args:
        files: The pictures.
        shape: Channels, height and width of the result.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
        white: The value of white in files of more than 8 bits; None to find it.

    Raises:
        DataError: If no picture can be read.
    """
    batch = read_pictures([path for path, _ in files.pictures], shape[0], shape[1:])
    notes += broken_notes(batch.broken, root)
    notes += files.notes
    if not batch.kept:
        raise DataError(f"None of the pictures in {files.folder} can be read.")
    note_resizing([each.size for each in batch.treatments], shape[1:], notes)
    notes += batch.notes(white or batch.white)
    kept = [files.pictures[place] for place in batch.kept]
    notes += lost_classes(files, [label for _, label in kept])
    return batch, [label for _, label in kept], [name_below(root, path) for path, _ in kept]
