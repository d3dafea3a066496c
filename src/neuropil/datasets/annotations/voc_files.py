"""Reader for Pascal VOC annotations: an XML file for each picture."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler

from typing_extensions import override

from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures, Annotations
from neuropil.datasets.annotations.label_files import (
    NO_LABELS,
    REFUSED,
    by_stem,
    files_with,
    label_bytes,
    label_lines,
    pairs_with,
    subfolder,
)
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.part_names import part_folders, part_of
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents, natural_key, visible_entries
from neuropil.datasets.pictures.class_folders import is_picture
from neuropil.datasets.tables.cells import as_number
from neuropil.text import reason

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("xmin", "ymin", "xmax", "ymax")
LISTS = ("train", "val", "test")
FLAG = re.compile(r"\s+(?:1|0|-1)$")


class Files(NamedTuple):
    """The pictures and the label files of a folder, each by its name without the suffix.

    Attributes:
        pictures: The pictures.
        labels: The label files.
    """

    pictures: dict[str, Path]
    labels: dict[str, Path]


def recognise(path: Path) -> str | None:
    """Return ``"VOC annotations"`` for a folder with XML files of labels, else None."""
    return "VOC annotations" if path.is_dir() and folders_of(path) else None


def read_voc(path: Path) -> Annotations:
    """Return the annotations of a folder.

    It has the folders ``Annotations`` and ``JPEGImages``, and lists of the names of each part
    in ``ImageSets/Main`` if it is divided; or each picture and its XML file are side by side,
    in the folder or in folders such as ``train`` and ``test``. Coordinates are taken
    as labelling tools write them, from 0 at the left and upper border. Files of the VOC
    challenge itself count pixels from 1: their boxes lack one pixel at the left and the top.

    Args:
        path: The folder.
    """
    problems, reader = LabelProblems(path), VocReader()
    parts: dict[str, AnnotatedPictures] = {}
    for part, (labels, pictures) in folders_of(path).items():
        files = Files(
            by_stem(list(filter(is_picture, visible_entries(pictures))), "picture", problems),
            by_stem(files_with(labels, ".xml"), "label file", problems),
        )
        lists = read_lists(path, files, problems) if labels != pictures else {}
        everything = sorted({*files.pictures, *files.labels}, key=natural_key)
        for name, members in (lists or {part: everything}).items():
            parts[name] = reader.read(members, files, problems)
    return Annotations(path, list(reader.names), parts, problems, listed=False)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a folder, whatever their labels."""
    folders = dict.fromkeys(pictures for _, pictures in folders_of(path).values())
    return [entry for each in folders for entry in visible_entries(each) if is_picture(entry)]


def folders_of(path: Path) -> dict[str, tuple[Path, Path]]:
    """Return the folders of labels and of pictures for each part; all of them are one part.

    Args:
        path: The folder that may hold VOC annotations.
    """
    labels = subfolder(path, "annotations")
    if labels is not None and files_with(labels, ".xml"):
        pictures = subfolder(path, "jpegimages", "images") or path
        return {"train": (labels, pictures)}
    if pairs_with(path, ".xml"):
        return {"train": (path, path)}
    inside = part_folders(path)
    return {inside[each]: (each, each) for each in inside if pairs_with(each, ".xml")}


def read_lists(path: Path, files: Files, problems: LabelProblems) -> dict[str, list[str]]:
    """Return the names of the pictures of each part, from the lists in ``ImageSets/Main``.

    Args:
        path: The folder.
        files: The pictures and label files.
        problems: Gains the names without a picture, and the pictures that no list names.
    """
    folder = path / "ImageSets" / "Main"
    found: dict[str, list[str]] = {}
    for name in LISTS if (folder / "train.txt").is_file() else ("trainval", "test"):
        file = folder / f"{name}.txt"
        if not file.is_file():
            continue
        members: dict[str, None] = {}
        for number, line in enumerate(label_lines(file), 1):
            if not line.strip():
                continue
            member = listed_name(line.strip(), files)
            if member is None:
                problems.add(
                    "name", "in a list without a picture: not used", file, f"line {number}"
                )
            elif member in members:
                problems.add("name", "twice in a list: used once", file, f"line {number}")
            else:
                members[member] = None
        found[part_of(name) or "train"] = list(members)
    listed = {name for members in found.values() for name in members}
    unlisted = sorted(files.pictures.keys() - listed, key=natural_key) if found else ()
    for name in unlisted:
        problems.add("picture", "that no list names: not used", files.pictures[name])
    return found


