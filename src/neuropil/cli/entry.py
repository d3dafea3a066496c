"""Entry point of the command line: from arguments to an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from neuropil.cli.error_line import explain
from neuropil.cli.interruption import Interrupted
from neuropil.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NOTHING_DONE = "interrupted before the command began: nothing was done"
DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    The code is 0 on success, 2 for input that cannot be used (one line on standard error says
    what is wrong and what would be right) and 130 after an interruption. Any other exception is
    a bug and shows its traceback.

    Args:
        arguments: Arguments after ``neuropil``; ``sys.argv[1:]`` by default.
    """
    from neuropil.cli.output_encoding import allow_any_encoding

    allow_any_encoding()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = bool(os.environ.get("NEUROPIL_DEBUG")) or DEBUG in given
    # Removed here so that it works after the command as well as before it.
    given = [argument for argument in given if argument != DEBUG] or ["--help"]
    try:
        from neuropil.cli.app import app

        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            code = app(given, prog_name="neuropil", standalone_mode=False)
        if code == INTERRUPTED:  # Typer prints nothing
            sys.stderr.write(f"{NOTHING_DONE}\n")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader, such as `head`, closed the pipe; without this, Python prints an error at
        # exit when it flushes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    except (KeyboardInterrupt, Interrupted) as error:
        sys.stderr.write(f"{str(error) or NOTHING_DONE}\n")
        return INTERRUPTED
    except Exception as error:
        line = explain(error)
        if debug or line is None:
            raise
        from neuropil.cli.console import as_typed

        sys.stderr.write(f"error: {as_typed(line)}\n")
        return BAD_INPUT


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as a note, without its line of source code."""
    sys.stderr.write(f"note: {one_line(str(message))}\n")
