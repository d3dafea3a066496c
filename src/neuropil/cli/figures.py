"""How good a network is on a part of the data, in the target's own units."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table
    from torch import Tensor

    from neuropil.core import Network
    from neuropil.datasets import Dataset, Target
    from neuropil.training.classic_model import ClassicModel
    from neuropil.training.losses import Loss

Figures = dict[str, float | None]
SHORT = {"root_mean_squared_error": "RMSE", "mean_absolute_error": "MAE", "r2": "R²"}


def measured(
    network: Network | ClassicModel, data: Dataset, target: Target, loss: Loss
) -> Figures:
    """Return the loss and what a person wants to know beside it.

    Args:
        network: The network, on any device.
        data: Examples with their targets, numbers in their own units.
        target: What the network gives.
        loss: What was minimised.

    Raises:
        ValueError: When the examples have no targets.
    """
    from neuropil.training import metrics

    if data.targets is None:
        raise ValueError("these examples have no targets, so nothing can be measured on them.")
    scores = network.scores().predict(data.inputs).cpu().float()
    wanted = loss.prepare(target.standardize(data.targets), scores[:2])
    figures: Figures = {"loss": float(loss.mean(scores, wanted))}
    if target.classes is not None:
        scores = two_columns(scores.flatten(1))
        names, truth = ("accuracy", "balanced_accuracy", "f1"), data.targets
    else:
        scores = target.restore(scores.flatten(1))
        names = ("r2", "root_mean_squared_error", "mean_absolute_error")
        truth = data.targets.reshape(scores.shape)
    return figures | {name: metrics.resolve(name)(scores, truth) for name in names}


def two_columns(scores: Tensor) -> Tensor:
    """Return scores with a column per class: σ(s) is the second of softmax(0, s)."""
    import torch

    return torch.cat([torch.zeros_like(scores), scores], 1) if scores.shape[1] == 1 else scores


def table(figures: Mapping[str, Figures]) -> Table:
    """Return figures as a table, a part a row."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    columns = list(dict.fromkeys(name for part in figures.values() for name in part))
    columns.sort(key=lambda name: name == "loss")
    result = Table(box=SIMPLE_HEAD, pad_edge=False)
    result.add_column("")
    for name in columns:
        result.add_column(readable(name), justify="right")
    for part, values in figures.items():
        style = "bold" if part == "test" else ""
        result.add_row(part, *(shown(values.get(name)) for name in columns), style=style)
    return result


def readable(name: str) -> str:
    """Return a metric's name for people."""
    return SHORT.get(name, name.replace("_", " "))


def shown(value: float | None) -> str:
    """Return a figure with the digits that matter."""
    if value is None:
        return "–"
    if abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.3g}"
