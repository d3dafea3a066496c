"""The end of a training: figures, the report, and what to do next."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from neuropil.cli.console import console, label, note, say
from neuropil.cli.entry import explained
from neuropil.cli.figures import Figures, measured, table, usual_share
from neuropil.datasets.formats import example_file
from neuropil.runs.baseline import flatters
from neuropil.training.losses import losses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.core import Network
    from neuropil.datasets import Dataset, Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.run_folder import Run
    from neuropil.training import GradientWatch, History


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
    """Write everything down, then say it."""
    network = network.cpu()
    run.times["seconds"] = sum(record["seconds"] for record in history)
    run.write_result(network, history)
    loss = losses.by_name(run.settings["loss"])
    usual: dict[str, float] = {}
    for name, part in parts(splits):
        run.figures[name] = measured(network, part, splits.preparation.target, loss)
        usual[name] = usual_share(part)
    run.data |= splits.facts()
    run.save()
    try:
        with told():
            report(run, splits, network, history, watch)
    except Exception:
        conclude(run)  # a fault in the report does not cost the network
        raise
    conclude(run)
    if quiet:
        say(str(run.path))
    else:
        for verdict in watch.verdicts if watch else ():
            note(f"{verdict}.")
        show(run, stop_reason, usual)


def conclude(run: Run) -> None:
    """Call a run finished, last of all: one that is killed before is resumed."""
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
        settings=run.settings,
        figures=run.figures,
        versions=run.versions,
        run=str(run.path),
        gradients=watch,
    )


def parts(splits: Splits) -> Iterator[tuple[str, Dataset]]:
    """Yield the parts of the data; the test part is read here for the first time."""
    yield "train", splits.train
    if splits.validation is not None:
        yield "validation", splits.validation
    before = len(splits.notes)
    with told():
        if splits.test is not None:
            yield "test", splits.test
    for line in splits.notes[before:]:
        note(line)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say what went wrong without losing the trained network over it."""
    try:
        yield
    except (ValueError, OSError) as error:
        note(explained(error) or str(error))


def show(run: Run, stop_reason: str, usual: dict[str, float]) -> None:
    """Say how good it is and what to do with it."""
    if stop_reason:
        note(f"training ended early: {stop_reason}.")
    console().print(table(run.figures))
    part = next(name for name in ("test", "validation", "train") if name in run.figures)
    name = run.preparation.target.name
    what = repr(name) if name else "the value"
    label("Result", in_words(run.figures[part], what, run.data[part], part, usual[part]))
    if run.report.is_file():
        label("Report", str(run.report))
    label("Next", f"neuropil predict {run.path} {example_file(run.data['kind'])}")


def in_words(
    figures: Figures, what: str, count: int, part: str = "test", usual: float = 0.0
) -> str:
    """Return the one figure that matters as a sentence.

    Args:
        figures: The figures of a part.
        what: What a regression predicts.
        count: How many examples the part has.
        part: What it is called.
        usual: The share of its most frequent class.
    """
    examples = f"{count:,} {part} examples"
    accuracy, balanced = figures.get("accuracy"), figures.get("balanced_accuracy")
    if accuracy is None:
        return regression_in_words(figures, what, examples)
    from neuropil.plots.confidence_interval import wilson_interval

    low, _ = wilson_interval(round(accuracy * count), count)
    if balanced is None or not flatters(accuracy, low, balanced, usual):
        return f"{accuracy:.1%} of the {examples} named right"
    return (
        f"balanced accuracy {balanced:.1%} over the {examples}; {accuracy:.1%} are named "
        f"right, but always naming the most frequent class gives {usual:.1%}"
    )


def regression_in_words(figures: Figures, what: str, examples: str) -> str:
    """Return how far off a regression is, or that it is no better than the mean."""
    error, r2 = figures.get("mean_absolute_error"), figures.get("r2")
    off = f"{what} off by {in_full(error or 0)} on average over the {examples}"
    if r2 is None:
        return off
    if r2 <= 0:
        return f"no better than always answering the mean (R² {r2:.3f}): {off}"
    return f"{off}, R² {r2:.3f}"


def in_full(value: float) -> str:
    """Return a number as the table of figures has it: no exponent where all digits fit.

    Example:
        >>> in_full(27759.12), in_full(0.05), in_full(3.2e12)
        ('27,759', '0.05', '3.2e+12')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
