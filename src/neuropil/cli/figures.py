"""How good a network is on a part of the data, in the target's own units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table
    from torch import Tensor

    from neuropil.core import Network
    from neuropil.datasets import Dataset, Target
    from neuropil.runs.classic_model import ClassicModel
    from neuropil.training.losses.losses import Loss

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
    import torch

    from neuropil.training.metrics import metrics

    if data.targets is None:
        raise ValueError("these examples have no targets, so nothing can be measured on them.")
    # A classification's loss and figures are of scores, a regression's of values.
    answers = network if loss.takes == "values" else network.scores()
    outputs = answers.predict(data.inputs).cpu()
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    wanted = loss.prepare(target.standardize(data.targets), outputs[:2])
    figures: dict[str, float] = {"loss": float(loss.mean(outputs, wanted))}
    if target.classes is not None:
        outputs = two_columns(outputs.flatten(1))
        names, truth = ("accuracy", "balanced_accuracy", "f1"), data.targets
    else:
        outputs = target.restore(outputs.double().flatten(1))
        warn_of_endless(outputs)
        names = ("r2", "root_mean_squared_error", "mean_absolute_error")
        truth = data.targets.reshape(outputs.shape)
    figures |= {name: metrics.resolve(name)(outputs, truth) for name in names}
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def warn_of_endless(outputs: Tensor) -> None:
    """Say for how many examples a network gives NaN or infinity, so that there is no figure."""
    import warnings

    count = int((~outputs.isfinite().all(dim=1)).sum())
    if count:
        warnings.warn(
            f"the network gives NaN or infinity for {count:,} of {len(outputs):,} examples.",
            stacklevel=2,
        )


def usual_share(data: Dataset) -> float:
    """Return the share of the most frequent class, 0 for numbers."""
    if data.targets is None or data.targets.is_floating_point() or not len(data.targets):
        return 0.0
    return float(data.targets.flatten().bincount().max()) / data.targets.numel()


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
