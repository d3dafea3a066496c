"""Good defaults for the training of landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.datasets.augmentation import Compose, RandomAffine, RandomFlip
from neuropil.runs.recipes.default_recipes import cost_of_epoch

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about two minutes on one processor core.
BUDGET = 4.0e12
# Steps after which more of them hardly help.
MOST_STEPS = 3000
BATCH = 16
# Brightness around a picture whose background has no one brightness: 0 is black, 1 white.
GREY = 0.45


def landmark_recipe(made: Recipe, splits: Splits) -> Recipe:
    """Return the recipe of a picture task as it suits points.

    Pictures are turned, zoomed and shifted, and mirrored if the points tell left from right.

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
    target: Any = splits.target
    affine = RandomAffine(15, scale=(0.85, 1.15), shift=0.05, fill=fill)
    return replace(
        made,
        optimizer="adamw",
        lr=4e-3,
        weight_decay=0.01,
        schedule="one_cycle",
        epochs=epochs,
        batch_size=BATCH,
        augment=Compose(affine, RandomFlip()) if target.pairs else affine,
        ema=round(1 - 1 / (1 + horizon), 4),
    )
