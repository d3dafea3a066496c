"""What a person is told after Ctrl-C."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Interrupted(Exception):  # noqa: N818 - not an error
    """The program ends because it was interrupted; its text is for the person who did."""


def interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that says that it was interrupted, which Typer would not."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None

    return run


@contextmanager
def saying_what_is_kept(*paths: Path, where: str = "") -> Iterator[None]:
    """Say after an interruption whether a run is left to be resumed.

    Args:
        *paths: Where it may be; the first that is a run is named.
        where: How far it had come.

    Raises:
        Interrupted: After an interruption.
    """
    try:
        yield
    except KeyboardInterrupt:
        # Without an import: the interruption may have come in the middle of torch's.
        run = next((path for path in paths if (path / "run.json").is_file()), None)
        raise Interrupted(
            "interrupted before the training began: nothing is kept; run the same command again"
            if run is None
            else f"interrupted{where}; resume with: neuropil resume {run}"
        ) from None
