"""The end of a training: figures, report, and a suggestion for the next command."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from neuropil.cli.console import console, label, note
from neuropil.cli.error_line import explain
from neuropil.datasets.formats import example_file
from neuropil.runs.measure import answers_of, measure
from neuropil.text import figure_name, number_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.datasets.source import Source
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.measure import ScoringPredictor
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Figures, Task
    from neuropil.training import GradientWatch, History

MOST_COLUMNS = 5
# Of more figures, such as those of each of many classes, the first are shown.
MOST_ROWS = 40
SHORT = {"root_mean_squared_error": "RMSE", "mean_absolute_error": "MAE"}


def finish(
    run: Run,
    splits: Splits,
    network: Network | ClassicModel,
    history: History,
    *,
    watch: GradientWatch | None = None,
    stop_reason: str = "",
    quiet: bool,
) -> None:
    """Save the network, figures and report of a training, then print them."""
    network = network.cpu()
    run.times["seconds"] = sum(record["seconds"] for record in history)
    run.write_result(network, history)
    task, advice = settle_task(run.task, network, splits)
    measured = dict(parts(splits))
    run.figures |= {name: measure(network, part, task) for name, part in measured.items()}
    run.data |= splits.facts() | {"task": task.to_json()}
    run.save()
    try:
        with report_errors():
            report(run, splits, network, history, watch)
    except Exception:
        conclude(run)  # an error in the report must not lose the trained network
        raise
    conclude(run)
    if not quiet:
        note(*(f"{verdict}." for verdict in (watch.verdicts if watch else ())))
        if not run.is_classic and run.settings.get("class_weight") is None:
            note(*advice)
        show(run, stop_reason, measured)


def settle_task(
    task: Task[Any], network: ScoringPredictor, splits: Splits
) -> tuple[Task[Any], list[str]]:
    """Return a task with the values that are chosen on the validation part, and advice."""
    held_out = splits.validation
    if held_out is None or held_out.targets is None:
        return task, []
    answers, targets = answers_of(network, held_out, task), held_out.targets
    settled = task.settle(answers, targets)
    return settled, settled.advice(answers, targets)


def conclude(run: Run) -> None:
    """Mark a run as finished. This comes last, so that a run killed earlier can be resumed."""
    run.status = "finished"
    run.save()


def report(
    run: Run,
    splits: Splits,
    network: Network | ClassicModel,
    history: History,
    watch: GradientWatch | None,
) -> None:
    """Write the report of a run."""
    from neuropil.report import write_report

    write_report(
        run.report,
        network,
        splits,
        history,
        task=run.task,
        settings=run.settings,
        figures=run.figures,
        versions=run.versions,
        run=str(run.path),
        gradients=watch,
    )


def parts(splits: Splits) -> Iterator[tuple[str, Source]]:
    """Yield the parts of the data; the test part is read here for the first time."""
    yield "train", splits.train
    if splits.validation is not None:
        yield "validation", splits.validation
    before = len(splits.notes)
    with report_errors():
        if splits.test is not None:
            yield "test", splits.test
    note(*splits.notes[before:])


@contextlib.contextmanager
def report_errors() -> Iterator[None]:
    """Print an error as a note instead of raising it, so that the trained network is kept."""
    try:
        yield
    except (ValueError, OSError) as error:
        note(explain(error) or str(error))


def show(run: Run, stop_reason: str, measured: dict[str, Source]) -> None:
    """Print the figures, the verdict, the report's path and the next command."""
    if stop_reason:
        note(f"training ended early: {stop_reason}.")
    console().print(figures_table(run.figures))
    part = next(name for name in ("test", "validation", "train") if name in run.figures)
    targets: Any = measured[part].targets
    examples = number_of(len(targets), f"{part} example")
    label("Result", run.task.verdict(run.figures[part], targets, examples))
    if run.report.is_file():
        label("Report", str(run.report))
    file = example_file(run.data["kind"], run.settings.get("data"))
    label("Next", f"neuropil predict {run.path} {file}")


def figures_table(figures: Mapping[str, Figures]) -> Table:
    """Return a table of figures with a row for each part of the data.

    Many figures, such as those of several targets, have a row each instead.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    columns = list(dict.fromkeys(name for part in figures.values() for name in part))
    columns.sort(key=lambda name: name == "loss")
    result = Table(box=SIMPLE_HEAD, pad_edge=False)
    result.add_column("")
    if len(columns) > MOST_COLUMNS:
        if left_out := columns[MOST_ROWS:-1]:
            columns = [*columns[:MOST_ROWS], columns[-1]]
            result.caption = f"{len(left_out):,} more figures: --json prints them all"
        for part in figures:
            result.add_column(part, justify="right", style="bold" if part == "test" else "")
        for name in columns:
            values = (values.get(name) for values in figures.values())
            result.add_row(short(name), *map(shown, values))
        return result
    for name in columns:
        result.add_column(short(name), justify="right")
    for part, values in figures.items():
        style = "bold" if part == "test" else ""
        result.add_row(part, *(shown(values.get(name)) for name in columns), style=style)
    return result


def short(name: str) -> str:
    """Return the short name of a figure, such as ``R² of price``."""
    from rich.markup import escape

    metric, of, target = name.partition(" of ")
    own = SHORT[metric] + of + target if metric in SHORT else figure_name(name)
    return escape(visible(own))


def shown(value: float | None) -> str:
    """Return a figure with four decimals, or fewer if it is large."""
    if value is None:
        return "–"
    if abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.3g}"
