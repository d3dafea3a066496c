"""Training: the trainer, losses and metrics, callbacks, checkpoints, progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily
from neuropil.training.callbacks import BestWeights, Callback, EarlyStopping
from neuropil.training.checkpoints.checkpoint import CheckpointError
from neuropil.training.gradient_watch import GradientWatch
from neuropil.training.history import History
from neuropil.training.losses.auxiliary import auxiliary
from neuropil.training.losses.base import Loss
from neuropil.training.losses.class_losses import (
    binary_cross_entropy,
    cross_entropy,
    hinge,
    kl_divergence,
)
from neuropil.training.losses.value_losses import absolute_error, huber, squared_error
from neuropil.training.lr_finder import LearningRates, find_lr
from neuropil.training.metrics.base import Metric
from neuropil.training.metrics.class_metrics import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    f1,
    roc_auc,
    top_k_accuracy,
)
from neuropil.training.metrics.value_metrics import (
    mean_absolute_error,
    mean_squared_error,
    r2,
    root_mean_squared_error,
)
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
    "Loss",
    "Metric",
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
    "balanced_accuracy",
    "binary_cross_entropy",
    "confusion_matrix",
    "cross_entropy",
    "f1",
    "find_lr",
    "hinge",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "r2",
    "roc_auc",
    "root_mean_squared_error",
    "squared_error",
    "top_k_accuracy",
]
