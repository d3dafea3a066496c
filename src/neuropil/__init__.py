"""Neuropil: the neural-network cheat sheet as working software.

Compose networks with ``>>``, see their shapes, cost and receptive field before anything runs,
train them, and measure which tricks help on your own data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil import (
        analysis,
        architectures,
        classic,
        datasets,
        init,
        layers,
        optim,
        plots,
        report,
        runs,
        training,
    )
    from neuropil.core import Layer, Network, ShapeError, join, parallel, repeat
    from neuropil.training import NetworkClassifier, NetworkRegressor, Trainer

__version__ = "0.1.0"

# Where each public name lives. Nothing is imported before it is used: `import neuropil` takes
# milliseconds, and PyTorch alone more than a second.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.core": ("Layer", "Network", "ShapeError", "join", "parallel", "repeat"),
        "neuropil.training": ("NetworkClassifier", "NetworkRegressor", "Trainer"),
    },
    (
        "analysis",
        "architectures",
        "classic",
        "datasets",
        "init",
        "layers",
        "optim",
        "plots",
        "report",
        "runs",
        "training",
    ),
)

__all__ = [
    "Layer",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "ShapeError",
    "Trainer",
    "analysis",
    "architectures",
    "classic",
    "datasets",
    "init",
    "join",
    "layers",
    "optim",
    "parallel",
    "plots",
    "repeat",
    "report",
    "runs",
    "training",
]
