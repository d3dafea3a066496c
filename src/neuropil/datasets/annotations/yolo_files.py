"""Reader for YOLO annotations: a text file for each picture, with a line for each box."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures, Annotations
from neuropil.datasets.annotations.label_files import (
    NO_LABELS,
    REFUSED,
    SECOND,
    label_lines,
    pairs_with,
    subfolder,
)
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.outlines import around
from neuropil.datasets.annotations.part_names import part_folders, part_of
from neuropil.datasets.annotations.yolo_class_names import find_class_names, names_files
from neuropil.datasets.annotations.yolo_splits import SplitFile, file_key
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import is_file
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture
from neuropil.datasets.tables.cells import as_number

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CLASSES = 100_000
"""A larger class number is an error, such as a coordinate in its place."""


def recognise(path: Path) -> str | None:
    """Return ``"YOLO annotations"`` for a folder with YOLO's labels, else None."""
    found = path.is_dir() and (folders_of(path) or has_listed_labels(path))
    return "YOLO annotations" if found else None


def has_listed_labels(path: Path) -> bool:
    """Return whether pictures that a YAML file lists have labels, wherever they are."""
    listed = SplitFile(path).find_listed(LabelProblems(path)).values()
    return any(label_of(each.picture).exists() for each in listed)


def folders_of(path: Path) -> list[tuple[Path, Path, str | None]]:
    """Return the folders of pictures and of labels, and the part that each pair is.

    They are ``images`` and ``labels``, in the folder or in each of folders such as ``train``
    and ``test``; or pictures and labels are side by side, if a file lists the classes.

    Args:
        path: The folder that may hold YOLO annotations.
    """
    places: dict[Path, str | None] = {path: None, **part_folders(path)}
    found = []
    for folder, part in places.items():
        pictures, labels = subfolder(folder, "images"), subfolder(folder, "labels")
        if pictures is not None and labels is not None:
            found.append((pictures, labels, part))
    if not found and names_files(path):
        beside = [folder for folder in places if pairs_with(folder, ".txt")]
        found += [(folder, folder, places[folder]) for folder in beside]
    return found


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a folder, whatever their labels."""
    scan = FolderScan(path)
    for pictures, _, _ in folders_of(path):
        scan.walk(pictures)
    if not scan.files:
        listed = SplitFile(path).find_listed(LabelProblems(path))
        return [each.picture for each in listed.values()]
    return list(filter(is_picture, scan.files))


def read_yolo(path: Path) -> Annotations:
    """Return the annotations of a folder.

    Args:
        path: The folder.

    Raises:
        DataError: If the file with the names of the classes is damaged.
    """
    problems = LabelProblems(path)
    folders = folders_of(path)
    names = find_class_names([path, *(labels for _, labels, _ in folders)])
    splits = SplitFile(path)
    reader = YoloReader(path, problems, names, splits)
    for pictures, labels, part in folders:
        reader.read_folder(pictures, labels, part)
    reader.read_others()
    parts = {name: part for name, part in reader.parts.items() if part.pictures}
    classes = names or [str(number) for number in range(reader.highest + 1)]
    notes = splits.count_note(names)
    return Annotations(path, classes, parts, problems, listed=names is not None, notes=notes)


@final
class YoloReader:
    """Reader of the pictures and labels of folders.

    Args:
        root: The folder of all.
        problems: Gains what is wrong.
        names: Names of the classes, or None if no file lists them.
        splits: Lists the pictures; all are used if it lists none.
    """

    def __init__(
        self,
        root: Path,
        problems: LabelProblems,
        names: list[str] | None,
        splits: SplitFile,
    ) -> None:
        self.root = root
        self.listed = splits.find_listed(problems)
        self.lists = splits.find_lists()
        self.unread = dict(self.listed)
        self.divided = any(each.part for each in self.listed.values())
        self.problems = problems
        self.classes = MOST_CLASSES if names is None else len(names)
        self.highest = 0
        self.parts: dict[str, AnnotatedPictures] = {}

    def read_folder(self, pictures: Path, labels: Path, part: str | None) -> None:
        """Add the pictures of a folder.

        Args:
            pictures: The folder of pictures.
            labels: The folder of labels, which has the same subfolders.
            part: Their part; None if the first subfolder tells it.
        """
        scan = FolderScan(self.root)
        scan.walk(pictures)
        labelled: set[Path] = set()
        unlisted: set[Path] = set()
        for picture in filter(is_picture, scan.files):
            below = picture.relative_to(pictures)
            label = text_file(labels / below)
            first = below.parts[0] if len(below.parts) > 1 else ""
            name = part or part_of(first) or "train"
            if own := self.unread.pop(file_key(picture), None):
                name = own.part or name
            elif self.divided or (self.listed and name == "train"):
                self.problems.add("picture", "that no list names: not used", picture)
                unlisted.add(label)
                continue
            if label in labelled:
                self.problems.add("picture", SECOND, picture)
                continue
            labelled.add(label)
            self.read_picture(picture, label, self.part_named(name))
        scan = FolderScan(self.root)
        scan.walk(labels)
        texts = {
            file
            for file in scan.files
            if file.suffix.lower() == ".txt" and file_key(file) not in self.lists
        }
        for label in sorted(texts - labelled - unlisted - set(names_files(labels))):
            self.problems.add("label file", "without a picture: not used", label)

    def read_others(self) -> None:
        """Add the listed pictures that are not in the folders."""
        for picture, part in self.unread.values():
            self.read_picture(picture, label_of(picture), self.part_named(part or "train"))

    def part_named(self, name: str) -> AnnotatedPictures:
        """Return the pictures of a part."""
        return self.parts.setdefault(name, AnnotatedPictures(relative=True))

    def read_picture(self, picture: Path, label: Path, part: AnnotatedPictures) -> None:
        """Add a picture with its boxes.

        Args:
            picture: The picture.
            label: Its label file, which may not exist.
            part: Gains the picture.
        """
        lines: list[str] = []
        if label.exists():
            try:
                lines = label_lines(label)
            except DataError as error:
                self.problems.add("label file", REFUSED, label, str(error))
                return
        else:
            self.problems.add("picture", NO_LABELS, picture)
        owner = part.add_picture(picture, label)
        for place, line in enumerate(lines, 1):
            if words := line.split():
                self.read_line(words, owner, place, label, part)

    def read_line(
        self, words: list[str], owner: int, place: int, label: Path, part: AnnotatedPictures
    ) -> None:
        """Add the box of a line: class, centre and size, or class and the points of an outline.

        Args:
            words: The words of the line.
            owner: Number of the picture.
            place: Number of the line.
            label: The label file.
            part: Gains the box.
        """
        number, *values = map(as_number, words)
        outline = around(values)
        corners = corners_of(values) if len(values) == 4 else outline
        if corners is None:
            wrong = "other than a class and four numbers: not used"
        elif not (number >= 0 and number % 1 == 0):
            wrong = "with a class that is not a whole number from 0: not used"
        elif number >= self.classes:
            wrong = f"with a class above {self.classes - 1}, the last one: not used"
        else:
            wrong = "with an outline: the box around it is used" if outline else ""
            part.add_box(owner, corners, int(number), place)
            self.highest = max(self.highest, int(number))
        if wrong:
            self.problems.add("line", wrong, label, f"line {place}")


def label_of(picture: Path) -> Path:
    """Return the label file of a picture: in ``labels`` beside ``images``, or beside it."""
    folders = list(picture.parts)
    for place in reversed(range(len(folders) - 1)):
        if folders[place].casefold() == "images":
            folders[place] = "labels"
            break
    return text_file(Path(*folders))


def text_file(picture: Path) -> Path:
    """Return the file with the name of a picture and the suffix of texts."""
    usual, capitals = picture.with_suffix(".txt"), picture.with_suffix(".TXT")
    return capitals if not is_file(usual) and is_file(capitals) else usual


def corners_of(values: Sequence[float]) -> list[float]:
    """Return the corners of a box from its centre, width and height."""
    x, y, width, height = values
    # A negative size does not mean a box on the other side of its centre.
    right, down = max(width, 0.0) / 2, max(height, 0.0) / 2
    return [x - right, y - down, x + right, y + down]
