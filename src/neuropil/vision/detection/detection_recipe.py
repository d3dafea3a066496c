"""Good defaults for the training of a detector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuropil.datasets.augmentation import ColorJitter, Compose, RandomFlip, RandomZoom
from neuropil.runs.recipes.default_recipes import cost_of_epoch

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about nine minutes on one processor core.
BUDGET = 1.8e13
# Steps after which more of them hardly help.
MOST_STEPS = 3000
BATCH = 4
# Brightness around a picture whose background has no one brightness: 0 is black, 1 white.
GREY = 0.45


def detection_recipe(made: Recipe, splits: Splits, *, batch_size: int = BATCH) -> Recipe:
    """Return the recipe of a picture task as it suits boxes.

    Small batches make many steps of few pictures; pictures are zoomed, and, if they have
    colours, flipped and recoloured: grey ones are often of writing, whose sides mean something.

    Args:
        made: The recipe, with its network.
        splits: The data.
        batch_size: Number of pictures per step.
    """
    steps = -(-len(splits.train) // batch_size)
    affordable = round(BUDGET / cost_of_epoch(splits, made.network))
    epochs = max(1, min(affordable, MOST_STEPS // steps or 1))
    # The averaged weights are those of the last few hundredths of the training.
    horizon = max(1.0, 0.02 * epochs * steps)
    preparation: Any = splits.preparation
    low, high = preparation.low, preparation.high
    brightness = GREY if preparation.background is None else preparation.background
    fill = round(low + brightness * (high - low), 2)
    zoom = RandomZoom((0.75, 1.33), ratio=(0.8, 1.25), fill=fill)
    colored = splits.input_shape[0] == 3
    own = [RandomFlip(), ColorJitter(0.2, 0.3, 0.2)] if colored else []
    return replace(
        made,
        optimizer="adamw",
        lr=2e-3,
        weight_decay=0.02,
        schedule="one_cycle",
        epochs=epochs,
        batch_size=batch_size,
        augment=Compose(zoom, *own),
        ema=round(1 - 1 / (1 + horizon), 4),
    )
