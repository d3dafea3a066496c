"""Arguments and options that several commands have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from neuropil.runs.run_folder import Run

RunFolder = Annotated[
    Path, typer.Argument(help="A run folder, as `neuropil train` leaves it.", metavar="RUN")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the run folder.")]


def open_trained(path: Path) -> "Run":
    """Return a run whose network has been trained, and say so where not to the end.

    Raises:
        ValueError: When its weights are still those that it began with.
    """
    from neuropil.cli.console import note
    from neuropil.runs.run_folder import Run

    run = Run.open(path)
    if run.status == "running":
        raise ValueError(
            f"the training in {path} has not finished; resume it with: neuropil resume {path}"
        )
    if run.status != "finished":
        note(
            f"the training in {path} {SAID[run.status]}; these are the weights that it reached."
        )
    return run


SAID = {"interrupted": "was interrupted", "failed": "stopped with an error"}
