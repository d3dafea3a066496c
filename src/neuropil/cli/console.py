"""Output to the terminal: lines, labels, notes, JSON and formatted docstrings."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from neuropil.text import as_typed, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

CODE = re.compile(r"``(.+?)``|`(.+?)`")


def console(*, error: bool = False) -> Console:
    """Return a rich console for standard output, or standard error."""
    from rich.console import Console

    return Console(file=sys.stderr if error else sys.stdout, highlight=False)


def say(text: str = "", *, error: bool = False) -> None:
    """Print a line as it is, without markup or line breaks inside paths."""
    stream = sys.stderr if error else sys.stdout
    stream.write(f"{visible(text)}\n")
    stream.flush()


def label(name: str, text: str) -> None:
    """Print a name and its text; all lines of the text are aligned."""
    from rich.text import Text

    first, *rest = visible(text).split("\n")
    line = Text.assemble((f"{name:<9}", "bold"), first)
    for more in rest:
        line.append(f"\n{'':<9}{more}")
    console().print(line, soft_wrap=True)


def note(*texts: str) -> None:
    """Print notes for the user to standard error, one per line."""
    for text in texts:
        say(f"note: {as_typed(text)}", error=True)


def say_json(value: Any) -> None:
    """Print plain data as JSON."""
    import json

    say(json.dumps(value, ensure_ascii=False, indent=1))


def prose(text: str) -> Text:
    """Return the text of a docstring with unwrapped paragraphs and coloured code."""
    from rich.text import Text

    result = Text()
    last = 0
    text = re.sub(r"(?<!\n)\n(?![\n\s*-])", " ", text)
    for found in CODE.finditer(text):
        result.append(text[last : found.start()])
        result.append(found[1] or found[2], style="cyan")
        last = found.end()
    result.append(text[last:])
    return result
