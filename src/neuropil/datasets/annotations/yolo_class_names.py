"""Names of the classes of YOLO annotations, which are in a file of their own."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from neuropil.datasets.annotations.label_files import label_bytes
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents, visible_entries
from neuropil.datasets.tables.files.encodings import as_unicode, decode
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

QUOTED = r"\"[^\"\\]*\"|'(?:[^']|'')*'"
NAMES = re.compile(r"names\s*:(?P<rest>.*)")
# An item of a list or a mapping over several lines, and of one in brackets.
LINE = re.compile(
    rf"\s*(?:-|(?P<number>\d+)\s*:)\s+(?P<name>{QUOTED}|[^\s#&*!|>@%\"'\[{{][^#]*?)\s*(?:#.*)?"
)
ITEM = re.compile(
    rf"\s*(?:(?P<number>\d+)\s*:\s+)?(?P<name>{QUOTED}|[^,\"'\[\]{{}}]+?)\s*(?:,|$)"
)
COMMENT = re.compile(r"(?:^|\s)#.*")

# The number of a class if the file states it, its name, and the line.
Item = tuple[int | None, str, int]


def find_class_names(folders: Iterable[Path]) -> list[str] | None:
    """Return the names of the classes, in the order of their numbers; None without a file.

    The names are in ``data.yaml`` (or another YAML file with ``names:``), ``classes.txt``,
    ``obj.names``, or a table ``classes.csv`` with the columns id and name.

    Args:
        folders: The folders that may hold the file, the preferred one first.

    Raises:
        DataError: If the file is damaged.
    """
    file = next((file for folder in folders for file in names_files(folder)), None)
    if file is None:
        return None
    try:
        text = decode(label_bytes(file), file, [], asked=None)
    except DataError as error:
        raise DataError(f"{file} cannot be used: {error}.") from None
    suffix = file.suffix.lower()
    read = read_yaml if suffix in (".yaml", ".yml") else read_csv if suffix == ".csv" else None
    items = list(read(text, file) if read else read_lines(text))
    return in_order(items, file)


def names_files(folder: Path) -> list[Path]:
    """Return the files in a folder that list the names of classes, the preferred one first.

    Args:
        folder: The folder.
    """
    entries = [entry for entry in visible_entries(folder) if entry.is_file()]
    tables = [entry for entry in entries if re.fullmatch(r"classes.*\.csv", entry.name.lower())]
    return [
        *filter(has_names, entries),
        *(entry for entry in entries if entry.name.lower() == "classes.txt"),
        *(entry for entry in entries if entry.suffix.lower() == ".names"),
        # Beside the classes of boxes there may be those of masks.
        *sorted(tables, key=lambda table: "box" not in table.name.lower()),
    ]


def has_names(file: Path) -> bool:
    """Return whether a file is a YAML file with the names of classes."""
    if file.suffix.lower() not in (".yaml", ".yml"):
        return False
    try:
        text = as_unicode(label_bytes(file), file) or ""
    except DataError:
        return False
    return any(map(NAMES.match, text.splitlines()))


def read_yaml(text: str, file: Path) -> Iterator[Item]:
    """Yield the items under ``names:``, a list or a mapping, in brackets or over several lines.

    Only this small part of YAML is read.

    Args:
        text: Content of the file.
        file: The file, for the error.

    Raises:
        DataError: If they have another form.
    """
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if NAMES.match(line))
    rest = COMMENT.sub("", lines[start].partition(":")[2]).strip()
    if rest.startswith(("[", "{")):
        yield from read_brackets(rest, lines, start, file)
        return
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if not line.split("#")[0].strip():
            continue
        if not line.startswith((" ", "\t", "-")):
            break
        if not (found := LINE.fullmatch(line)):
            raise DataError(yaml_message(file, number, line))
        yield own_number(found), unquoted(found["name"]), number
    if rest:
        raise DataError(yaml_message(file, start + 1, rest))


def read_brackets(rest: str, lines: list[str], start: int, file: Path) -> Iterator[Item]:
    """Yield the items of a list or a mapping in brackets, which may take several lines.

    Args:
        rest: The rest of the line, from the bracket.
        lines: All lines.
        start: Place of the line.
        file: The file, for the error.

    Raises:
        DataError: If the bracket is not closed, or what is inside is not a list of names.
    """
    closing = "]" if rest[0] == "[" else "}"
    inside = rest[1:]
    for number, line in enumerate((*lines[start + 1 :], ""), start + 1):
        closed = inside.rstrip().endswith(closing)
        body = inside.rstrip()[:-1] if closed else inside
        at = 0
        while body[at:].strip():
            if not (found := ITEM.match(body, at)):
                raise DataError(yaml_message(file, number, body[at:]))
            yield own_number(found), unquoted(found["name"]), number
            at = found.end()
        if closed:
            return
        inside = COMMENT.sub("", line)
    raise DataError(f"{file}, line {start + 1}: the bracket after `names:` is not closed.")


def own_number(found: re.Match[str]) -> int | None:
    """Return the class number that an item states, or None."""
    return None if found["number"] is None else int(found["number"])


def yaml_message(file: Path, line: int, text: str) -> str:
    """Return the error message for names of another form."""
    return (
        f"{file}, line {line}: {cut(text.strip())!r} is not a name of a class; write "
        "`names: [cat, dog]`, or `0: cat` and `1: dog` on the lines after `names:`."
    )


def unquoted(name: str) -> str:
    """Return a name without the quotes of YAML."""
    if name[0] == name[-1] == "'" and len(name) > 1:
        return name[1:-1].replace("''", "'")
    return name[1:-1] if name[0] == '"' else name


def read_lines(text: str) -> Iterator[Item]:
    """Yield the names of a file with a name on each line."""
    for number, line in enumerate(text.rstrip().splitlines(), 1):
        yield None, line, number


def read_csv(text: str, file: Path) -> Iterator[Item]:
    """Yield the classes of a table with the columns id and name.

    Args:
        text: Content of the file.
        file: The file, for the error.

    Raises:
        DataError: If a column is missing, or a row has no number.
    """
    rows = csv.reader(text.splitlines())
    header = [cell.strip().casefold() for cell in next(rows, [])]
    if not {"id", "name"} <= set(header):
        raise DataError(f"{file}: the table of classes needs the columns id and name.")
    for row in filter(None, rows):
        fields = dict(zip(header, row, strict=False))
        number = fields.get("id", "").strip()
        if not number.isdecimal():
            raise DataError(f"{file}, line {rows.line_num}: {cut(number)!r} is not a class id.")
        yield int(number), fields.get("name", ""), rows.line_num


def in_order(items: list[Item], file: Path) -> list[str]:
    """Return the names of classes, in the order of their numbers.

    Args:
        items: Number, name and line of each.
        file: The file, for the error.

    Raises:
        DataError: If a number is missing, or a name is empty or given twice.
    """
    names: list[str] = []
    for number, written, line in sorted(items, key=lambda item: item[0] or 0):
        name = compose_accents(written.strip())
        if number not in (None, len(names)):
            raise DataError(
                f"{file}, line {line}: class {number} follows {len(names)} others; the numbers "
                "must be 0, 1, 2 and so on."
            )
        if not name or name in names:
            what = f"the class {cut(name)!r} is given twice" if name else "the name is empty"
            raise DataError(f"{file}, line {line}: {what}.")
        names.append(name)
    if not names:
        raise DataError(f"{file} names no class.")
    return names
