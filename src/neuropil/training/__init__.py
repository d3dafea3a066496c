"""Training: the trainer, losses and metrics, callbacks, checkpoints, progress."""

from typing import TYPE_CHECKING

from neuropil.lazy import load_on_use

if TYPE_CHECKING:
    from neuropil.training.callbacks import BestWeights as BestWeights
    from neuropil.training.callbacks import Callback as Callback
    from neuropil.training.callbacks import EarlyStopping as EarlyStopping
    from neuropil.training.checkpoints.checkpoint import CheckpointError as CheckpointError
    from neuropil.training.estimators.network_classifier import (
        NetworkClassifier as NetworkClassifier,
    )
    from neuropil.training.estimators.network_regressor import (
        NetworkRegressor as NetworkRegressor,
    )
    from neuropil.training.gradient_watch import GradientWatch as GradientWatch
    from neuropil.training.history import History as History
    from neuropil.training.logs.json_lines_log import JsonLinesLog as JsonLinesLog
    from neuropil.training.logs.tensorboard_log import TensorBoardLog as TensorBoardLog
    from neuropil.training.losses.auxiliary import auxiliary as auxiliary
    from neuropil.training.losses.base import Loss as Loss
    from neuropil.training.losses.class_losses import (
        binary_cross_entropy as binary_cross_entropy,
    )
    from neuropil.training.losses.class_losses import binary_hinge as binary_hinge
    from neuropil.training.losses.class_losses import cross_entropy as cross_entropy
    from neuropil.training.losses.class_losses import hinge as hinge
    from neuropil.training.losses.class_losses import kl_divergence as kl_divergence
    from neuropil.training.losses.value_losses import absolute_error as absolute_error
    from neuropil.training.losses.value_losses import huber as huber
    from neuropil.training.losses.value_losses import squared_error as squared_error
    from neuropil.training.lr_finder import LearningRates as LearningRates
    from neuropil.training.lr_finder import find_lr as find_lr
    from neuropil.training.metrics.base import Metric as Metric
    from neuropil.training.metrics.class_metrics import accuracy as accuracy
    from neuropil.training.metrics.class_metrics import balanced_accuracy as balanced_accuracy
    from neuropil.training.metrics.class_metrics import confusion_matrix as confusion_matrix
    from neuropil.training.metrics.class_metrics import f1 as f1
    from neuropil.training.metrics.class_metrics import top_k_accuracy as top_k_accuracy
    from neuropil.training.metrics.ranking_metrics import (
        average_precision as average_precision,
    )
    from neuropil.training.metrics.ranking_metrics import roc_auc as roc_auc
    from neuropil.training.metrics.value_metrics import (
        mean_absolute_error as mean_absolute_error,
    )
    from neuropil.training.metrics.value_metrics import mean_squared_error as mean_squared_error
    from neuropil.training.metrics.value_metrics import r2 as r2
    from neuropil.training.metrics.value_metrics import (
        root_mean_squared_error as root_mean_squared_error,
    )
    from neuropil.training.nonfinite import NonFiniteError as NonFiniteError
    from neuropil.training.progress import NotebookProgress as NotebookProgress
    from neuropil.training.progress import Progress as Progress
    from neuropil.training.progress import Status as Status
    from neuropil.training.progress import TextProgress as TextProgress
    from neuropil.training.trainer import Trainer as Trainer

load_on_use(__name__, __file__)
