"""Label files: small texts, one per picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import natural_key, visible_entries
from neuropil.datasets.pictures.class_folders import is_picture
from neuropil.datasets.tables.files.encodings import as_unicode
from neuropil.text import reason

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.annotations.label_problems import LabelProblems

LARGEST = 2**24
"""Largest number of bytes of the labels of one picture."""
NO_LABELS = "without a label file: taken to show nothing"
REFUSED = "refused, and the picture set aside"
SECOND = "with the name of another picture, which has the labels: not used"


def label_bytes(file: Path) -> bytes:
    """Return the content of a label file.

    Raises:
        DataError: If it cannot be read or is too large; the message is a reason.
    """
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise DataError(
                f"it has {size:,} bytes; labels of a picture have at most {LARGEST:,}"
            )
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or reason(error)}") from None


def label_lines(file: Path) -> list[str]:
    """Return the lines of a label file in Unicode, with or without a byte order mark.

    Raises:
        DataError: If it cannot be read; the message is a reason.
    """
    content = label_bytes(file)
    try:
        text = as_unicode(content, file)
    except DataError:
        text = None
    if text is None:
        raise DataError("its bytes are not text in UTF-8 or UTF-16")
    return text.removeprefix("\ufeff").splitlines()


def subfolder(folder: Path, *names: str) -> Path | None:
    """Return the first of some folders that exists in a folder; case does not matter.

    Args:
        folder: The folder.
        *names: Their names in lower case, the preferred one first.
    """
    alike = {entry.name.casefold(): entry for entry in folder.iterdir()}
    return next((alike[name] for name in names if name in alike and alike[name].is_dir()), None)


def files_with(folder: Path, suffix: str) -> list[Path]:
    """Return the files in a folder with a suffix, in natural order, without hidden ones.

    The others are not even looked at: there may be a million.

    Args:
        folder: The folder.
        suffix: The suffix in lower case.
    """
    found = [entry for entry in folder.iterdir() if entry.name.casefold().endswith(suffix)]
    shown = [entry for entry in found if not entry.name.startswith(".") and entry.is_file()]
    return sorted(shown, key=lambda entry: natural_key(entry.name))


def pairs_with(folder: Path, suffix: str) -> bool:
    """Return whether a folder holds pictures beside files of the same names with a suffix.

    Args:
        folder: The folder.
        suffix: The suffix in lower case.
    """
    names = {file.stem for file in files_with(folder, suffix)}
    return bool(names) and any(
        entry.stem in names and is_picture(entry) for entry in visible_entries(folder)
    )


def by_stem(files: list[Path], noun: str, problems: LabelProblems) -> dict[str, Path]:
    """Return files by their name without the suffix; the first of each name.

    Args:
        files: The files.
        noun: Their name, in the singular.
        problems: Gains those whose name is that of an earlier one.
    """
    found: dict[str, Path] = {}
    for file in files:
        if found.setdefault(file.stem, file) is not file:
            problems.add(noun, SECOND, file)
    return found
