"""Messages after Ctrl-C."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neuropil.cli.terminal.process_group import resume_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Interrupted(Exception):  # noqa: N818 - not an error
    """End of the program after Ctrl-C, with a message for the user."""


def interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that raises `Interrupted` on Ctrl-C, which Typer would swallow."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None

    return run


@contextmanager
def suggesting_resume(*paths: Path, where: str = "") -> Iterator[None]:
    """Report after an interruption whether there is a run to resume.

    Args:
        *paths: Folders that may hold the run; the first that does is named.
        where: Position of the training, such as ``" in epoch 3"``.

    Raises:
        Interrupted: After an interruption.
    """
    try:
        yield
    except KeyboardInterrupt:
        # No import here: the interruption may have hit the import of torch.
        run = next((path for path in paths if (path / "run.json").is_file()), None)
        raise Interrupted(
            "interrupted before the training began: nothing was saved; run the command again"
            if run is None
            else f"interrupted{where}; resume with: {resume_command(run)}"
        ) from None
