"""Metrics: figures of merit that are merged over batches.

Those of classes take scores, as the losses of classes do: the predicted class is that of the
largest score, the first of equal ones; a single score predicts the second of two classes where
it is above 0; scores that are NaN predict no class. Those of numbers take the values that a
network gives.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch
from torch import nn

from neuropil.core.name_lookup import look_up
from neuropil.training.losses import losses
from neuropil.training.losses.loss_targets import (
    check_batch,
    check_classes,
    shaped_as_scores,
    single_classes,
)
from neuropil.training.metrics.base import Metric, metric
from neuropil.training.metrics.statistics import (
    NO_CLASS,
    among_best,
    confusions,
    counted,
    decisions,
    determination,
    differences,
    macro_f1,
    mean_recall,
    merged_sums,
    one_class_each,
    ratio,
    regression_sums,
    root_ratio,
    warn_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from torch import Tensor

    from neuropil.training.losses.base import Loss


@metric(ratio, greater_is_better=True)
def accuracy(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return which part of the predictions is right.

    ``(1/N) Σ [predicted class = true class]``; with positions, over all of them.

    Shape:
        Scores ``(N, K)``, or ``(N, K, …)``, with targets ``(N)`` or ``(N, …)``, or shaped as
        the scores: one-hot or probabilities, the largest of which is the true class. A single
        score, ``(N)`` or ``(N, 1)``, with targets 0 and 1 or −1 and 1.

    Args:
        scores: What the network gives, before or after Softmax; before Sigmoid.
        targets: The true classes.
        multilabel: Whether each score is a yes or no of its own, as for `binary_cross_entropy`;
            targets are shaped as the scores then, and each one counts.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        Sokolova and Lapalme, "A systematic analysis of performance measures for classification
        tasks", Information Processing & Management 45 (2009).

    Example:
        >>> import torch
        >>> scores = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 3.0, 0.0]])
        >>> round(accuracy(scores, torch.tensor([0, 1, 1])), 4)
        0.6667
        >>> accuracy(torch.tensor([-1.0, 2.0]), torch.tensor([0, 1]))
        1.0
    """
    predicted, true, _ = decisions("accuracy", scores, targets, multilabel=multilabel)
    return counted(predicted == true)


@metric(ratio, greater_is_better=True)
def top_k_accuracy(scores: Tensor, targets: Tensor, *, k: int = 5) -> Tensor:
    """Return the fraction of examples whose true class is among the k best scores.

    Of equal scores the first is the better one, as in `accuracy`, which this is for k = 1.

    Shape:
        Scores ``(N, K)``, targets ``(N)``.

    Args:
        scores: What the network gives, before or after Softmax.
        targets: The true classes, from 0 to K − 1.
        k: How many of the best scores count; with K or more, all do.

    Raises:
        ValueError: If the shapes do not fit, ``k`` is below 1, or there are no examples.

    Reference:
        Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 115,
        2015, arXiv:1409.0575: one minus its top-5 error, for k = 5.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[5.0, 4.0, 3.0], [5.0, 4.0, 3.0]])
        >>> top_k_accuracy(scores, torch.tensor([1, 2]), k=2)
        0.5
    """
    if not k >= 1:
        raise ValueError(f"top_k_accuracy: `k` must be at least 1, got {k!r}.")
    true = single_classes("top_k_accuracy", scores, targets)
    check_batch("top_k_accuracy", scores, true)
    check_classes("top_k_accuracy", true, scores.shape[1])
    warn_of(scores.isnan().any(dim=1))
    return counted(among_best(scores, true, k))


@metric(ratio, greater_is_better=False, takes="values")
def mean_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of ``(s − t)²`` over all outputs of all examples.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        Willmott and Matsuura, "Advantages of the mean absolute error (MAE) over the root mean
        square error (RMSE)", Climate Research 30 (2005).

    Example:
        >>> import torch
        >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        2.0
    """
    return counted(differences("mean_squared_error", scores, targets).square())


@metric(root_ratio, greater_is_better=False, takes="values")
def root_mean_squared_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the root of the mean of ``(s − t)²`` over all outputs: in the targets' units.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Example:
        >>> import torch
        >>> root_mean_squared_error(torch.tensor([3.0, 3.0]), torch.tensor([0.0, 6.0]))
        3.0
    """
    return counted(differences("root_mean_squared_error", scores, targets).square())


