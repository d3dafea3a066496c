"""Parser for docstrings: first line, text, and sections."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

SECTION = re.compile(r"(Shape|Args|Attributes|Returns|Raises|Reference|References|Example):")


@dataclass
class Doc:
    """The parts of a docstring.

    Args:
        line: First line.
        text: Text between the first line and the first section, such as a formula.
        sections: Text of each section by title.
    """

    line: str = ""
    text: str = ""
    sections: dict[str, str] = field(default_factory=dict)


def doc_of(thing: Any) -> Doc:
    """Return the parts of an object's docstring."""
    first, _, rest = (inspect.getdoc(thing) or "").partition("\n")
    parts: dict[str, list[str]] = {"": []}
    title = ""
    for line in rest.splitlines():
        found = SECTION.fullmatch(line.rstrip())
        if found:
            title = found[1]
        parts.setdefault(title, [])
        if not found:
            parts[title].append(line)
    texts = {title: inspect.cleandoc("\n".join(["", *lines])) for title, lines in parts.items()}
    return Doc(first.strip(), texts.pop(""), texts)


def items_of(text: str) -> list[tuple[str, str]]:
    """Return the entries ``name: description`` of a section, with continuation lines joined."""
    items: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith((" ", "\t")) and items:
            name, description = items[-1]
            items[-1] = (name, f"{description} {line.strip()}".strip())
        elif line.strip():
            name, _, description = line.partition(":")
            items.append((name.strip(), description.strip()))
    return items


def signature_of(thing: Any, name: str) -> str | None:
    """Return the signature of a callable without types; None if it is not callable."""
    if not callable(thing):
        return None
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return f"{name}(…)"
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