def listed_name(line: str, files: Files) -> str | None:
    """Return the picture that a line of a list names, without the suffix; None if none is.

    The lists of one class have a number after the name: whether the picture shows the class.

    Args:
        line: The line, where the name may have the suffix of the picture, and contain spaces.
        files: The pictures.
    """
    for written in (line, FLAG.sub("", line)):
        name = written.rpartition(".")[0]
        if written in files.pictures:
            return written
        if name in files.pictures and files.pictures[name].name == written:
            return name
    return None


@final
class VocReader:
    """Reader of the label files, which collects the names of the classes.

    Attributes:
        names: Number of each class.
        refused: The pictures whose label file is not read.
    """

    def __init__(self) -> None:
        self.names: defaultdict[str, int] = defaultdict(lambda: len(self.names))
        self.refused: list[Path] = []

    def read(
        self, members: list[str], files: Files, problems: LabelProblems
    ) -> AnnotatedPictures:
        """Return the pictures of one part.

        Args:
            members: Names of its pictures.
            files: The pictures and label files.
            problems: Gains what is wrong.
        """
        part = AnnotatedPictures()
        for name in members:
            if name in files.labels:
                picture = files.pictures.get(name)
                self.read_file(files.labels[name], picture, files, part, problems)
        # A label file may name a picture with another name than its own.
        used = {*part.pictures, *self.refused}
        for name in members:
            picture = files.pictures.get(name)
            if picture is not None and picture not in used:
                problems.add("picture", NO_LABELS, picture)
                part.add_picture(picture, picture)
        return part

    def read_file(
        self,
        label: Path,
        picture: Path | None,
        files: Files,
        part: AnnotatedPictures,
        problems: LabelProblems,
    ) -> None:
        """Add a picture with the boxes of its label file.

        Args:
            label: The label file.
            picture: The picture of the same name, if there is one.
            files: All pictures: the label file may name one of them.
            part: Gains the picture.
            problems: Gains what is wrong.
        """
        try:
            named, objects = read_xml(label)
        except DataError as error:
            problems.add("label file", REFUSED, label, str(error))
            self.refused += [picture] if picture else []
            return
        picture = picture or files.pictures.get(named.rpartition(".")[0])
        if picture is None:
            problems.add("label file", "without a picture: not used", label)
            return
        owner = part.add_picture(picture, label)
        for line, fields in objects:
            name = compose_accents(fields.get("name", ""))
            if lacks := "a class" if not name else "a box" if SIDES[0] not in fields else "":
                problems.add("object", f"without {lacks}: not used", label, f"line {line}")
                continue
            part.add_box(
                owner,
                [as_number(fields.get(side, "")) for side in SIDES],
                self.names[name],
                line,
                ignored=fields.get("difficult") == "1",
            )


def read_xml(file: Path) -> tuple[str, list[tuple[int, dict[str, str]]]]:
    """Return the name of the picture that a label file states, and the objects by line.

    Args:
        file: The label file.

    Raises:
        DataError: If the file is not read; the message is a reason.
    """
    from defusedxml import sax
    from defusedxml.common import DefusedXmlException

    handler = ObjectHandler()
    try:
        sax.parseString(label_bytes(file), handler, forbid_dtd=True)
    except DefusedXmlException:
        raise DataError("it has a DOCTYPE or entities, which are never read") from None
    except SAXParseException as error:
        raise DataError(f"line {error.getLineNumber()}: {error.getMessage()}") from None
    except (SAXException, LookupError, ValueError) as error:
        raise DataError(reason(error)) from None
    return handler.named, handler.objects


@final
class ObjectHandler(ContentHandler):
    """Collector of the objects in a VOC file.

    Attributes:
        named: Name of the picture.
        objects: Line and fields of each object.
    """

    def __init__(self) -> None:
        super().__init__()
        self.named = ""
        self.objects: list[tuple[int, dict[str, str]]] = []
        self.path: list[str] = []
        self.text: list[str] = []

    @override
    def setDocumentLocator(self, locator: Any) -> None:
        self.locator = locator

    @override
    def startElement(self, name: str, attrs: Any) -> None:
        self.path.append(name)
        self.text = []
        if len(self.path) == 2 and name == "object":
            self.objects.append((self.locator.getLineNumber(), {}))

    @override
    def characters(self, content: str) -> None:
        self.text.append(content)

    @override
    def endElement(self, name: str) -> None:
        # The parts of an object, such as a head, have boxes of their own, which are deeper.
        match self.path:
            case [_, "object", "name" | "difficult"] | [_, "object", "bndbox", _]:
                self.objects[-1][1][name] = "".join(self.text).strip()
            case [_, "filename"]:
                self.named = "".join(self.text).strip()
        self.path.pop()
        self.text = []