@metric(ratio, greater_is_better=False, takes="values")
def mean_absolute_error(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of ``|s − t|`` over all outputs of all examples.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        Willmott and Matsuura, "Advantages of the mean absolute error (MAE) over the root mean
        square error (RMSE)", Climate Research 30 (2005).

    Example:
        >>> import torch
        >>> mean_absolute_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        1.0
    """
    return counted(differences("mean_absolute_error", scores, targets).abs())


@metric(determination, greater_is_better=True, takes="values", merged=merged_sums)
def r2(scores: Tensor, targets: Tensor) -> Tensor:
    """Return R², the part of the targets' variance that is explained.

    ``1 − Σ (s − t)² / Σ (t − t̄)²``: 1 is perfect, 0 is no better than always saying the mean.
    For several outputs it is the mean of theirs.

    Shape:
        Scores and targets ``(N, …)`` alike, where an axis of length 1 may be left out.

    Args:
        scores: What the network gives.
        targets: What it should give.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        Kvålseth, "Cautionary note about R²", The American Statistician 39 (1985): the first of
        its eight definitions.

    Example:
        >>> import torch
        >>> r2(torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
        0.8
    """
    return regression_sums("r2", scores, targets)


@metric(macro_f1, greater_is_better=True)
def f1(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the mean over classes of F1, 2 · precision · recall / (precision + recall).

    ``(1/K) Σ_k 2 TP_k / (2 TP_k + FP_k + FN_k)`` over the classes that are there or are
    predicted ("macro"): rare classes weigh as much as common ones.

    Shape:
        As for `accuracy`.

    Args:
        scores: What the network gives, before or after Softmax; before Sigmoid.
        targets: The true classes.
        multilabel: Whether each score is a yes or no of its own: refused for several scores.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        van Rijsbergen, "Information Retrieval", second edition, 1979, chapter 7; the mean of F1
        over classes, not F1 of the mean precision and recall: Opitz and Burst, "Macro F1 and
        Macro F1", arXiv:1911.03347.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> round(f1(scores, torch.tensor([0, 0, 1, 1])), 4)  # (4/5 + 2/3) / 2
        0.7333
    """
    return one_class_each("f1", scores, targets, multilabel=multilabel)


@metric(mean_recall, greater_is_better=True)
def balanced_accuracy(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the mean over classes of the accuracy within each class.

    ``(1/K) Σ_k TP_k / (TP_k + FN_k)`` over the classes that are there: always saying the most
    common one gives 1/K, however common it is.

    Shape:
        As for `accuracy`.

    Args:
        scores: What the network gives, before or after Softmax; before Sigmoid.
        targets: The true classes.
        multilabel: Whether each score is a yes or no of its own: refused for several scores.

    Raises:
        ValueError: If the shapes do not fit, or there are no examples.

    Reference:
        Brodersen, Ong, Stephan and Buhmann, "The balanced accuracy and its posterior
        distribution", ICPR 2010.

    Example:
        >>> import torch
        >>> balanced_accuracy(torch.tensor([-1.0, -1.0, -1.0, 1.0]), torch.tensor([0, 0, 1, 1]))
        0.75
    """
    return one_class_each("balanced_accuracy", scores, targets, multilabel=multilabel)


def confusion_matrix(
    predictions: Tensor, targets: Tensor, classes: int | None = None
) -> Tensor:
    """Count how often each class was taken for each.

    Shape:
        ``(K, K)`` integers: rows are the true classes, columns the predicted ones.

    Args:
        predictions: Predicted class numbers, integers ``(N)`` or ``(N, …)``; or scores, as
            `accuracy` takes them.
        targets: The true classes.
        classes: K; as many as there are scores, or as the numbers need, if None.

    Raises:
        ValueError: If the shapes do not fit, or a class is not below ``classes``.

    Example:
        >>> import torch
        >>> confusion_matrix(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]))
        tensor([[1, 1],
                [0, 2]])
    """
    name = "confusion_matrix"
    if predictions.is_floating_point():
        predicted, true, known = decisions(name, predictions, targets, multilabel=False)
        if bad := int((predicted == NO_CLASS).sum()):
            raise ValueError(f"{name}: {bad} of {len(predicted)} predictions have NaN scores.")
    else:
        true = shaped_as_scores(name, predictions, targets)
        check_batch(name, predictions, true)
        predicted, true = predictions.long().flatten(), true.long().flatten()
        known = 1 + int(torch.maximum(predicted, true).max()) if true.numel() else 1
    return confusions(name, predicted, true, known if classes is None else classes)


METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        accuracy,
        top_k_accuracy,
        mean_squared_error,
        root_mean_squared_error,
        mean_absolute_error,
        r2,
        f1,
        balanced_accuracy,
    )
}
OF_CLASSES = (accuracy, f1, balanced_accuracy)
SHORT = {
    "mse": mean_squared_error,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2_score": r2,
    "f1_score": f1,
}


def by_name(name: str) -> Metric:
    """Return the metric of that name.

    Args:
        name: Such as "accuracy", or "mse"; case and underscores do not matter.

    Raises:
        ValueError: If there is none; the nearest name is suggested.

    Example:
        >>> by_name("rmse")
        root_mean_squared_error
    """
    return look_up(name, METRICS | SHORT, "metric")


def resolve(wanted: str | Callable[..., Any], loss: Loss | None = None) -> Metric:
    """Return a `Metric` for whatever a user gives.

    Args:
        wanted: A name, a metric, a partial of one that sets options, or any function of outputs
            and targets that gives one value per example: the mean is taken. It sees what
            `predict` gives, unless it has an attribute ``takes = "scores"``.
        loss: What is trained with: `binary_cross_entropy` makes each score a decision of its
            own.

    Raises:
        ValueError: If there is no metric of that name, or the partial sets no option of it.
        TypeError: If it is nothing of the kind.

    Example:
        >>> from functools import partial
        >>> resolve(partial(top_k_accuracy, k=3))
        top_k_accuracy(k=3)
    """
    if isinstance(wanted, str):
        wanted = by_name(wanted)
    if not callable(wanted):
        raise TypeError(
            f"a metric is a name or a function of outputs and targets, got {wanted!r}."
        )
    made = Metric.resolved(losses.resolve(wanted) if isinstance(wanted, nn.Module) else wanted)
    if loss is None or loss.predicts != "binary" or made not in OF_CLASSES:
        return made
    labels = made.with_options(functools.partial(made, multilabel=True))
    labels.name = made.name
    return labels
