"""``neuropil evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuropil.cli.command_options import Json, RunFolder, open_trained
from neuropil.datasets.formats import check_openable
from neuropil.text import number_of

if TYPE_CHECKING:
    from neuropil.datasets.source import Source
    from neuropil.runs.run_folder import Run


def evaluate(
    folder: RunFolder,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labelled data of the same kind. Default: the test part of the run's data.",
            show_default=False,
        ),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Evaluate a trained network on data that it has not seen."""
    if data is not None:
        check_openable(data)
    run = open_trained(folder)
    from neuropil.cli.console import console, label, note, say_json
    from neuropil.cli.finish import figures_table
    from neuropil.datasets import read_for_evaluation
    from neuropil.runs.measure import measure

    network = run.network()
    if data is None:
        name, examples, notes = own_part(run)
    else:
        name, (examples, notes) = str(data), read_for_evaluation(run.preparation, data)
        notes += trained_on(run, data, len(examples))
    note(*notes)
    figures = measure(network, examples, run.task)
    if json:
        say_json({"data": name, "examples": len(examples), "figures": figures})
        return
    label("Data", f"{name}: {number_of(len(examples), 'example')}")
    console().print(figures_table({"": figures}))


def trained_on(run: "Run", data: Path, examples: int) -> list[str]:
    """Return a note if the network was trained on the examples that it is evaluated on.

    Of data with a test part of their own, only the test part is evaluated.
    """
    if examples == run.data.get("test") or not run.holds_training_data(data):
        return []
    parts = {name: run.data.get(name) for name in ("train", "validation", "test")}
    sizes = ", ".join(f"{size:,} {name}" for name, size in parts.items() if size)
    note = (
        f"{data} is the data of the training ({sizes}), so these figures are too optimistic; "
        "without --data, only examples that were held out are used."
    )
    return [note]


def own_part(run: "Run") -> tuple[str, "Source", list[str]]:
    """Return the test part of a run's data, or else the validation part, with a name and notes.

    Raises:
        ValueError: When the run has neither.
    """
    from neuropil.cli.run_data import open_again

    splits = open_again(run)
    before = len(splits.notes)
    part, examples = "test", splits.test
    if examples is None:
        part, examples = "validation", splits.validation
    if examples is None:
        raise ValueError(f"{run.path} has no test part: give labelled data with --data.")
    notes = splits.notes[before:]
    if not run.was_trained_on(splits):
        notes.append(f"the data in {splits.source} have changed since the training.")
    return f"{part} part of {splits.source}", examples, notes
