"""Good defaults for the training of a detector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from neuropil.datasets.augmentation import ColorJitter, Compose, RandomFlip, RandomZoom
from neuropil.vision.located_recipe import fill_around, length_of_training

if TYPE_CHECKING:
    from neuropil.datasets import Splits
    from neuropil.runs.recipes.recipe import Recipe

# Multiply–adds of a default training: about nine minutes on one processor core.
BUDGET = 1.8e13
# Steps after which more of them hardly help.
MOST_STEPS = 3000
BATCH = 4


def detection_recipe(
    made: Recipe, splits: Splits, *, batch_size: int = BATCH, freeze: str | None = None
) -> Recipe:
    """Return the recipe of a picture task as it suits boxes.

    Small batches make many steps of few pictures; pictures are zoomed, and, if they have
    colours, flipped and recoloured: grey ones are often of writing, whose sides mean something.

    Args:
        made: The recipe, with its network.
        splits: The data.
        batch_size: Number of pictures per step.
        freeze: Name of the last layer whose weights stay as they are.
    """
    zoom = RandomZoom((0.75, 1.33), ratio=(0.8, 1.25), fill=fill_around(splits))
    colored = splits.input_shape[0] == 3
    own = [RandomFlip(), ColorJitter(0.2, 0.3, 0.2)] if colored else []
    return replace(
        made,
        optimizer="adamw",
        lr=2e-3,
        weight_decay=0.02,
        schedule="one_cycle",
        augment=Compose(zoom, *own),
        freeze=freeze,
        **length_of_training(
            splits,
            made.network,
            batch_size,
            budget=BUDGET,
            most_steps=MOST_STEPS,
            freeze=freeze,
        ),
    )
