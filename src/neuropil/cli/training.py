"""A training from the command line: begun or resumed, shown, and written down."""

from __future__ import annotations

import contextlib
import dataclasses
import textwrap
import time
from typing import TYPE_CHECKING, Any

import typer

from neuropil import algorithms
from neuropil.cli import classic, plan
from neuropil.cli.console import console, label, note, say
from neuropil.cli.finish import finish
from neuropil.cli.networks import resized
from neuropil.cli.opening import described, new_folder, open_again, open_splits
from neuropil.cli.progress import progress_for
from neuropil.training import GradientWatch, History, losses
from neuropil.training.closure import takes_all
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.run import Run
from neuropil.training.run_facts import check_free, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuropil.core import Network
    from neuropil.datasets import Dataset, Splits, Target
    from neuropil.training import Trainer
    from neuropil.training.recipe import Recipe

GLUE = "\N{NO-BREAK SPACE}"
# Where a training goes on at another size, its first part stands beside it under this name.
FIRST = "-first"
# Weights that are good already are moved in smaller steps.
SLOWER = 0.25


def start(asked: dict[str, Any]) -> None:
    """Train as the options of ``neuropil train`` ask, in a new run folder."""
    settings = plan.checked(asked)
    path = asked["out"] or new_folder(settings["data"])
    check_free(path)
    # As it was typed: so it is shown. The settings hold it in full, for another day.
    typed = None if asked["data"] is None else str(asked["data"])
    if settings["then"] is not None:
        path = path.with_name(path.name + FIRST)
        check_free(path)
    begin(settings, path, typed, quiet=asked["quiet"])


def begin(
    settings: dict[str, Any], path: Path, typed: str | None, *, quiet: bool, slower: float = 1.0
) -> None:
    """Train in a new run folder.

    Args:
        settings: The options, checked.
        path: The folder.
        typed: Where the data are, as the user wrote it.
        quiet: Whether only the folder is said.
        slower: What the learning rate is multiplied by.
    """
    splits = open_splits({**settings, "data": typed})
    if classic.class_named(settings["network"]) is not None:
        begin_classic(settings, splits, path, quiet=quiet)
        return
    made, notes = plan.chosen(splits, settings)
    if made.lr is not None:
        made = dataclasses.replace(made, lr=made.lr * slower)
    if settings["then"] is not None:
        check_resizable(made.network, splits, settings["then"][0])
    if not quiet:
        show_plan(splits, made, notes)
    run = Run.create(path, made.network, splits, settings | plan.to_plain(made))
    try:
        complete(run, splits, made, quiet=quiet)
    except BaseException:
        run.discard()
        raise
    go_further(run, quiet=quiet)


def begin_classic(settings: dict[str, Any], splits: Splits, path: Path, *, quiet: bool) -> None:
    """Fit a classic network in a new run folder."""
    model, notes = classic.model_of(settings, splits)
    if not quiet:
        show_data(splits, notes)
        classic.show_model(model)
    loss = losses.squared_error if splits.classes is None else losses.cross_entropy
    run = Run.create(path, model, splits, {**settings, "loss": loss.name})
    try:
        with run.held():
            start = time.perf_counter()
            model.fit(*as_trained(splits.train, splits.preparation.target))
            seconds = time.perf_counter() - start
            finish(run, splits, model, History([{"epoch": 1, "seconds": seconds}]), quiet=quiet)
    except BaseException:
        run.discard()
        raise


def check_resizable(network: Network, splits: Splits, size: int | tuple[int, int]) -> None:
    """Refuse a network that could not go on at another size, before anything is trained."""
    sides = (size, size) if isinstance(size, int) else size
    resized(network, (splits.input_shape[0], *sides))


def go_further(run: Run, *, quiet: bool) -> None:
    """Train on at the size of ``--then``, if there was one, in a run folder beside this one."""
    then = run.settings.get("then")
    if then is None:
        return
    size, epochs = then
    path = run.path.with_name(run.path.name.removesuffix(FIRST))
    check_free(path)
    wishes = {
        "image_size": tuple(size) if isinstance(size, list) else size,
        "epochs": epochs,
        "network": str(run.path),
        "weights": None,
        "then": None,
    }
    settings = {**run.settings, **wishes}
    begin(settings, path, settings["data"], quiet=quiet, slower=SLOWER)


