"""Training: the trainer, losses and metrics, callbacks, checkpoints, progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily
from neuropil.training.callbacks import BestWeights, Callback, EarlyStopping
from neuropil.training.checkpoints.checkpoint import CheckpointError
from neuropil.training.gradient_watch import GradientWatch
from neuropil.training.history import History
from neuropil.training.losses.auxiliary import auxiliary
from neuropil.training.losses.losses import (
    absolute_error,
    binary_cross_entropy,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    squared_error,
)
from neuropil.training.lr_finder import LearningRates, find_lr
from neuropil.training.metrics.metrics import accuracy
from neuropil.training.nonfinite import NonFiniteError
from neuropil.training.progress import Progress, Status, TextProgress
from neuropil.training.trainer import Trainer

if TYPE_CHECKING:
    from neuropil.training.estimators.network_classifier import NetworkClassifier
    from neuropil.training.estimators.network_regressor import NetworkRegressor

# They need scikit-learn, which not every training does.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.training.estimators.network_classifier": ("NetworkClassifier",),
        "neuropil.training.estimators.network_regressor": ("NetworkRegressor",),
    },
)

__all__ = [
    "BestWeights",
    "Callback",
    "CheckpointError",
    "EarlyStopping",
    "GradientWatch",
    "History",
    "LearningRates",
    "NetworkClassifier",
    "NetworkRegressor",
    "NonFiniteError",
    "Progress",
    "Status",
    "TextProgress",
    "Trainer",
    "absolute_error",
    "accuracy",
    "auxiliary",
    "binary_cross_entropy",
    "cross_entropy",
    "find_lr",
    "hinge",
    "huber",
    "kl_divergence",
    "squared_error",
]
