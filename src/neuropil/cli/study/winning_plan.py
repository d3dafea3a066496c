"""The plan of a training with what a study found: its baseline with the winning tricks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from neuropil.cli import plan
from neuropil.cli.console import note
from neuropil.cli.run_data import open_splits
from neuropil.cli.terminal.process_group import is_group
from neuropil.cli.train_options import flag
from neuropil.datasets.fingerprint import fingerprint
from neuropil.runs.network_fit import check_fit
from neuropil.study.learning_rates import with_rate
from neuropil.study.run_study import Study
from neuropil.study.setups.setup import Setup
from neuropil.study.trial import Trial
from neuropil.study.tricks.trick_table import by_name
from neuropil.text import all_of, number_of, reason
from neuropil.training.parallel.device_choice import choose_device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuropil.cli.settings import Settings
    from neuropil.datasets import Splits
    from neuropil.runs.task import Task

# Parts of a recipe that an option of the command line sets: a trick that changes one of these
# has nothing left to change. The learning rate is the exception, which others may change too.
SET = ("optimizer", "batch_size", "schedule", "patience", "keep_best", "augment")


def winning_plan(splits: Splits, settings: Settings, asked: str) -> plan.Prepared:
    """Return the plan of a training with the winning tricks of a study.

    The training is that of the study with the same seed. Tricks that resize pictures have their
    files read at the other size; what a trick trains before is trained here.

    Args:
        splits: The data.
        settings: The checked options: those of the study's baseline, and the user's own.
        asked: The folder of the study, or its file.

    Raises:
        ValueError: If the study cannot be used, or an option does not suit it.
    """
    made = plan.make_plan(splits, settings)
    if made.trained and settings.network is not None:
        raise ValueError(
            "--from-study trains from newly drawn weights: name an architecture, not a trained "
            "network."
        )
    study = Study.open(asked)
    notes = differences(study, splits)
    baseline = Setup(made.recipe)
    found, names = baseline, []
    own = given(study, settings)
    for name in study.winner:
        changed = with_trick(name, found, made.task, own, settings)
        if isinstance(changed, str):
            notes.append(f"{name} is left out: {changed}.")
        else:
            found, names = changed, [*names, name]
    if "lr" not in own:
        found = with_rate(found, study.best.get("lr", 1.0))
    if found.size is not None:
        settings = dataclasses.replace(settings, image_size=found.size)
        splits = open_splits(settings)
        check_fit(found.recipe.network, splits.input_shape, made.task)
    threads = plan.threads(settings, made.recipe, splits)
    device = str(choose_device(settings.device, made.recipe.network))
    trial = Trial(splits, made.task, baseline, device=device, threads=threads)
    if found.first is not None:
        note(f"training {number_of(found.first.recipe.epochs, 'epoch')} before the run …")
    start = trial.start(found, splits, settings.seed)
    choice = chosen(names, study, made.recipe.choice)
    recipe = dataclasses.replace(found.recipe, network=start.network, choice=choice)
    changed = plan.Plan(start.task, recipe, [*made.notes, *notes], trained=True)
    return plan.Prepared(splits, settings, changed)


def given(study: Study, settings: Settings) -> set[str]:
    """Return the options that differ from those of the study."""
    before: Mapping[str, Any] = study.found["options"]
    return {name for name in (*SET, "lr") if getattr(settings, name) != before.get(name)}


def with_trick(
    name: str, setup: Setup, task: Task[Any], own: set[str], settings: Settings
) -> Setup | str:
    """Return a setup with one more trick, or why it is left out.

    Args:
        name: The trick.
        setup: The setup so far.
        task: The task.
        own: Options that the user gave.
        settings: All settings.
    """
    try:
        changed = by_name(name).change(setup, task)
    except ValueError as error:  # a trick of another version
        return reason(error)
    if isinstance(changed, str):
        return changed
    if why := obstacle(setup, changed, own, settings):
        return why
    if "lr" in own:
        kept = dataclasses.replace(changed.recipe, lr=setup.recipe.lr)
        changed = dataclasses.replace(changed, recipe=kept)
    return changed


def obstacle(before: Setup, after: Setup, own: set[str], settings: Settings) -> str:
    """Return why a training cannot take a trick; empty if it can."""
    for option in SET:
        if option in own and getattr(before.recipe, option) != getattr(after.recipe, option):
            return f"{flag(option)} sets what it changes"
    if after.first is not None and is_group():
        return "it trains twice, which needs a single process"
    if after.size != before.size:
        try:
            open_splits(dataclasses.replace(settings, image_size=after.size))
        except ValueError as error:
            return f"these data cannot be read at another size: {reason(error)}"
    return ""


def differences(study: Study, splits: Splits) -> list[str]:
    """Return a note if the data are not those of the study."""
    if fingerprint(splits) == study.found["study"].get("fingerprint"):
        return []
    return [
        f"the data differ from those of the study in {study.folder}: its tricks may help less."
    ]


def chosen(names: list[str], study: Study, before: str) -> str:
    """Return which tricks are used and why, for the user."""
    where = f"the study in {study.folder}"
    own = (
        f"{all_of(names)}, as {where} recommends"
        if names
        else f"the baseline of {where}, which found no change that helps"
    )
    return f"{before}; {own}" if before else own
