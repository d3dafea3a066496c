"""Reader for COCO's keypoints: a JSON file for all pictures of a part."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures
from neuropil.datasets.annotations.coco_files import CocoReader, is_id, to_float
from neuropil.datasets.annotations.coco_search import (
    files_by_part,
    folder_of_pictures,
    json_files,
)
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.points.point_labels import PointedPictures, PointLabels
from neuropil.datasets.points.points_target import COLUMNS
from neuropil.text import some_of

if TYPE_CHECKING:
    from pathlib import Path


def recognise(path: Path) -> str | None:
    """Return ``"COCO keypoints"`` for a file of them or a folder with one, else None."""
    files = json_files(path)
    return "COCO keypoints" if files and all(map(holds_keypoints, files)) else None


def holds_keypoints(file: Path) -> bool:
    """Return whether the word "keypoints" is a key in a JSON file."""
    if not file.stat().st_size:
        return False
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
        return m.find(b'"keypoints"') >= 0


def read_keypoints(path: Path) -> PointLabels:
    """Return the points of a file, or of a file for each part.

    Args:
        path: The file, or a folder that holds the files and the pictures.

    Raises:
        DataError: If a file is damaged or too large, or the names of the points are not the
            same everywhere.
    """
    root = path if path.is_dir() else folder_of_pictures(path)
    problems = LabelProblems(root)
    readers = {
        part: KeypointReader(file, root, problems) for part, file in files_by_part(path).items()
    }
    parts = {part: reader.read() for part, reader in readers.items()}
    (first, *others) = readers.values()
    for reader in others:
        if reader.names != first.names:
            raise DataError(
                f"{reader.coco.file} has other keypoints than {first.coco.file.name}: "
                f"{some_of(reader.names)} and {some_of(first.names)}."
            )
    return PointLabels(root, first.names, parts, problems)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a file or a folder, without their points."""
    parts = read_keypoints(path).parts.values()
    return [picture for part in parts for picture in part.pictures]


@final
class KeypointReader:
    """Reader of one file.

    Args:
        file: The file.
        root: The folder of all pictures.
        problems: Gains what is wrong.
    """

    def __init__(self, file: Path, root: Path, problems: LabelProblems) -> None:
        self.coco = CocoReader(file, root, problems, {})
        self.names: list[str] = []

    def read(self) -> PointedPictures:
        """Return the pictures that show one person, or one of what has keypoints.

        Raises:
            DataError: If the file is damaged or too large, or names no keypoints.
        """
        content = self.coco.load()
        pictures = AnnotatedPictures()
        owners = self.coco.read_images(content, pictures)
        self.names = self.read_names(content)
        found: dict[int, list[tuple[int, Any]]] = {}
        for place, entry in self.coco.entries(content, "annotations"):
            image = entry.get("image_id")
            owner = owners.get(image) if is_id(image) else None
            numbers = entry.get("keypoints")
            if owner is None:
                self.coco.add(
                    "annotation", "of an image that is not in the list: not used", place
                )
            elif not isinstance(numbers, list) or len(numbers) != COLUMNS * len(self.names):
                what = f"without {COLUMNS} numbers for each keypoint: not used"
                got = len(numbers) if isinstance(numbers, list) else "none"
                due = COLUMNS * len(self.names)
                self.coco.add("annotation", what, place, f"{got} in place of {due}")
            elif owner >= 0 and entry.get("iscrowd") != 1:
                found.setdefault(owner, []).append((place, numbers))
        part = PointedPictures(self.coco.file, "annotation no.")
        for owner, picture in enumerate(pictures.pictures):
            self.add_picture(picture, found.get(owner, []), part)
        return part

    def add_picture(
        self, picture: Path, found: list[tuple[int, Any]], part: PointedPictures
    ) -> None:
        """Add a picture that has one set of keypoints.

        Args:
            picture: The picture.
            found: Place and numbers of each set.
            part: Gains the picture.
        """
        problems = self.coco.problems
        if len(found) == 1:
            ((place, numbers),) = found
            rows = np.array(list(map(to_float, numbers))).reshape(-1, COLUMNS)
            # NaN is an empty cell of a table; here it is a word where a number is due.
            part.add(picture, place, np.where(np.isnan(rows), np.inf, rows))
        elif found:
            problems.add("picture", "with several sets of keypoints: set aside", picture)
        else:
            problems.add("picture", "without keypoints: set aside", picture)

    def read_names(self, content: Any) -> list[str]:
        """Return the names of the keypoints.

        Args:
            content: Content of the file.

        Raises:
            DataError: If there are none, or two categories have different ones.
        """
        lists = [
            entry["keypoints"]
            for _, entry in self.coco.entries(content, "categories")
            if entry.get("keypoints")
        ]
        names = lists[0] if lists else None
        if not isinstance(names, list) or not all(
            isinstance(name, str) and name for name in names
        ):
            raise DataError(
                f"{self.coco.file} has no names of keypoints: a category needs 'keypoints', "
                "such as ['left_eye', 'right_eye']."
            )
        if len(set(names)) < len(names) or any(other != names for other in lists):
            raise DataError(
                f"{self.coco.file} must name the same distinct keypoints in each category; got "
                f"{some_of(map(some_of, lists))}."
            )
        return names
