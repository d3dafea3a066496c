"""Reader for folders of pictures with one folder per class, or per person."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.paths import compose_accents, natural_key, visible_entries
from neuropil.datasets.people.identities_target import Identities
from neuropil.datasets.pictures.class_folders import find_files, is_picture
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.datasets.target import Classes
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.splits import Splits

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


def open_picture_folder(folder: Path, options: Options) -> Splits:
    """Read a folder of pictures with one folder per class, or per person.

    Args:
        folder: Contains these folders, or ``train``, ``test`` and ``validation`` folders that
            contain them.
        options: Options of the caller.

    Raises:
        DataError: If there are fewer than two classes, or no picture that can be read.
    """
    options.refuse("a folder of pictures", "target")
    notes: list[str] = []
    with adding_notes(notes):
        return open_parts(find_parts(folder), folder, options, notes)


def open_parts(
    parts: dict[str, Path], folder: Path, options: Options, notes: list[str]
) -> Splits:
    """Read the training pictures, and cut or read the other parts.

    Args:
        parts: The folders by name of the part.
        folder: The folder that the user named.
        options: Options of the caller.
        notes: Gains notes for the user.
    """

    def read_part(name: str, preparation: PicturePreparation, notes: list[str]) -> Pictures:
        own: list[str] = []
        try:
            with adding_notes(own):
                return read_more(find_files(parts[name]), preparation, folder, own)
        finally:
            notes += own

    more: dict[str, Any] = {
        "validation": lambda preparation: read_part("validation", preparation, notes),
        "test": lambda preparation: partial(read_part, "test", preparation),
    }
    kind = Classes
    if options.labels == Identities.kind:
        kind = Identities
        check_people(folder, parts)
    return open_pictures(
        find_files(parts["train"]),
        lambda labels: kind.fit(labels, str(parts["train"])),
        options,
        folder,
        notes,
        {name: more[name] for name in parts if name in more},
    )


def check_people(folder: Path, parts: Mapping[str, Path]) -> None:
    """Check that nobody is in two parts: figures are for people who were never seen.

    Args:
        folder: The folder that the user named.
        parts: The folders by name of the part.

    Raises:
        DataError: If a person is.
    """
    people = {
        name: {compose_accents(entry.name) for entry in visible_entries(part)}
        for name, part in parts.items()
    }
    for one, other in combinations(people, 2):
        if both := people[one] & people[other]:
            raise DataError(
                f"{folder}: {some_of(map(repr, sorted(both, key=natural_key)))} "
                f"{'is' if len(both) == 1 else 'are'} in {parts[one].name} and in "
                f"{parts[other].name}: for verification, put all pictures of a person "
                "into one part."
            )


def recognise(path: Path) -> str | None:
    """Return ``"folders of pictures"`` for a folder with subfolders, else None."""
    found = path.is_dir() and any(entry.is_dir() for entry in visible_entries(path))
    return "folders of pictures" if found else None


def read_labelled(preparation: PicturePreparation, folder: Path, notes: list[str]) -> Pictures:
    """Return the test pictures of a folder, or all of its pictures.

    Args:
        preparation: Preparation of the training pictures.
        folder: The folder.
        notes: Gains notes for the user.
    """
    parts = find_parts(folder)
    files = find_files(parts.get("test", parts["train"]))
    return read_more(files, preparation, folder, notes)


def find_parts(folder: Path) -> dict[str, Path]:
    """Return the folders of the training, validation and test pictures by name of the part."""
    known = {name: part for part, names in PARTS.items() for name in names}
    folders = [entry for entry in visible_entries(folder) if entry.is_dir()]
    parts = {known[e.name.casefold()]: e for e in folders if e.name.casefold() in known}
    # A class may also be called "train": then its folder contains pictures, not folders.
    inside = visible_entries(parts["train"]) if "train" in parts else []
    if any(entry.is_dir() for entry in inside) and not any(map(is_picture, inside)):
        return parts
    return {"train": folder}
