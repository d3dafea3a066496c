"""Good defaults for the training of landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.datasets.augmentation import Compose, RandomAffine, RandomFlip
from neuropil.vision.located_recipe import fill_around, length_of_training

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about three minutes on one processor core.
BUDGET = 5.0e12
# Steps after which more of them hardly help.
MOST_STEPS = 3000
BATCH = 16


def landmark_recipe(made: Recipe, splits: Splits) -> Recipe:
    """Return the recipe of a picture task as it suits points.

    Pictures are turned, zoomed and shifted, and mirrored if the points tell left from right.

    Args:
        made: The recipe, with its network.
        splits: The data.
    """
    target: Any = splits.target
    # Larger changes need more epochs than the budget allows: they were worse on faces.
    affine = RandomAffine(8, scale=(0.92, 1.08), shift=0.06, fill=fill_around(splits))
    return replace(
        made,
        optimizer="adamw",
        lr=4e-3,
        weight_decay=0.01,
        schedule="one_cycle",
        augment=Compose(affine, RandomFlip()) if target.pairs else affine,
        **length_of_training(splits, made.network, BATCH, budget=BUDGET, most_steps=MOST_STEPS),
    )
