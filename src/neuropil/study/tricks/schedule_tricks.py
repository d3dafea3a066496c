"""Tricks: other learning-rate schedules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.core.name_lookup import normalize_name
from neuropil.study.tricks.trick import RecipeChange, Trick, on_recipes
from neuropil.training.loop.closure_step import takes_all

if TYPE_CHECKING:
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task

TABLE = "LR-policy"


def schedule(name: str | None) -> RecipeChange:
    """Return the change to a schedule, from the same highest rate.

    Args:
        name: Its name, as in a recipe; None for a constant rate.
    """

    def change(recipe: Recipe, _: Task[Any]) -> Recipe | str:
        if recipe.lr is None or takes_all(optim.by_name(recipe.optimizer)):
            return f"{recipe.optimizer} has no learning rate to schedule"
        if plain(recipe.schedule) == plain(name):
            return "the learning rate follows that schedule already"
        return replace(recipe, schedule=name)

    return change


def plain(name: str | None) -> str | None:
    """Return the name of a schedule in one form: ``"linear_decay"`` is ``"linear"``."""
    return name and normalize_name(name.removesuffix("_decay"))


GROUP = "schedule"
SCHEDULE_TRICKS = (
    Trick(
        "linear_decay",
        "Linear decay of the learning rate",
        GROUP,
        on_recipes(schedule("linear")),
        2.2,
        (TABLE, "Poly lr, p=1.0, linear"),
    ),
    Trick(
        "cosine_decay",
        "Cosine decay of the learning rate",
        GROUP,
        on_recipes(schedule("cosine")),
    ),
    Trick(
        "one_cycle",
        "One cycle of the learning rate",
        GROUP,
        on_recipes(schedule("one_cycle")),
    ),
    Trick(
        "polynomial_decay",
        "Quadratic decay of the learning rate",
        GROUP,
        on_recipes(schedule("polynomial")),
        1.2,
        (TABLE, "Poly lr, p=2.0, sqr"),
    ),
    Trick(
        "step_decay",
        "Learning rate divided by ten in steps",
        GROUP,
        on_recipes(schedule("step")),
        0.0,
        (TABLE, "Step 100K"),
    ),
    Trick(
        "exponential_decay",
        "Exponential decay of the learning rate",
        GROUP,
        on_recipes(schedule("exponential")),
        -3.0,
        (TABLE, "Exp, 0.035"),
    ),
    Trick("constant_rate", "A constant learning rate", GROUP, on_recipes(schedule(None))),
)
