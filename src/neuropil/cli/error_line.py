"""One-line messages for errors caused by the user's input."""

from __future__ import annotations

import re
from pathlib import Path
from traceback import extract_tb
from typing import Any

from neuropil.text import one_line

NO_MEMORY = ("out of memory", "can't allocate memory", "Storage size calculation overflowed")
PACKAGE = Path(__file__).parent.parent
# A full stop after the end of a sentence; not "..", the folder, nor three dots.
DOUBLED = re.compile(r"(?<=[^\s./])([.?!])\.(?=\s|$)")
# Longest line, and longest file name in it.
LONGEST, LONGEST_NAME = 2000, 300


def explain(error: Exception) -> str | None:
    """Return the line that describes an error to the user; None for a bug of the library."""
    format_message = getattr(error, "format_message", None)
    line: str | None = None
    if format_message is not None:  # an error of Typer, such as an unknown option
        line = f"{format_message()}. Try: neuropil {command_of(error)}--help"
    elif isinstance(error, OSError):
        line = system_error(error)
    elif isinstance(error, MemoryError) or out_of_memory(error):
        line = "this machine's memory is not enough: try a smaller --batch-size or network."
        # Our own message is better: it has the required and the free memory.
        line = str(error) if " needs " in str(error) else line
    elif isinstance(error, ModuleNotFoundError) and error.name is None:
        line = str(error)  # one of ours, about an extra: Python's has the name of the module
    elif isinstance(error, ValueError | ArithmeticError):
        line = str(error) + origin(error)
    return None if line is None else sentence(cut(one_line(line)))


def system_error(error: OSError) -> str:
    """Return the operating system's message with the name of the file."""
    if error.strerror is None:
        return str(error)
    where = f": {str(error.filename)[:LONGEST_NAME]}" if error.filename else ""
    return f"{error.strerror}{where}"


def out_of_memory(error: Exception) -> bool:
    """Return whether PyTorch ran out of memory, which it reports as a plain RuntimeError."""
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def origin(error: Exception) -> str:
    """Return a hint for errors raised by another library; empty for our own."""
    frames = extract_tb(error.__traceback__)
    ours = bool(frames) and Path(frames[-1].filename).is_relative_to(PACKAGE)
    return "" if ours else f" ({type(error).__name__}; NEUROPIL_DEBUG=1 shows where)"


def cut(text: str) -> str:
    """Return a message with its middle left out if it is too long."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} … {text[-half:]}"


def sentence(text: str) -> str:
    """Return a message without doubled full stops, which quoted messages cause.

    Example:
        >>> sentence("a.csv is damaged: no rows.."), sentence("Did you mean 'train'?.")
        ('a.csv is damaged: no rows.', "Did you mean 'train'?")
    """
    return DOUBLED.sub(r"\1", text)


def command_of(error: Any) -> str:
    """Return the name of the failed command, followed by a space."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "") if context is not None else ""
    return "".join(f"{word} " for word in path.split()[1:])
