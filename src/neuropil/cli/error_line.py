"""Errors as one line that tells a person what was wrong."""

from __future__ import annotations

import re
from pathlib import Path
from traceback import extract_tb
from typing import Any

from neuropil.text import one_line

NO_MEMORY = ("out of memory", "can't allocate memory", "Storage size calculation overflowed")
PACKAGE = Path(__file__).parent.parent
# A full stop after what ends a sentence already; not "..", the folder, nor three dots.
DOUBLED = re.compile(r"(?<=[^\s./])([.?!])\.(?=\s|$)")
# A line longer than this helps nobody.
LONGEST, LONGEST_NAME = 2000, 300


def explained(error: Exception) -> str | None:
    """Return the line that tells a person what was wrong; None where we are to blame."""
    said = getattr(error, "format_message", None)
    line: str | None = None
    if said is not None:  # of Typer: an unknown option and the like
        line = f"{said()}. Try: neuropil {command_of(error)}--help"
    elif isinstance(error, OSError):
        line = system_error(error)
    elif isinstance(error, MemoryError) or out_of_memory(error):
        line = "this machine's memory is not enough: try a smaller --batch-size or network."
        line = str(error) if " needs " in str(error) else line  # ours, with both figures
    elif isinstance(error, ValueError | ArithmeticError):
        line = str(error) + origin(error)
    return None if line is None else sentence(cut(one_line(line)))


def system_error(error: OSError) -> str:
    """Return what the operating system said, and of which file."""
    if error.strerror is None:
        return str(error)
    where = f": {str(error.filename)[:LONGEST_NAME]}" if error.filename else ""
    return f"{error.strerror}{where}"


def out_of_memory(error: Exception) -> bool:
    """Tell whether PyTorch found no memory, which it says in a plain RuntimeError."""
    text = str(error)
    said = any(words in text for words in NO_MEMORY)
    return isinstance(error, RuntimeError) and said


def origin(error: Exception) -> str:
    """Return where to look when the error's words are not our own, and so may be obscure."""
    frames = extract_tb(error.__traceback__)
    ours = bool(frames) and Path(frames[-1].filename).is_relative_to(PACKAGE)
    return "" if ours else f" ({type(error).__name__}; NEUROPIL_DEBUG=1 shows where)"


def cut(text: str) -> str:
    """Return a message without its middle where it is too long to be read."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


def sentence(text: str) -> str:
    """Return a message that ends as it should: what was quoted may have ended by itself.

    Example:
        >>> sentence("a.csv is damaged: no rows.."), sentence("Did you mean 'train'?.")
        ('a.csv is damaged: no rows.', "Did you mean 'train'?")
    """
    return DOUBLED.sub(r"\1", text)


def command_of(error: Any) -> str:
    """Return the command whose help would have helped, with a space behind."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "") if context is not None else ""
    return "".join(f"{word} " for word in path.split()[1:])
