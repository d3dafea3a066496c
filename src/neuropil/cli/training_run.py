"""A training from the command line: begun, carried out, and written down."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from typing import TYPE_CHECKING, Any

from neuropil.cli import classic_training, plan
from neuropil.cli.finish import finish
from neuropil.cli.interruption import saying_what_is_kept
from neuropil.cli.network_argument import resized
from neuropil.cli.plan_text import show_data, show_plan
from neuropil.cli.progress_bar import progress_for
from neuropil.cli.run_data import new_folder, open_splits
from neuropil.cli.settings import Settings
from neuropil.runs.classic_names import class_named
from neuropil.runs.run_facts import check_free
from neuropil.runs.run_folder import Run
from neuropil.runs.tasks import task_for
from neuropil.training import GradientWatch, History
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.threads import threads_kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuropil.cli.train_options import TrainOptions
    from neuropil.core import Network
    from neuropil.datasets import Dataset, Splits
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.runs.recipe import Recipe
    from neuropil.runs.task import Task
    from neuropil.training import Trainer

# Where a training goes on at another size, its first part stands beside it under this name.
FIRST = "-first"
# Weights that are good already are moved in smaller steps.
SLOWER = 0.25


def start(asked: TrainOptions) -> None:
    """Train as the options of ``neuropil train`` ask, in a new run folder."""
    settings = Settings.checked(asked)
    path = asked.out or new_folder(settings.data)
    check_free(path)
    # As it was typed: so it is shown. The settings hold it in full, for another day.
    typed = None if asked.data is None else str(asked.data)
    if settings.then is not None:
        path = path.with_name(path.name + FIRST)
        check_free(path)
    with saying_what_is_kept(path):
        run = begin(settings, path, typed, quiet=asked.quiet)
    begin_second(run, quiet=asked.quiet)


def begin(
    settings: Settings,
    path: Path,
    typed: str | None,
    *,
    quiet: bool,
    first: Path | None = None,
) -> Run:
    """Train in a new run folder, and return it.

    Args:
        settings: The options, checked.
        path: The folder.
        typed: Where the data are, as the user wrote it.
        quiet: Whether only the folder is said.
        first: The run that this one trains on from, in smaller steps, if there is one.
    """
    splits = open_splits(dataclasses.replace(settings, data=typed))
    if class_named(settings.network) is not None:
        return begin_classic(settings, splits, path, quiet=quiet)
    task, made, notes = plan.chosen(splits, settings)
    if first is not None and made.lr is not None:
        made = dataclasses.replace(made, lr=made.lr * SLOWER)
    if settings.then is not None:
        check_resizable(made.network, splits, settings.then[0])
    if not quiet:
        show_plan(splits, task, made, notes)
    chosen = plan.to_plain(task, made) | {"threads": plan.threads(settings, made, splits)}
    run = Run.create(path, made.network, splits, task, settings.to_plain() | chosen)
    with discarded_on_failure(run):
        complete(run, splits, made, quiet=quiet)
    return run


def begin_classic(settings: Settings, splits: Splits, path: Path, *, quiet: bool) -> Run:
    """Fit a classic network in a new run folder, and return it."""
    task = task_for(splits.target, settings.task)
    model, notes = classic_training.model_of(settings, splits, task)
    if not quiet:
        show_data(splits, task, notes)
        classic_training.show_model(model)
    chosen = {"loss": task.loss.name, "threads": plan.threads(settings, None, splits)}
    run = Run.create(path, model, splits, task, settings.to_plain() | chosen)
    with discarded_on_failure(run):
        complete_classic(run, splits, model, quiet=quiet)
    return run


def complete_classic(run: Run, splits: Splits, model: ClassicModel, *, quiet: bool) -> None:
    """Fit a classic network, unless that is done, and write down what came of it."""
    with run.lock(), threads_kept(run.settings["threads"]):
        if run.is_fitted:
            finish(run, splits, run.network(), run.history(), quiet=quiet)
            return
        start = time.perf_counter()
        model.fit(*as_trained(splits.train, run.task))
        seconds = time.perf_counter() - start
        finish(run, splits, model, History([{"epoch": 1, "seconds": seconds}]), quiet=quiet)


@contextlib.contextmanager
def discarded_on_failure(run: Run) -> Iterator[None]:
    """Remove a new run that fails before there is anything to go on from."""
    try:
        yield
    except BaseException:
        run.discard()
        raise


def check_resizable(network: Network, splits: Splits, size: int | tuple[int, int]) -> None:
    """Refuse a network that could not go on at another size, before anything is trained."""
    sides = (size, size) if isinstance(size, int) else size
    resized(network, (splits.input_shape[0], *sides))


def second_part(run: Run) -> Path | None:
    """Return the folder in which ``--then`` trains on, None where there is no such part."""
    if run.settings.get("then") is None:
        return None
    return run.path.with_name(run.path.name.removesuffix(FIRST))


def begin_second(run: Run, *, quiet: bool) -> None:
    """Train on at the size of ``--then``, if there was one, in a run folder beside this one."""
    path = second_part(run)
    if path is None:
        return
    size, epochs = run.settings["then"]
    settings = dataclasses.replace(
        Settings.from_plain(run.settings),
        image_size=tuple(size) if isinstance(size, list) else size,
        epochs=epochs,
        network=str(run.path),
        weights=None,
        then=None,
    )
    with saying_what_is_kept(path, run.path):
        check_free(path)
        begin(settings, path, settings.data, quiet=quiet, first=run.path)


def complete(run: Run, splits: Splits, made: Recipe, *, quiet: bool) -> None:
    """Train to the end and write down what came of it."""
    with run.lock(), threads_kept(run.settings["threads"]):
        trainer = plan.trainer(run, made, progress_for(quiet=quiet))
        run.status = "running"
        task, held_out = run.task, splits.validation
        with kept(run, made.network, trainer):
            trainer.fit(
                as_trained(splits.train, task),
                None if held_out is None else as_trained(held_out, task),
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


def as_trained(data: Dataset, task: Task[Any]) -> Any:
    """Return examples with their labels as the loss takes them.

    Raises:
        ValueError: When they have none.
    """
    if data.targets is None:
        raise ValueError("the training data has no targets.")
    return data.inputs, task.encode(data.targets)


@contextlib.contextmanager
def kept(run: Run, network: Network, trainer: Trainer) -> Iterator[None]:
    """Keep what a training has reached when it ends before its end.

    Raises:
        Interrupted: After an interruption that leaves something to go on from.
        KeyboardInterrupt: After one that leaves nothing.
        Exception: Whatever ended it.
    """
    try:
        yield
    except KeyboardInterrupt:
        keep(run, network, trainer, "interrupted")
        if not run.resumable:
            raise
        with saying_what_is_kept(run.path, where=f" in epoch {trainer.epoch + 1}"):
            raise
    except Exception as error:
        # The first trouble is the one to tell, and a full disk may well strike again.
        with contextlib.suppress(OSError):
            if isinstance(error, NonFiniteError):
                trainer.resume()
            keep(run, network, trainer, "failed")
        raise


def keep(run: Run, network: Network, trainer: Trainer, status: str) -> None:
    """Write down how far a training has come."""
    if run.resumable:
        run.status = status
        run.write_result(network, trainer.history)
