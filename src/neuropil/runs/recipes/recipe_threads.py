"""The number of CPU threads for a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.training.threads import choose_threads

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe


def recipe_threads(made: Recipe, splits: Splits) -> int:
    """Return the number of CPU threads for a training step of a recipe; see `choose_threads`.

    Args:
        made: The recipe.
        splits: The data.
    """
    batch_size = min(made.batch_size, len(splits.train))
    network = made.network
    some = splits.train.fetch([0] * min(2, batch_size)).inputs_for(len(network.input_shapes))
    inputs = some if isinstance(some, tuple) else (some,)
    return choose_threads(network.scores(), inputs, batch_size)
