"""What a training is going to do: the user's wishes, and good defaults for the rest."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from neuropil import optim
from neuropil.cli import augmentation_text
from neuropil.cli.network_argument import named_network, published
from neuropil.cli.run_data import flag, image_size, then
from neuropil.cli.suggestions import elsewhere
from neuropil.optim import schedules
from neuropil.runs.recipe import Recipe
from neuropil.runs.recipes import recipe
from neuropil.runs.run_identity import Identity
from neuropil.runs.tasks import check_fit, task_for
from neuropil.training import GradientWatch
from neuropil.training.loop.closure_step import check_lr
from neuropil.training.losses import losses
from neuropil.training.processes import choose_device
from neuropil.training.threads import choose_threads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from neuropil.datasets import Splits
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task
    from neuropil.training import Trainer
    from neuropil.training.progress import Progress

# Given by the user, these replace what the recipe would choose.
CHOICES = ("optimizer", "lr", "batch_size", "epochs", "schedule")
NONE = "none"
# Settings that the trainer takes as they are.
DIRECT = ("class_weight", "seed", "device", "threads")
# What no training goes without.
NEEDED = ("optimizer", "batch_size", "epochs")
# What a recipe says beside its network.
PARTS = tuple(field.name for field in dataclasses.fields(Recipe) if field.name != "network")


def checked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as plain data, after all checks that need no data.

    Raises:
        ValueError: When one is out of its range or unknown.
    """
    lr = asked["lr"]
    if lr is not None and not 0 < lr < math.inf:
        raise ValueError(f"--lr must be a number above 0, got {lr:g}.")
    check_names(asked)
    if asked["optimizer"] is not None:
        check_lr(asked["optimizer"], optim.by_name(asked["optimizer"]), lr)
    for name in ("epochs", "batch_size"):
        if asked[name] is not None and asked[name] < 1:
            raise ValueError(f"{flag(name)} must be at least 1, got {asked[name]}.")
    if not 0 <= asked["seed"] < 2**63:
        raise ValueError(f"--seed must be a whole number from 0, got {asked['seed']}.")
    path: Path | None = asked["data"]
    return {
        **{name: asked[name] for name in asked if name not in ("out", "quiet")},
        "data": None if path is None else os.path.realpath(path),
        "image_size": image_size(asked["image_size"]),
        "then": then(asked["then"]),
        "class_weight": class_weight(asked["class_weight"]),
        "threads": thread_count(asked["threads"]),
    }


def check_names(asked: Mapping[str, Any]) -> None:
    """Refuse a name that is unknown, and say which option takes it.

    Raises:
        ValueError: When there is one.
    """
    for name, look_up in (
        ("optimizer", optim.by_name),
        ("schedule", schedules.by_name),
        ("loss", losses.by_name),
        ("augment", augmentation_text.parse),
    ):
        if asked[name] in (None, NONE):
            continue
        try:
            look_up(asked[name])
        except ValueError as error:
            raise ValueError(f"{error}{elsewhere(asked[name], flag(name))}") from None


def class_weight(text: str | None) -> str | list[float] | None:
    """Return ``"balanced"``, a number per class, or None.

    Raises:
        ValueError: When it is none of these.
    """
    if text is None or text == "balanced":
        return text
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--class-weight is 'balanced' or one number per class, as 1,2.5,1; got {text!r}."
        ) from None


def thread_count(text: str) -> str | int:
    """Return ``"auto"`` or a number.

    Raises:
        ValueError: When it is neither.
    """
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--threads must be 'auto' or an integer of at least 1, got {text!r}.")
    return int(text)


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


def chosen(splits: Splits, settings: Mapping[str, Any]) -> Plan:
    """Return the task, the network and how it is trained.

    Raises:
        ValueError: When a wish does not go with the data or with another.
    """
    notes: list[str] = []
    network, trained = None, False
    task = task_for(splits.target, settings["task"])
    if settings["network"] is not None:
        network, notes, trained = named_network(
            settings["network"], splits.input_shape, task.last_layer()
        )
        check_fit(network, splits.input_shape, task)
    made = adapted(recipe(splits, task, network, settings["optimizer"]), settings)
    task = task.adapted(made.network)
    if settings["loss"] is not None:
        task = task.with_loss(settings["loss"])
    if not trained:
        made.network.reset_parameters(torch.Generator().manual_seed(settings["seed"]))
    if settings["weights"] is not None:
        notes += published(made.network, settings["network"], settings["weights"])
    if settings["freeze"] is not None:
        made.network.freeze(settings["freeze"])
    return Plan(task, made, notes)


def adapted(made: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe with the user's wishes in it."""
    wishes = {name: settings[name] for name in CHOICES if settings[name] is not None}
    if wishes.get("schedule") == NONE:
        wishes["schedule"] = None
    if settings["augment"] is not None:
        wishes["augment"] = augmentation_text.parse(settings["augment"])
    return dataclasses.replace(made, **wishes)


def threads(settings: Mapping[str, Any], made: Recipe | None, splits: Splits) -> int:
    """Return the number of CPU threads, which is kept in ``run.json`` so that a run keeps it.

    Args:
        settings: The options, checked.
        made: What is trained; None for a classic network.
        splits: The data.
    """
    if settings["threads"] != "auto":
        return settings["threads"]
    if made is None or choose_device(settings["device"], made.network).type != "cpu":
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
