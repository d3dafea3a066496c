"""Reader for COCO annotations: a JSON file for all pictures of a part."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, final

from neuropil.core.free_memory import require_memory
from neuropil.core.reading import reading
from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures, Annotations
from neuropil.datasets.annotations.coco_search import (
    files_by_part,
    folder_of_pictures,
    json_files,
)
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.outlines import around
from neuropil.datasets.annotations.picture_finder import PictureFinder
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY = 8
"""Parsed JSON takes this number of times the bytes of the file."""


def recognise(path: Path) -> str | None:
    """Return ``"COCO annotations"`` for a JSON file of them or a folder with one, else None."""
    return "COCO annotations" if json_files(path) else None


def read_coco(path: Path) -> Annotations:
    """Return the annotations of a file, or of a file for each part.

    Args:
        path: The file, or a folder that holds the files and the pictures.

    Raises:
        DataError: If a file is damaged or too large, or two are for the same part.
    """
    root = path if path.is_dir() else folder_of_pictures(path)
    problems = LabelProblems(root)
    names: dict[str, int] = {}
    parts = {
        part: CocoReader(file, root, problems, names).read()
        for part, file in files_by_part(path).items()
    }
    return Annotations(root, list(names), parts, problems)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a file or a folder, without their labels."""
    parts = read_coco(path).parts.values()
    return [picture for part in parts for picture in part.pictures]


@final
class CocoReader:
    """Reader of one file.

    Args:
        file: The file.
        root: The folder of all pictures.
        problems: Gains what is wrong.
        names: Number of each class; gains those of the file.
    """

    def __init__(
        self, file: Path, root: Path, problems: LabelProblems, names: dict[str, int]
    ) -> None:
        own = file.stem.rpartition("_")[2]  # train2017 of instances_train2017
        inside = [root / own, root / "images" / own, file.parent, file.parent / "images"]
        self.file = file
        self.finder = PictureFinder(root, [*inside, root, root / "images"])
        self.problems = problems
        self.names = names

    def read(self) -> AnnotatedPictures:
        """Return the pictures with their boxes.

        Raises:
            DataError: If the file is damaged or too large.
        """
        content = self.load()
        part = AnnotatedPictures(unit="annotation no.")
        owners = self.read_images(content, part)
        classes = self.read_categories(content)
        for place, entry in self.entries(content, "annotations"):
            self.read_box(entry, place, owners, classes, part)
        return part

    def load(self) -> Any:
        """Return the content of the file.

        Raises:
            DataError: If it is damaged or too large.
        """
        with reading(self.file, DataError):
            require_memory(MEMORY * self.file.stat().st_size, f"reading {self.file.name}")
            return json.loads(self.file.read_bytes())

    def entries(self, content: Any, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the objects of one of the lists of a file, with their numbers from 1.

        Args:
            content: Content of the file.
            key: Name of the list.

        Raises:
            DataError: If the list is missing.
        """
        found = content.get(key) if isinstance(content, dict) else None
        if not isinstance(found, list):
            raise DataError(
                f"{self.file} has no list of {key!r}: it is not a COCO file of boxes."
            )
        for place, entry in enumerate(found, 1):
            if isinstance(entry, dict):
                yield place, entry
            else:
                self.add("item", f"of {key!r} that is not an object: not used", place)

    def add(self, noun: str, what: str, place: int, detail: str = "") -> None:
        """Add a problem of this file."""
        self.problems.add(noun, what, self.file, f"no. {place}{detail and f': {detail}'}")

    def read_images(self, content: Any, part: AnnotatedPictures) -> dict[Any, int]:
        """Add the pictures, and return their numbers by id; −1 for those that are not used.

        Args:
            content: Content of the file.
            part: Gains the pictures.
        """
        owners: dict[Any, int] = {}
        used: set[Path] = set()
        for place, entry in self.entries(content, "images"):
            key, name = entry.get("id"), entry.get("file_name")
            if not is_id(key) or key in owners or not isinstance(name, str):
                self.add("image", "without an id and a file name of its own: not used", place)
                continue
            found = self.finder.find(name)
            owners[key] = -1
            if isinstance(found, str):
                self.add("image", f"{found}: not used", place, cut(name))
            elif found in used:
                self.add(
                    "image", "with the file of an earlier image: not used", place, cut(name)
                )
            else:
                used.add(found)
                owners[key] = part.add_picture(found, self.file)
        return owners

    def read_categories(self, content: Any) -> dict[Any, int]:
        """Return the number of each class by its id in the file.

        Args:
            content: Content of the file.
        """
        classes: dict[Any, int] = {}
        for place, entry in self.entries(content, "categories"):
            key, name = entry.get("id"), entry.get("name")
            if (
                not is_id(key)
                or key in classes
                or not isinstance(name, str)
                or not name.strip()
            ):
                self.add("class", "without an id and a name of its own: not used", place)
                continue
            name = compose_accents(name.strip())
            classes[key] = self.names.setdefault(name, len(self.names))
        return classes

    def read_box(
        self,
        entry: dict[str, Any],
        place: int,
        owners: dict[Any, int],
        classes: dict[Any, int],
        part: AnnotatedPictures,
    ) -> None:
        """Add the box of an annotation.

        Args:
            entry: The annotation.
            place: Its number.
            owners: Numbers of the pictures by id.
            classes: Numbers of the classes by id.
            part: Gains the box.
        """
        image, category, box = (entry.get(k) for k in ("image_id", "category_id", "bbox"))
        owner = owners.get(image) if is_id(image) else None
        number = classes.get(category) if is_id(category) else None
        if owner is None:
            self.add("annotation", "of an image that is not in the list: not used", place)
        elif number is None:
            self.add("annotation", "of a class that is not in the list: not used", place)
        elif (corners := corners_of(box) or around(points_of(entry))) is None:
            self.add("annotation", "without a box: not used", place)
        elif owner >= 0:
            if corners_of(box) is None:
                what = "with an outline and no box: the box around it is used"
                self.add("annotation", what, place)
            part.add_box(owner, corners, number, place, ignored=entry.get("iscrowd") == 1)


def corners_of(box: Any) -> list[float] | None:
    """Return the corners of a box from a corner, width and height; None without a box."""
    if not isinstance(box, list) or len(box) != 4:
        return None
    x, y, width, height = map(to_float, box)
    # A negative size does not mean a box on the other side of its corner.
    return [x, y, x + max(width, 0.0), y + max(height, 0.0)]


def points_of(entry: dict[str, Any]) -> list[float]:
    """Return the points of all outlines of an annotation, as x, y, x, y and so on.

    Args:
        entry: The annotation; its outline may be runs of pixels, which have no points.
    """
    found = entry.get("segmentation")
    outlines = found if isinstance(found, list) else []
    if outlines and not isinstance(outlines[0], list):
        outlines = [outlines]
    points = [point for outline in outlines if isinstance(outline, list) for point in outline]
    return list(map(to_float, points))


def is_id(key: Any) -> bool:
    """Return whether a value can be an id; 7.0 is the same as 7."""
    return isinstance(key, int | float | str)


def to_float(value: Any) -> float:
    """Return a number of a JSON file, or NaN; a number beyond all bounds is infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
