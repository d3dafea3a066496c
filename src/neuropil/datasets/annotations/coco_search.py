"""Search for the COCO files of a folder, and the part that each is for."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING

from neuropil.datasets.annotations.label_files import files_with, subfolder
from neuropil.datasets.annotations.part_names import part_folders, part_of
from neuropil.datasets.data_errors import DataError
from neuropil.text import some_of

if TYPE_CHECKING:
    from pathlib import Path

OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
START = re.compile(
    OBJECT.pattern + rb"\s*\"(?:(?:info|type)\"\s*:\s*[\[{\"n]"
    rb"|(?:images|annotations|categories|licenses)\"\s*:\s*\[)"
)
LISTS = [re.compile(rb"\"%s\"\s*:\s*\[" % key) for key in (b"images", b"annotations")]
"""The lists of a file that begins with a key of another name."""


def json_files(path: Path) -> list[Path]:
    """Return the COCO files of a folder, those with the boxes of objects if there are others.

    A file that is broken or of another kind is one of them if its name is that of a COCO file:
    reading it is then an error. It would be wrong to train without the part that it describes.

    Args:
        path: A file; or a folder, which may hold them in ``annotations`` or beside the pictures
            of each part.
    """
    if path.is_dir():
        own = subfolder(path, "annotations")
        folders = [path, *part_folders(path), *([own] if own else [])]
        files = [file for folder in folders for file in files_with(folder, ".json")]
    else:
        files = [path] if path.suffix.lower() == ".json" else []
    if instances := [file for file in files if file.name.startswith("instances_")]:
        return instances
    found = list(filter(is_coco, files))
    found = [file for file in found if file.name.startswith("instances")] or found
    parts, names = set(map(part_of_file, found)), {file.name for file in found}
    if not found or None in parts:
        return found
    others = [file for file in files if part_of_file(file) not in {None, *parts}]
    return found + [file for file in others if file.name in names or part_of(file.stem)]


def is_coco(file: Path) -> bool:
    """Return whether a file begins as COCO's do, or has their lists anywhere."""
    if not file.is_file() or not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
        if START.match(m):
            return True
        return OBJECT.match(m) is not None and all(key.search(m) for key in LISTS)


def files_by_part(path: Path) -> dict[str, Path]:
    """Return the file of each part; a single file is for training.

    Args:
        path: The file or folder.

    Raises:
        DataError: If two files are for the same part, or the part of one is unknown.
    """
    files = json_files(path)
    if len(files) == 1:
        return {"train": files[0]}
    found: dict[str | None, list[Path]] = {}
    for file in files:
        found.setdefault(part_of_file(file), []).append(file)
    for part, alike in found.items():
        if part is None or len(alike) > 1:
            raise DataError(
                f"{path} contains {len(files)} COCO files, of which {some_of(alike)} are not "
                "for one part each: put train, val or test into their names, or open one file."
            )
    return {part: file for part, (file,) in found.items() if part is not None}


def part_of_file(file: Path) -> str | None:
    """Return the part that the name of a file or of its folder tells of, or None."""
    return part_of(file.stem) or part_of(file.parent.name)


def folder_of_pictures(file: Path) -> Path:
    """Return the folder that holds the pictures of a file of labels."""
    return file.parent.parent if file.parent.name == "annotations" else file.parent
