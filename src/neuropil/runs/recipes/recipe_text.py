"""A recipe in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil import optim
from neuropil.training.loop.closure_step import takes_all

if TYPE_CHECKING:
    from neuropil.runs.recipes.recipe import Recipe
    from neuropil.runs.task import Task


def recipe_text(made: Recipe, task: Task[Any], examples: int) -> str:
    """Return the training settings of a recipe in one line.

    Args:
        made: The recipe.
        task: The task of its network.
        examples: The number of training examples.
    """
    epochs = f"{made.epochs} epoch{'s' * (made.epochs > 1)}"
    rate = "" if made.lr is None else f", lr {made.lr:g}"
    parts = [
        f"at most {epochs} of all {made.batch_size:,} examples at once"
        if takes_all(optim.by_name(made.optimizer)) and made.batch_size >= examples
        else f"{epochs} of batches of {made.batch_size}",
        made.optimizer + rate + (f" {made.schedule}" if made.schedule else ""),
        task.loss.name,
    ]
    if made.augment is not None:
        parts.append(repr(made.augment))
    return ", ".join(parts)
