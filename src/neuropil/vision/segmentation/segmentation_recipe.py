"""Good defaults for the training of a segmentation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.datasets.augmentation import ColorJitter, Compose, RandomAffine, RandomFlip
from neuropil.runs.recipes.default_recipes import cost_of_epoch
from neuropil.vision.detection.detection_recipe import GREY

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about ten minutes on one processor core.
BUDGET = 2.0e13
# Steps after which more of them hardly help.
MOST_STEPS = 6000
BATCH = 8


def segmentation_recipe(made: Recipe, splits: Splits) -> Recipe:
    """Return the recipe of a picture task as it suits masks.

    Args:
        made: The recipe, with its network.
        splits: The data.
    """
    steps = -(-len(splits.train) // BATCH)
    affordable = round(BUDGET / cost_of_epoch(splits, made.network))
    epochs = max(1, min(affordable, MOST_STEPS // steps or 1))
    # The averaged weights are those of the last few hundredths of the training.
    horizon = max(1.0, 0.02 * epochs * steps)
    preparation: Any = splits.preparation
    low, high = preparation.low, preparation.high
    brightness = GREY if preparation.background is None else preparation.background
    fill = round(low + brightness * (high - low), 2)
    return replace(
        made,
        optimizer="adamw",
        lr=2e-3,
        weight_decay=0.02,
        schedule="one_cycle",
        epochs=epochs,
        batch_size=BATCH,
        augment=Compose(
            RandomFlip(),
            RandomFlip(axis=-2),
            RandomAffine(30, scale=(0.75, 1.33), shift=0.1, fill=fill),
            ColorJitter(0.2, 0.3, 0.2),
        ),
        ema=round(1 - 1 / (1 + horizon), 4),
    )
