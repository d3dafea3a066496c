"""Good defaults for the training of a segmentation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from neuropil.datasets.augmentation import ColorJitter, Compose, RandomAffine, RandomFlip
from neuropil.vision.located_recipe import fill_around, length_of_training

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about eleven minutes on one processor core.
BUDGET = 2.6e13
# Steps after which more of them hardly help.
MOST_STEPS = 6000
BATCH = 8


def segmentation_recipe(made: Recipe, splits: Splits) -> Recipe:
    """Return the recipe of a picture task as it suits masks.

    Args:
        made: The recipe, with its network.
        splits: The data.
    """
    return replace(
        made,
        optimizer="adamw",
        lr=2e-3,
        weight_decay=0.02,
        schedule="one_cycle",
        augment=Compose(
            RandomFlip(),
            RandomFlip(axis=-2),
            RandomAffine(30, scale=(0.75, 1.33), shift=0.1, fill=fill_around(splits)),
            ColorJitter(0.2, 0.3, 0.2),
        ),
        **length_of_training(splits, made.network, BATCH, budget=BUDGET, most_steps=MOST_STEPS),
    )