def go_on(run: Run, *, quiet: bool) -> None:
    """Complete a training that was interrupted, to the bits that it would have had.

    Raises:
        ValueError: When the data are not what they were, or there is nothing to go on from.
    """
    if run.status != "running" and not run.resumable:
        raise ValueError(f"{run.checkpoints} holds no checkpoint to go on from: train anew.")
    made = plan.recipe_of(run)
    splits = open_again(run)
    if fingerprint(splits) != run.data.get("fingerprint"):
        raise ValueError(
            f"the data in {splits.source} have changed since this run began, so it cannot go "
            f"on as it would have: begin a new one by `neuropil train`."
        )
    if not quiet:
        show_plan(splits, made, [])
    complete(run, splits, made, quiet=quiet)
    go_further(run, quiet=quiet)


def show_plan(splits: Splits, made: Recipe, notes: list[str]) -> None:
    """Say what was found and what is going to be done."""
    show_data(splits, notes)
    label("Network", network_lines(made.network))
    label("Training", training_line(made, len(splits.train)))


def show_data(splits: Splits, notes: list[str]) -> None:
    """Say what was found, and what a person should know."""
    label("Data", described(splits))
    for line in [*splits.notes, *notes]:
        note(line)


def network_lines(network: Network) -> str:
    """Return a network as the expression that makes it, and its size."""
    totals = network.summary().totals
    size = f"{len(network):,} layers, {totals.parameters:,} parameters"
    if totals.multiply_adds is not None:
        size += f", {totals.multiply_adds:,} multiply–adds an example"
    written = " ".join(repr(network).split()).removeprefix("( ").removesuffix(" )")
    if written.startswith("Network("):  # no expression but a listing, a line for each layer
        return size
    # Lines may break between layers only.
    glued = written.replace(" ", GLUE).replace(f"{GLUE}>>{GLUE}", f"{GLUE}>> ")
    lines = textwrap.wrap(glued, console().width - 9)
    return "\n".join([*lines, size]).replace(GLUE, " ")


def training_line(made: Recipe, examples: int) -> str:
    """Return how it is trained in one line."""
    epochs = f"{made.epochs} epoch{'s' * (made.epochs > 1)}"
    rate = "" if made.lr is None else f", lr {made.lr:g}"
    parts = [
        f"at most {epochs} of all {made.batch_size:,} examples at once"
        if takes_all(algorithms.by_name(made.algorithm)) and made.batch_size >= examples
        else f"{epochs} of batches of {made.batch_size}",
        made.algorithm + rate + (f" {made.schedule}" if made.schedule else ""),
        made.loss,
    ]
    if made.augment is not None:
        parts.append(repr(made.augment))
    return ", ".join(parts)


def complete(run: Run, splits: Splits, made: Recipe, *, quiet: bool) -> None:
    """Train to the end and write down what came of it."""
    with run.held():
        trainer = plan.trainer(run, made, progress_for(quiet=quiet))
        run.status = "running"
        target = splits.preparation.target
        held_out = splits.validation
        with kept(run, made.network, trainer):
            trainer.fit(
                as_trained(splits.train, target),
                None if held_out is None else as_trained(held_out, target),
                epochs=made.epochs,
                batch_size=made.batch_size,
                resume=True,
            )
        watches = (c for c in trainer.callbacks if isinstance(c, GradientWatch))
        finish(
            run,
            splits,
            made.network,
            trainer.history,
            watch=next(watches, None),
            stop_reason=trainer.stop_reason,
            quiet=quiet,
        )


def as_trained(data: Dataset, target: Target) -> Any:
    """Return examples with their targets in the form that the network learns.

    Raises:
        ValueError: When they have none.
    """
    if data.targets is None:
        raise ValueError("the training data has no targets.")
    return data.inputs, target.standardize(data.targets)


@contextlib.contextmanager
def kept(run: Run, network: Network, trainer: Trainer) -> Iterator[None]:
    """Keep what a training has reached when it ends before its end.

    Raises:
        Exit: After an interruption, with the code that shells know.
        Exception: Whatever ended it.
    """
    try:
        yield
    except KeyboardInterrupt:
        keep(run, network, trainer, "interrupted")
        say(
            f"interrupted in epoch {trainer.epoch + 1}; go on by: neuropil resume {run.path}",
            error=True,
        )
        raise typer.Exit(130) from None
    except Exception as error:
        # The first trouble is the one to tell, and a full disk may well strike again.
        with contextlib.suppress(OSError):
            if isinstance(error, NonFiniteError):
                trainer.resume()
            keep(run, network, trainer, "failed")
        raise


def keep(run: Run, network: Network, trainer: Trainer, status: str) -> None:
    """Write down how far a training has come."""
    if trainer.checkpoints is None or trainer.checkpoints.newest() is None:
        return
    run.status = status
    run.write_result(network, trainer.history)
