"""Open picture files as a source: find the broken ones, the value of white, and the cache."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import name_below, natural_key
from neuropil.datasets.pictures.packed_names import PackedNames
from neuropil.datasets.pictures.picture_batch import (
    broken_notes,
    depth_notes,
    in_threads,
    read_headers,
)
from neuropil.datasets.pictures.picture_cache import open_cache
from neuropil.datasets.pictures.picture_depth import white_of
from neuropil.datasets.pictures.picture_file import Treatment, read_picture
from neuropil.datasets.pictures.picture_files import PictureFiles
from neuropil.datasets.pictures.picture_header import is_cut_off
from neuropil.datasets.pictures.picture_sizes import note_resizing
from neuropil.datasets.pictures.picture_source import PictureSource
from neuropil.datasets.pictures.target_moves import collate_resized
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.datasets.pictures.class_folders import LabelledFiles
    from neuropil.datasets.pictures.picture_header import Header
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation


def open_source(
    files: LabelledFiles,
    scanned: tuple[dict[int, Header], dict[Path, str]],
    prepare: Callable[[list[Any], float | None], PicturePreparation],
    channels: int,
    root: Path,
    notes: list[str],
) -> PictureSource:
    """Return pictures as a source.

    Files whose header or end is missing are set aside; those of more than 8 bits are decoded
    once, to find the value of white.

    Args:
        files: The pictures.
        scanned: Headers of the readable pictures by place, and the errors of the others.
        prepare: Function that returns the preparation for the labels of the good files, and the
            value of white in files of more than 8 bits.
        channels: 1 for grey, 3 for colour.
        root: The folder that names are relative to.
        notes: Gains notes for the user.

    Raises:
        DataError: If no picture can be read.
    """
    headers, broken = scanned
    places = list(headers)
    paths = [files.pictures[place][0] for place in places]
    treatments, damaged = decode_doubtful(paths, list(headers.values()), channels)
    kept = [place for place, path in zip(places, paths, strict=True) if path not in damaged]
    notes += broken_notes(broken | damaged, root)
    notes += files.notes
    if not kept:
        raise DataError(f"None of the pictures in {files.folder} can be read.")
    deep = [treatment for treatment in treatments.values() if treatment.deep]
    labels = [files.pictures[place][1] for place in kept]
    preparation = prepare(labels, white_of_all(deep))
    known = [headers[place] for place in kept]
    sizes = preparation.sizes_for(np.array([header.size for header in known]))
    note_resizing([header.size for header in known], sizes, notes)
    notes += change_notes(known)
    notes += depth_notes(
        [treatment.deep for treatment in deep if treatment.deep], preparation.white
    )
    notes += lost_classes(files, labels)
    found = PictureFiles(
        root,
        PackedNames(name_below(root, files.pictures[place][0]) for place in kept),
        np.ascontiguousarray(sizes, np.int32),
        np.array([header.stamp for header in known], np.int64),
    )
    pixel = preparation.shape[0] * (1 if preparation.dtype == "uint8" else 4)
    lengths = pixel * found.sizes.astype(np.int64).prod(axis=1)
    found = replace(found, cache=open_cache(cache_key(found, preparation), lengths, notes))
    own, where = [header.size for header in known], str(files.folder)
    targets = collate_resized(preparation.target, labels, where, own, sizes, notes)
    return PictureSource(found, preparation, targets)


def source_of_files(paths: Sequence[Path], preparation: PicturePreparation) -> PictureSource:
    """Return files without labels as a source.

    Args:
        paths: The files, which can be read.
        preparation: Preparation of the pictures.
    """
    headers, _ = read_headers(paths)
    own = np.array([headers[place].size for place in range(len(paths))])
    sizes = np.ascontiguousarray(preparation.sizes_for(own), np.int32)
    stamps = np.array([headers[place].stamp for place in range(len(paths))], np.int64)
    names = PackedNames(str(path.absolute()) for path in paths)
    return PictureSource(PictureFiles(Path("/"), names, sizes, stamps), preparation)


def decode_doubtful(
    paths: Sequence[Path], headers: Sequence[Header], channels: int
) -> tuple[dict[int, Treatment], dict[Path, str]]:
    """Decode the files of more than 8 bits, and those whose end may be missing.

    Args:
        paths: The files.
        headers: Their headers.
        channels: 1 for grey, 3 for colour.

    Returns:
        The treatments of the good ones among them, and the errors of the others by path.
    """
    pairs = zip(paths, headers, strict=True)
    doubtful = [pair for pair in pairs if pair[1].deep or is_cut_off(pair[0])]

    def decode(place: int) -> Treatment:
        path, header = doubtful[place]
        return read_picture(path, channels, header.size)[1]

    return in_threads(decode, [path for path, _ in doubtful])


def white_of_all(deep: Sequence[Treatment]) -> float | None:
    """Return the value of white in files of more than 8 bits; None if there are none."""
    highs = [treatment.deep[1] for treatment in deep if treatment.deep]
    fractions = all(treatment.fractions for treatment in deep)
    return white_of(max(highs), fractions=fractions) if highs else None


def change_notes(headers: Sequence[Header]) -> list[str]:
    """Return notes about changes other than of the size, one line for each kind.

    Args:
        headers: Headers of the pictures.
    """
    counts = {
        "with transparency put on a white background": sum(h.transparent for h in headers),
        "with several frames: the first one is used": sum(h.animated for h in headers),
    }
    return [f"{number_of(n, 'picture')} {what}" for what, n in counts.items() if n]


def lost_classes(files: LabelledFiles, labels: Sequence[Any]) -> list[str]:
    """Return a note about the classes of which no picture can be read, if there are any.

    Args:
        files: All pictures.
        labels: The labels of those that can be read.
    """
    lost = set(filter(is_name, (label for _, label in files.pictures)))
    lost -= set(filter(is_name, labels))
    named = some_of(map(repr, sorted(lost, key=natural_key)))
    return [f"No picture of {named} can be read: not used as a class."] if named else []


def is_name(label: Any) -> bool:
    """Return whether a label is the name of a class."""
    return isinstance(label, str)


def cache_key(files: PictureFiles, preparation: PicturePreparation) -> str:
    """Return a text that is different if any decoded picture may be different."""
    import PIL

    digest = hashlib.blake2b(digest_size=16)
    how = (preparation.shape[0], preparation.dtype, preparation.low, preparation.high)
    own = (*how, preparation.white, str(files.root.resolve()), PIL.__version__)
    digest.update(repr(own).encode(errors="surrogatepass"))
    for part in (files.names.text, files.names.ends, files.sizes, files.stamps):
        digest.update(part.data)
    return digest.hexdigest()
