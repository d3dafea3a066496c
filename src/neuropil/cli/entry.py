"""From arguments to an exit code; the one place where errors become a line for a person."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from neuropil.cli.interruption import Interrupted
from neuropil.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NOTHING_DONE = "interrupted before the command began: nothing was done"
NO_MEMORY = ("out of memory", "can't allocate memory", "Storage size calculation overflowed")
DEBUG = "--debug"
PACKAGE = Path(__file__).parent.parent
# A full stop after what ends a sentence already; not "..", the folder, nor three dots.
DOUBLED = re.compile(r"(?<=[^\s./])([.?!])\.(?=\s|$)")
# A line longer than this helps nobody.
LONGEST, LONGEST_NAME = 2000, 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 when all went well, 2 for input that cannot be used (one line on standard error says what
    is wrong and what would be right), 130 after an interruption. Anything else is a bug of ours
    and shows its traceback.

    Args:
        arguments: What stands after ``neuropil``; by default this process's own.
    """
    from neuropil.cli.output_encoding import allow_any_encoding

    allow_any_encoding()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = bool(os.environ.get("NEUROPIL_DEBUG")) or DEBUG in given
    # After the command as well, where people think of it.
    given = [argument for argument in given if argument != DEBUG] or ["--help"]
    try:
        from neuropil.cli.app import app

        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            code = app(given, prog_name="neuropil", standalone_mode=False)
        if code == INTERRUPTED:  # Typer says nothing
            sys.stderr.write(f"{NOTHING_DONE}\n")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # Whoever read us, `head` perhaps, has enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    except (KeyboardInterrupt, Interrupted) as error:
        sys.stderr.write(f"{str(error) or NOTHING_DONE}\n")
        return INTERRUPTED
    except Exception as error:
        line = explained(error)
        if debug or line is None:
            raise
        from neuropil.cli.console import as_typed

        sys.stderr.write(f"error: {as_typed(line)}\n")
        return BAD_INPUT


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


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as a note, without the line of code that it comes from."""
    sys.stderr.write(f"note: {one_line(str(message))}\n")
