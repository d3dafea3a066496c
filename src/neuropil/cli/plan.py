"""What a training is going to do: the user's wishes, and good defaults for the rest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from neuropil.cli import augmentation_text
from neuropil.cli.network_argument import named_network, published
from neuropil.cli.settings import NONE, Settings
from neuropil.runs.network_fit import check_fit
from neuropil.runs.recipe import Recipe
from neuropil.runs.recipes import recipe
from neuropil.runs.run_identity import Identity
from neuropil.runs.tasks import task_for
from neuropil.training import GradientWatch
from neuropil.training.processes import choose_device
from neuropil.training.threads import choose_threads

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task
    from neuropil.training import Trainer
    from neuropil.training.progress import Progress

# Given by the user, these replace what the recipe would choose.
CHOICES = ("optimizer", "lr", "batch_size", "epochs", "schedule")
# Settings that the trainer takes as they are.
DIRECT = ("class_weight", "seed", "device", "threads")
# What no training goes without.
NEEDED = ("optimizer", "batch_size", "epochs")
# What a recipe says beside its network.
PARTS = tuple(field.name for field in dataclasses.fields(Recipe) if field.name != "network")


class Plan(NamedTuple):
    """What a training is going to do.

    Attributes:
        task: What is asked of the network.
        recipe: The network and how it is trained.
        notes: Lines that a person should know.
    """

    task: Task[Any]
    recipe: Recipe
    notes: list[str]


def chosen(splits: Splits, settings: Settings) -> Plan:
    """Return the task, the network and how it is trained.

    Raises:
        ValueError: When a wish does not go with the data or with another.
    """
    notes: list[str] = []
    network, trained = None, False
    task = task_for(splits.target, settings.task)
    if settings.network is not None:
        network, notes, trained = named_network(
            settings.network, splits.input_shape, task.last_layer()
        )
        check_fit(network, splits.input_shape, task)
    made = adapted(recipe(splits, task, network, settings.optimizer), settings)
    task = task.adapted(made.network)
    if settings.loss is not None:
        task = task.with_loss(settings.loss)
    if not trained:
        made.network.reset_parameters(torch.Generator().manual_seed(settings.seed))
    if settings.weights is not None:
        notes += published(made.network, settings.network, settings.weights)
    if settings.freeze is not None:
        made.network.freeze(settings.freeze)
    return Plan(task, made, notes)


def adapted(made: Recipe, settings: Settings) -> Recipe:
    """Return the recipe with the user's wishes in it."""
    asked = {name: getattr(settings, name) for name in CHOICES}
    wishes = {name: value for name, value in asked.items() if value is not None}
    if wishes.get("schedule") == NONE:
        wishes["schedule"] = None
    if settings.augment is not None:
        wishes["augment"] = augmentation_text.parse(settings.augment)
    return dataclasses.replace(made, **wishes)


def threads(settings: Settings, made: Recipe | None, splits: Splits) -> int:
    """Return the number of CPU threads, which is kept in ``run.json`` so that a run keeps it.

    Args:
        settings: The options, checked.
        made: What is trained; None for a classic network.
        splits: The data.
    """
    if isinstance(settings.threads, int):
        return settings.threads
    if made is None or choose_device(settings.device, made.network).type != "cpu":
        return torch.get_num_threads()
    batch_size = min(made.batch_size, len(splits.train))
    return choose_threads(made.network.scores(), (splits.train.inputs[:2],), batch_size)


# In run.json and back


def to_plain(task: Task[Any], made: Recipe) -> dict[str, Any]:
    """Return a recipe as plain data; the augmentation as text, which people can read."""
    augment = NONE if made.augment is None else repr(made.augment)
    plain = {name: getattr(made, name) for name in PARTS}
    return plain | {"augment": augment, "loss": task.loss.name}


def recipe_of(run: Run) -> Recipe:
    """Return the recipe that a run was begun with.

    Raises:
        ValueError: When ``run.json`` lacks a part of it.
    """
    run.require(*PARTS, *DIRECT)
    run.require(*NEEDED, may_be_null=False)
    plain = {name: run.settings[name] for name in PARTS}
    augment = augmentation_text.parse(str(plain["augment"]))
    network: Any = run.network()
    if run.settings.get("freeze") is not None:
        network.freeze(run.settings["freeze"])
    return Recipe(**plain | {"network": network, "augment": augment})


def trainer(run: Run, made: Recipe, progress: Progress) -> Trainer:
    """Return the trainer that carries a recipe out."""
    options = {name: run.settings[name] for name in DIRECT}
    # Each look costs as much as two steps: some twenty of them do.
    watch = GradientWatch(every=max(1, made.epochs // 20))
    options |= {"checkpoints": run.checkpoints, "callbacks": [watch, Identity(run)]}
    return run.task.trainer(made, **options, progress=progress)
