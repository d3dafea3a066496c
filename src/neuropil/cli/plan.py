"""The plan of a training: the user's options, and defaults for the rest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from neuropil.architectures.default_networks import LINEAR_PATH
from neuropil.architectures.published.recognition import recognise
from neuropil.cli import augmentation_text
from neuropil.cli.network_argument import load_published, named_network
from neuropil.cli.settings import NONE, Settings
from neuropil.cli.train_options import flag
from neuropil.runs.augmentation_fit import check_augmentation
from neuropil.runs.network_fit import check_fit
from neuropil.runs.recipes.default_recipes import recipe
from neuropil.runs.recipes.linear_start import linear_model_of
from neuropil.runs.recipes.recipe import Recipe
from neuropil.runs.recipes.recipe_choice import MOST_ROWS, candidates, choose
from neuropil.runs.recipes.recipe_threads import recipe_threads
from neuropil.runs.run_identity import Identity
from neuropil.runs.tasks import task_for
from neuropil.training import Callback, GradientWatch
from neuropil.training.parallel.device_choice import choose_device
from neuropil.training.processes import join_processes

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.run_folder import Run
    from neuropil.runs.task import Task
    from neuropil.training import Trainer
    from neuropil.training.progress import Progress

# Options that replace the choices of the recipe.
CHOICES = (
    *("optimizer", "lr", "batch_size", "epochs", "schedule", "patience", "keep_best"),
    "freeze",
)
# Options that set the training, so that no recipe is chosen by trials.
SET = ("optimizer", "lr", "epochs", "schedule", "patience", "keep_best")
# Settings that are passed to the trainer unchanged.
DIRECT = ("class_weight", "seed", "device", "threads")
# Parts of a recipe that must not be null.
NEEDED = ("optimizer", "batch_size", "epochs")
# All parts of a recipe but the network.
PARTS = tuple(field.name for field in dataclasses.fields(Recipe) if field.name != "network")


class Plan(NamedTuple):
    """The plan of a training.

    Attributes:
        task: The task of the network.
        recipe: The network and its training settings.
        notes: Notes for the user.
        trained: Whether the weights of the network are not only drawn from the seed.
    """

    task: Task[Any]
    recipe: Recipe
    notes: list[str]
    trained: bool


class Prepared(NamedTuple):
    """The plan of a training, with the data and the settings that it is for.

    Attributes:
        splits: The data.
        settings: The settings.
        plan: The plan.
    """

    splits: Splits
    settings: Settings
    plan: Plan


def make_plan(splits: Splits, settings: Settings) -> Plan:
    """Return the task, the network and its training settings.

    Raises:
        ValueError: When an option does not fit the data or another option.
    """
    check_validation(splits, settings)
    settings, found = with_network_of_weights(settings)
    notes: list[str] = []
    network, trained = None, False
    task = task_for(splits.target, settings.task, splits.train.targets)
    if settings.class_weight is not None and not task.weighs_classes:
        raise ValueError(f"--class-weight is not for {task.name}: leave it out.")
    if settings.network is not None:
        network, notes, trained = named_network(settings.network, splits.input_shape, task)
        check_fit(network, splits.input_shape, task, masked=splits.preparation.pads)
    if settings.weights is not None:
        task = task.adapt_to_weights()
    made = apply_options(recipe(splits, task, network, settings.optimizer), settings)
    task = task.adapt_to(made.network)
    if settings.loss is not None:
        task = task.with_loss(settings.loss)
    if settings.augment is not None and splits.train.targets is not None:
        some = task.encode(splits.train.targets[:2])
        check_augmentation(made, splits.input_shape, some, task)
    if not trained:
        made = start(made, splits, task, settings)
    notes += load_and_freeze(made, task, settings)
    # The default network of a table has the weights of a linear model.
    known = trained or settings.weights is not None or settings.network is None
    return Plan(task, made, [*found, *task.notes(), *notes], known)


def with_network_of_weights(settings: Settings) -> tuple[Settings, list[str]]:
    """Return settings with the architecture of the weights if none is given, and a note."""
    if settings.network is not None or settings.weights is None:
        return settings, []
    name = recognise(settings.weights)
    if name is None:
        return settings, []
    note = f"{settings.weights} has the names of {name}: as with --network {name}."
    return dataclasses.replace(settings, network=name), [note]


def check_validation(splits: Splits, settings: Settings) -> None:
    """Refuse options that need validation examples if there are none.

    Raises:
        ValueError: If there are none.
    """
    for name in ("patience", "keep_best"):
        if getattr(settings, name) and splits.validation is None:
            raise ValueError(f"{flag(name)} needs validation examples, and there are none.")


def start(made: Recipe, splits: Splits, task: Task[Any], settings: Settings) -> Recipe:
    """Return the recipe, for a table the best of several, with the initial weights."""
    linear = None
    if settings.network is None and LINEAR_PATH in made.network.layers:
        linear = linear_model_of(splits.train, task, class_weight=settings.class_weight)
        if is_open(splits, settings):
            made = choose_recipe(made, splits, task, settings, linear.penalty)
    made.network.reset_parameters(torch.Generator().manual_seed(settings.seed))
    if linear is not None:
        linear.start(made.network)
    return made


def load_and_freeze(made: Recipe, task: Task[Any], settings: Settings) -> list[str]:
    """Load published weights, freeze the layers that keep theirs, and return notes."""
    notes: list[str] = []
    if settings.weights is not None:
        part, name = task.published_part(made.network, settings.network)
        notes += load_published(part, name, settings.weights)
    if made.freeze is not None:
        made.network.freeze(made.freeze)
        notes.append(f"The weights up to {made.freeze} are frozen.")
    return notes


def is_open(splits: Splits, settings: Settings) -> bool:
    """Return whether trials choose the recipe: for a table, unless the user has set it."""
    free = all(getattr(settings, name) is None for name in ("network", *SET))
    return free and len(splits.input_shape) != 3 and len(splits.train) <= MOST_ROWS


def choose_recipe(
    made: Recipe, splits: Splits, task: Task[Any], settings: Settings, penalty: float
) -> Recipe:
    """Return the best recipe for a table."""
    return choose(
        candidates(made, splits, task),
        splits,
        task,
        seed=settings.seed,
        penalty=penalty,
        class_weight=settings.class_weight,
        grouped=settings.split_by is not None,
    )


def apply_options(made: Recipe, settings: Settings) -> Recipe:
    """Return the recipe with the user's options in place of its choices."""
    asked = {name: getattr(settings, name) for name in CHOICES}
    options = {name: value for name, value in asked.items() if value is not None}
    options |= {name: None for name in ("schedule", "freeze") if options.get(name) == NONE}
    if settings.patience is not None and settings.keep_best is None:
        options["keep_best"] = True
    if settings.augment is not None:
        options["augment"] = augmentation_text.parse(settings.augment)
    return dataclasses.replace(made, **options)


