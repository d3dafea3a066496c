"""Arguments and options that several commands have in common."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from neuropil.runs.run_folder import Run

RunFolder = Annotated[
    Path, typer.Argument(help="Run folder written by `neuropil train`.", metavar="RUN")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the run folder.")]


def open_trained(path: Path) -> "Run":
    """Return a run whose network is trained; print a note if the training ended early.

    Raises:
        ValueError: When the training has not finished.
    """
    from neuropil.cli.console import note
    from neuropil.runs.run_facts import read_facts

    read_facts(path)  # an error comes before the seconds that the next line takes
    from neuropil.runs.run_folder import Run

    run = Run.open(path)
    if run.status == "running":
        raise ValueError(
            f"the training in {path} has not finished; resume it with: neuropil resume {path}"
        )
    if run.status != "finished":
        note(f"the training in {path} {ENDINGS[run.status]}; its last saved weights are used.")
    return run


ENDINGS = {"interrupted": "was interrupted", "failed": "stopped with an error"}
