"""A training from the command line: begin it, run it, save it, continue it."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import time
from typing import TYPE_CHECKING, Any

from neuropil.cli import classic_training, plan
from neuropil.cli.console import note, say, say_json
from neuropil.cli.failed_training import saving_on_failure
from neuropil.cli.finish import finish
from neuropil.cli.network_argument import resize
from neuropil.cli.plan_text import show_data, show_plan, show_processes
from neuropil.cli.run_data import new_folder, open_splits
from neuropil.cli.settings import Settings
from neuropil.cli.study.prepare import prepare
from neuropil.cli.terminal.interruption import suggesting_resume
from neuropil.cli.terminal.progress_bar import progress_for
from neuropil.core.free_memory import keep_freed_memory
from neuropil.datasets.fingerprint import fingerprint
from neuropil.datasets.loading import in_memory
from neuropil.runs.classic_names import class_named
from neuropil.runs.labels import labels_of, with_encoded_labels
from neuropil.runs.run_facts import FIRST, check_free
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for
from neuropil.training import GradientWatch, History
from neuropil.training.processes import join_processes
from neuropil.training.threads import use_threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuropil.cli.train_options import TrainOptions
    from neuropil.core import Network
    from neuropil.datasets import Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.recipes.recipe import Recipe

# Factor of the learning rate in the second part, whose weights are already trained.
SLOWER = 0.25


def start(asked: TrainOptions) -> None:
    """Train with the options of ``neuropil train`` in a new run folder."""
    settings = Settings.from_options(asked)
    path = join_processes().call_in_first(lambda: free_folder(asked, settings))
    # Messages show the path as it was typed; the settings store the full path.
    typed = None if asked.data is None else str(asked.data)
    quiet = asked.quiet or asked.json
    with suggesting_resume(path):
        run = begin(settings, path, asked.given(), typed, quiet=quiet)
    second = begin_second(run, quiet=quiet)
    runs = [run] if second is None else [run, second]
    if asked.json:
        say_json({"run": str(runs[-1].path), "figures": runs[-1].figures})
    elif quiet:
        say_paths(*runs)


def say_paths(*runs: Run) -> None:
    """Print the folders of runs, which is all that ``--quiet`` prints."""
    for run in runs:
        say(str(run.path))


def free_folder(asked: TrainOptions, settings: Settings) -> Path:
    """Return the folder of the run, or of its first part with ``--then``; it is free."""
    path = asked.out or new_folder(settings.data)
    check_free(path)
    if settings.then is not None:
        path = path.with_name(path.name + FIRST)
        check_free(path)
    return path


def begin(
    settings: Settings,
    path: Path,
    options: dict[str, Any],
    typed: str | None,
    *,
    quiet: bool,
    first: Path | None = None,
) -> Run:
    """Train in a new run folder, and return the run.

    Args:
        settings: The checked options.
        path: The folder.
        options: The options that the user gave.
        typed: Path of the data as the user typed it.
        quiet: Whether to print nothing but notes.
        first: The run that this one continues with a smaller learning rate, if any.
    """
    splits = open_splits(dataclasses.replace(settings, data=typed))
    if class_named(settings.network) is not None:
        return begin_classic(settings, splits, path, options, quiet=quiet)

    def create() -> tuple[Run, Recipe]:
        if plan.is_open(splits, settings) and not quiet:
            note("trying several recipes on held-out rows, which takes some seconds …")
        parts, own, (task, made, notes, trained) = prepare(splits, settings)
        if first is not None and made.lr is not None:
            made = dataclasses.replace(made, lr=made.lr * SLOWER)
        if settings.then is not None:
            check_resizable(made.network, splits, settings.then[0])
        threads = plan.threads(settings, made, parts)
        if not quiet:
            show_plan(parts, task, made, notes)
            show_processes(threads)
        chosen = plan.to_plain(task, made) | {"threads": threads}
        all_settings = vars(own) | chosen
        run = Run.create(path, made.network, parts, task, all_settings, options)
        return run, made if trained or not settings.shard else plan.without_weights(made)

    # The others get the network with its initial weights: they do not need the files.
    run, made = join_processes().call_in_first(create)
    if run.settings["image_size"] != settings.image_size:  # a trick changes the size
        splits = open_splits(Settings.from_plain(run.settings | {"data": typed}))
    with discarding_on_failure(run):
        check_same_data(run, splits, settings.data)
        complete(run, splits, made, quiet=quiet)
    return run


def begin_classic(
    settings: Settings, splits: Splits, path: Path, options: dict[str, Any], *, quiet: bool
) -> Run:
    """Fit a classic network in a new run folder, and return the run; one process does it."""

    def fit() -> Run:
        task = task_for(splits.target, settings.task, splits.train.targets)
        model, notes = classic_training.model_of(settings, splits, task)
        if not quiet:
            show_data(splits, task, notes)
            classic_training.show_model(model)
        chosen = {"loss": task.loss.name, "threads": plan.threads(settings, None, splits)}
        run = Run.create(path, model, splits, task, vars(settings) | chosen, options)
        with discarding_on_failure(run):
            complete_classic(run, splits, model, quiet=quiet)
        return run

    return join_processes().call_in_first(fit)


def complete_classic(run: Run, splits: Splits, model: ClassicModel, *, quiet: bool) -> None:
    """Fit a classic network unless it is fitted already, and save the results."""
    with run.lock(), use_threads(run.settings["threads"]):
        if run.is_fitted:
            finish(run, splits, run.network(), run.history(), quiet=quiet)
            return
        start = time.perf_counter()
        labels = run.task.encode(labels_of(splits.train))
        model.fit(in_memory(splits.train).inputs, labels)
        seconds = time.perf_counter() - start
        finish(run, splits, model, History([{"epoch": 1, "seconds": seconds}]), quiet=quiet)


@contextlib.contextmanager
def discarding_on_failure(run: Run) -> Iterator[None]:
    """Remove a new run that fails before there is anything to resume from."""
    try:
        yield
    except BaseException:
        if join_processes().first:
            run.discard()
        raise


def check_same_data(run: Run, splits: Splits, data: str | None) -> None:
    """Check that this machine has the data that the first process has.

    Args:
        run: The run, made by the first process.
        splits: The data on this machine.
        data: Where they come from.

    Raises:
        ValueError: If they differ.
    """
    processes = join_processes()
    if processes.first or not processes.first_here:
        return
    if fingerprint(splits, data) != run.data["fingerprint"]:
        raise ValueError(
            f"{splits.source} on {platform.node()} differs from that of the first "
            f"process: every machine needs the same data."
        )


def check_resizable(network: Network, splits: Splits, size: int | tuple[int, int]) -> None:
    """Refuse a network that cannot take another picture size, before any training."""
    sides = (size, size) if isinstance(size, int) else size
    resize(network, (splits.input_shape[0], *sides))


def second_part(run: Run) -> Path | None:
    """Return the folder of the part that ``--then`` trains; None without ``--then``."""
    if run.settings.get("then") is None:
        return None
    return run.path.with_name(run.path.name.removesuffix(FIRST))


def begin_second(run: Run, *, quiet: bool) -> Run | None:
    """Continue the training at the size of ``--then``, if given, in a second run folder.

    Args:
        run: The first part.
        quiet: Whether to print nothing but notes.

    Returns:
        The second run, or None without ``--then``.
    """
    path = second_part(run)
    if path is None:
        return None
    size, epochs = run.settings["then"]
    settings = dataclasses.replace(
        Settings.from_plain(run.settings),
        image_size=tuple(size) if isinstance(size, list) else size,
        epochs=epochs,
        network=str(run.path),
        weights=None,
        then=None,
    )
    with suggesting_resume(path, run.path):
        join_processes().call_in_first(lambda: check_free(path))
        return begin(settings, path, run.options, settings.data, quiet=quiet, first=run.path)


def complete(run: Run, splits: Splits, made: Recipe, *, quiet: bool) -> None:
    """Train to the end and save the results."""
    keep_freed_memory()
    processes = join_processes()
    lock = run.lock() if processes.first else contextlib.nullcontext()
    with lock, use_threads(run.settings["threads"]):
        trainer = plan.trainer(run, made, progress_for(quiet=quiet or not processes.first))
        run.status = "running"
        task, held_out = run.task, splits.validation
        with saving_on_failure(run, trainer):
            trainer.fit(
                with_encoded_labels(splits.train, task),
                None if held_out is None else with_encoded_labels(held_out, task),
                epochs=made.epochs,
                batch_size=made.batch_size,
                resume=True,
            )
        network = trainer.gather_network()
        if not processes.first:
            return
        watches = (c for c in trainer.callbacks if isinstance(c, GradientWatch))
        finish(
            run,
            splits,
            network,
            trainer.history,
            watch=next(watches, None),
            stop_reason=trainer.stop_reason,
            quiet=quiet,
        )