def threads(settings: Settings, made: Recipe | None, splits: Splits) -> int:
    """Return the number of CPU threads; ``run.json`` stores it for a resumed run.

    Args:
        settings: The checked options.
        made: The recipe; None for a classic network.
        splits: The data.
    """
    if isinstance(settings.threads, int):
        return settings.threads
    if made is None or choose_device(settings.device, made.network).type != "cpu":
        return torch.get_num_threads()
    return recipe_threads(made, splits)


def is_sharded(run: Run) -> bool:
    """Return whether the weights of a run are sharded now; one process has them whole."""
    return bool(run.settings.get("shard")) and join_processes().count > 1


def without_weights(made: Recipe) -> Recipe:
    """Return a recipe whose network is on the meta device, to be drawn or read when sharded."""
    from neuropil.training.parallel.sharded_network import blueprint_of

    network: Any = blueprint_of(made.network)
    return dataclasses.replace(made, network=network)


# In run.json and back


def to_plain(task: Task[Any], made: Recipe) -> dict[str, Any]:
    """Return a recipe as plain data, with the augmentation as text."""
    augment = NONE if made.augment is None else repr(made.augment)
    plain = {name: getattr(made, name) for name in PARTS}
    return plain | {"augment": augment, "loss": task.loss.name}


def recipe_of(run: Run) -> Recipe:
    """Return the recipe of a run.

    Raises:
        ValueError: When ``run.json`` lacks a part of it.
    """
    run.require(*PARTS, *DIRECT)
    run.require(*NEEDED, may_be_null=False)
    plain = {name: run.settings[name] for name in PARTS}
    augment = augmentation_text.parse(str(plain["augment"]))
    network: Any = run.network()
    if plain["freeze"] is not None:
        network.freeze(plain["freeze"])
    return Recipe(**plain | {"network": network, "augment": augment})


def trainer(run: Run, made: Recipe, progress: Progress) -> Trainer:
    """Return the trainer for a recipe."""
    options = {name: run.settings[name] for name in DIRECT}
    callbacks: list[Callback] = [Identity(run)]
    options |= {"checkpoints": run.checkpoints, "shard": is_sharded(run)}
    if not options["shard"]:  # of sharded weights no process has the gradients
        # Each measurement costs as much as two steps: about twenty are enough.
        callbacks.insert(0, GradientWatch(every=max(1, made.epochs // 20)))
    options["callbacks"] = callbacks
    return run.task.trainer(made, **options, progress=progress)
