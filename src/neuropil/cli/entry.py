"""Entry point of the command line: from arguments to an exit code."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from neuropil.cli.error_line import explain
from neuropil.cli.terminal.interruption import Interrupted
from neuropil.cli.terminal.process_group import (
    join_group,
    report_failure,
    speaking_alone,
    takes_part,
)
from neuropil.text import as_typed, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

BUG, BAD_INPUT = 1, 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
NOTHING_DONE = "interrupted before the command began: nothing was done"
DEBUG = "--debug"
# Loading PyTorch makes a million objects that stay. Looking for cycles among them after every
# 700, as by default, takes a quarter of the time until the first result.
MOST_NEW_OBJECTS = 50_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    The code is 0 on success, 2 for input that cannot be used (one line on standard error says
    what is wrong and what would be right) and 130 after an interruption. Any other exception is
    a bug and shows its traceback.

    Under ``torchrun`` all processes train together, and one of them reports an error for all;
    other commands are run by the first process alone.

    Args:
        arguments: Arguments after ``neuropil``; ``sys.argv[1:]`` by default.
    """
    from neuropil.cli.terminal.output_encoding import allow_any_encoding

    allow_any_encoding()
    gc.set_threshold(MOST_NEW_OBJECTS)
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = bool(os.environ.get("NEUROPIL_DEBUG")) or DEBUG in given
    # Removed here so that it works after the command as well as before it.
    given = [argument for argument in given if argument != DEBUG] or ["--help"]
    try:
        return run_command(given)
    except BrokenPipeError:
        # The reader, such as `head`, closed the pipe; without this, Python prints an error at
        # exit when it flushes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT
    except (KeyboardInterrupt, Interrupted) as error:
        line = str(error) or NOTHING_DONE
        return report_failure(INTERRUPTED, line, second_hand=True) or INTERRUPTED
    except Exception as error:
        line = explain(error)
        foreseen = not debug and line is not None
        code = report_failure(
            BAD_INPUT if foreseen else BUG,
            f"error: {as_typed(line or repr(error))}",
            foreseen=foreseen,
            second_hand=isinstance(error, ConnectionError),
        )
        if code is None:
            raise
        return code


def run_command(given: Sequence[str]) -> int:
    """Run a command and return its exit code; only the first of several processes prints."""
    if not takes_part(given):
        return 0
    join_group(given)
    from neuropil.cli.app import app

    with speaking_alone(), warnings.catch_warnings():
        warnings.showwarning = show_warning
        code = app(given, prog_name="neuropil", standalone_mode=False)
        if code == INTERRUPTED:  # Typer prints nothing
            sys.stderr.write(f"{NOTHING_DONE}\n")
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as a note, without its line of source code."""
    sys.stderr.write(f"note: {one_line(str(message))}\n")
