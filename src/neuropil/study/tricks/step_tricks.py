"""Tricks: other steps of the training, by batch size, optimiser and weight decay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.runs.recipes.default_recipes import default_rates
from neuropil.study.tricks.trick import RecipeChange, Trick, on_recipes
from neuropil.training.loop.closure_step import takes_all

if TYPE_CHECKING:
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task

TABLE = "Batch size, ReLU"
SOLVERS = "Solvers"
# BatchNorm needs two examples.
LEAST_BATCH = 2


def batches(factor: float, *, proportional: bool) -> RecipeChange:
    """Return the change of the batch size, and of the learning rate if proportional."""

    def change(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        if takes_all(optim.by_name(recipe.optimizer)):
            return f"{recipe.optimizer} takes all examples in every step"
        size = max(LEAST_BATCH, round(recipe.batch_size * factor))
        if size == recipe.batch_size:
            return f"batches of {size} examples are the smallest"
        lr = recipe.lr
        if proportional and lr is not None:
            lr = optim.scale_lr(lr, size, recipe.batch_size)
        return replace(recipe, batch_size=size, lr=lr)

    return change


def optimizer(name: str) -> RecipeChange:
    """Return the change to an optimiser with its default learning rate and weight decay."""

    def change(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        if takes_all(optim.by_name(recipe.optimizer)):
            return f"{recipe.optimizer} takes all examples in every step"
        new = replace(recipe, optimizer=name, **default_rates(name))
        if kind(name) == kind(recipe.optimizer):
            return f"the optimiser is {recipe.optimizer} already"
        return new

    return change


def kind(name: str) -> Any:
    """Return the class of an optimiser and its options by its name."""
    made: Any = optim.by_name(name)
    return getattr(made, "func", made), getattr(made, "keywords", {})


def decay(factor: float) -> RecipeChange:
    """Return the change of the weight decay by a factor."""

    def change(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        if not recipe.weight_decay:
            return "the optimiser has no weight decay"
        return replace(recipe, weight_decay=factor * recipe.weight_decay)

    return change


def optimizer_trick(
    name: str, words: str, made: str, published: float | None = None, row: str = ""
) -> Trick:
    """Return the trick of an optimiser.

    Args:
        name: Name of the trick.
        words: The optimiser in words.
        made: Its name in a recipe.
        published: As for `Trick`.
        row: The variant of the table, if any.
    """
    change = on_recipes(optimizer(made))
    return Trick(name, words, "optimiser", change, published, (SOLVERS, row) if row else None)


OPTIMIZER_TRICKS = (
    optimizer_trick("adamw", "AdamW", "adamw"),
    optimizer_trick("adam", "Adam", "adam"),
    optimizer_trick(
        "momentum", "Gradient descent with momentum", "momentum", 0.0, "SGD with momentum"
    ),
    optimizer_trick(
        "nesterov", "Nesterov momentum", "momentum(nesterov=True)", 0.2, "Nesterov"
    ),
    optimizer_trick("rmsprop", "RMSProp", "rms_prop"),
    optimizer_trick("sgd", "Gradient descent without momentum", "sgd"),
)
DECAY_TRICKS = (
    Trick(
        "more_weight_decay",
        "Ten times the weight decay",
        "regularisation",
        on_recipes(decay(10.0)),
    ),
    Trick(
        "less_weight_decay",
        "A tenth of the weight decay",
        "regularisation",
        on_recipes(decay(0.1)),
    ),
    Trick("no_weight_decay", "No weight decay", "regularisation", on_recipes(decay(0.0))),
)
BATCH_TRICKS = (
    Trick(
        "quarter_batch_and_rate",
        "A quarter of the batch size and of the learning rate",
        "batch size",
        on_recipes(batches(1 / 4, proportional=True)),
        0.4,
        (TABLE, "BS=64, 1/4 lr"),
    ),
    Trick(
        "quarter_batch",
        "A quarter of the batch size at the same learning rate",
        "batch size",
        on_recipes(batches(1 / 4, proportional=False)),
        0.0,
        (TABLE, "BS=64"),
    ),
    Trick(
        "fourfold_batch_and_rate",
        "Four times the batch size and the learning rate",
        "batch size",
        on_recipes(batches(4.0, proportional=True)),
        -0.6,
        (TABLE, "BS=1024, 4xlr"),
    ),
    Trick(
        "fourfold_batch",
        "Four times the batch size at the same learning rate",
        "batch size",
        on_recipes(batches(4.0, proportional=False)),
        -5.2,
        (TABLE, "BS=1024"),
    ),
)
