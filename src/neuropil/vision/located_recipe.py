"""Parts of the recipes of tasks with places in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.runs.recipes.default_recipes import cost_of_epoch

if TYPE_CHECKING:
    from neuropil.core import Network
    from neuropil.datasets import Splits

# Brightness around a picture whose background has no one brightness: 0 is black, 1 white.
GREY = 0.45


def length_of_training(
    splits: Splits,
    network: Network,
    batch_size: int,
    *,
    budget: float,
    most_steps: int,
    freeze: str | None = None,
) -> dict[str, Any]:
    """Return the epochs of a training, and the decay of its averaged weights.

    Args:
        splits: The data.
        network: The network.
        batch_size: Number of pictures per step.
        budget: Most multiply–adds.
        most_steps: Steps after which more of them hardly help.
        freeze: Name of the last layer whose weights stay as they are.
    """
    steps = -(-len(splits.train) // batch_size)
    affordable = round(budget / cost_of_epoch(splits, network, freeze))
    epochs = max(1, min(affordable, most_steps // steps or 1))
    # The averaged weights are those of the last few hundredths of the training.
    horizon = max(1.0, 0.02 * epochs * steps)
    return {"epochs": epochs, "batch_size": batch_size, "ema": round(1 - 1 / (1 + horizon), 4)}


def fill_around(splits: Splits) -> float:
    """Return the value for what lies outside a picture that is moved."""
    preparation: Any = splits.preparation
    low, high = preparation.low, preparation.high
    brightness = GREY if preparation.background is None else preparation.background
    return round(low + brightness * (high - low), 2)
