"""Description of a training, printed before it begins."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from neuropil.cli.console import console, label, note
from neuropil.cli.run_data import describe_data
from neuropil.runs.inspection.data_facts import describe_labels, missing_classes
from neuropil.runs.recipes.recipe_text import recipe_text
from neuropil.training.processes import join_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task

GLUE = "\N{NO-BREAK SPACE}"


def show_plan(splits: Splits, task: Task[Any], made: Recipe, notes: Sequence[str] = ()) -> None:
    """Print the data, the network and the training settings."""
    show_data(splits, task, notes)
    label("Network", network_lines(made.network))
    label("Training", recipe_text(made, task, len(splits.train)))
    if made.choice:
        label("Chosen", made.choice)


def show_data(splits: Splits, task: Task[Any], notes: Sequence[str]) -> None:
    """Print a description of the data and the labels, and the notes."""
    own = splits.preparation.describe(splits.train)
    label("Data", "\n".join(filter(None, [describe_data(splits, task), own])))
    label("Labels", label_lines(splits))
    note(*splits.notes, *missing_classes(splits), *notes)


def label_lines(splits: Splits) -> str:
    """Return a line about the labels of each part that has been read."""
    return "\n".join(
        f"{'training' if name == 'train' else name:<10}  {text}"
        for name, text in describe_labels(splits).items()
    )


def show_processes(threads: int) -> None:
    """Print the number of processes that train together, if there are several."""
    count = join_processes().count
    if count > 1:
        each = f"{threads} thread{'s' * (threads > 1)}"
        label("Together", f"{count} processes of {each}, which divide every batch among them")


def network_lines(network: Network) -> str:
    """Return the expression of a network, and its size."""
    totals = network.summary().totals
    size = f"{len(network):,} layers, {totals.parameters:,} parameters"
    if totals.multiply_adds is not None:
        size += f", {totals.multiply_adds:,} multiply–adds per example"
    written = " ".join(repr(network).split()).removeprefix("( ").removesuffix(" )")
    if written.startswith("Network("):  # a listing with one line per layer, not an expression
        return size
    # Lines may break only between layers.
    glued = written.replace(" ", GLUE).replace(f"{GLUE}>>{GLUE}", f"{GLUE}>> ")
    lines = textwrap.wrap(glued, console().width - 9)
    return "\n".join([*lines, size]).replace(GLUE, " ")
