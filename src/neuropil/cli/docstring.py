"""Docstrings taken apart: what it is, its definition, and the sections that follow."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

SECTION = re.compile(r"(Shape|Args|Attributes|Returns|Raises|Reference|References|Example):")


@dataclass
class Doc:
    """A docstring's parts.

    Args:
        line: What it is, in one line.
        text: What stands before the first section, such as its formula.
        sections: Each section's text by its title.
    """

    line: str = ""
    text: str = ""
    sections: dict[str, str] = field(default_factory=dict)


def doc_of(thing: Any) -> Doc:
    """Return the docstring of an object, taken apart."""
    # Without one of its own, an instance's is its class's, which tells nothing of the instance.
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
    """Return the entries of a section ``name: what it is``, indented lines joined on."""
    items: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith((" ", "\t")) and items:
            name, said = items[-1]
            items[-1] = (name, f"{said} {line.strip()}".strip())
        elif line.strip():
            name, _, said = line.partition(":")
            items.append((name.strip(), said.strip()))
    return items


def signature_of(thing: Any, name: str) -> str | None:
    """Return how a thing is called, without types; None for what is not called."""
    if not callable(thing):
        return None
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return f"{name}(…)"
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
