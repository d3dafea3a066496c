"""Classification metrics: accuracies, F1, confusion matrix.

They take scores, like the classification losses. The predicted class is that of the largest
score, the first one if several tie. A single score above 0 predicts the second of two classes.
Scores that are NaN predict no class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from neuropil.checks import whole
from neuropil.training.losses.loss_targets import (
    check_batch,
    check_classes,
    shaped_as_scores,
    single_classes,
)
from neuropil.training.metrics.base import metric
from neuropil.training.metrics.statistics import (
    NO_CLASS,
    among_best,
    confusions,
    decisions,
    macro_f1,
    mean_recall,
    one_class_each,
    ratio,
    sum_and_count,
    warn_of,
)

if TYPE_CHECKING:
    from torch import Tensor


@metric(ratio, greater_is_better=True)
def accuracy(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the fraction of correct predictions.

    ``(1/N) Σ [predicted class = true class]``, over all examples and positions.

    Shape:
        Scores ``(N, K)``, or ``(N, K, …)``, with targets ``(N)`` or ``(N, …)``, or of the shape
        of the scores: one-hot or probabilities, the largest of which is the true class. A
        single score, ``(N)`` or ``(N, 1)``, with targets 0 and 1 or −1 and 1.

    Args:
        scores: The output of the network, before or after Softmax; before Sigmoid.
        targets: The true classes.
        multilabel: Whether each score is a separate binary decision, as for
            `binary_cross_entropy`; targets then have the shape of the scores, and each decision
            counts.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

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
    return sum_and_count(predicted == true)


@metric(ratio, greater_is_better=True)
def top_k_accuracy(scores: Tensor, targets: Tensor, *, k: int = 5) -> Tensor:
    """Return the fraction of examples whose true class is among the k largest scores.

    Of equal scores the first ranks higher, so k = 1 gives `accuracy`.

    Shape:
        Scores ``(N, K)``, targets ``(N)``.

    Args:
        scores: The output of the network, before or after Softmax.
        targets: The true classes, from 0 to K − 1.
        k: Number of the largest scores that count; all of them from K on.

    Raises:
        ValueError: If the shapes do not match, ``k`` is below 1, or the batch is empty.

    Reference:
        Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 115,
        2015, arXiv:1409.0575: one minus its top-5 error, for k = 5.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[5.0, 4.0, 3.0], [5.0, 4.0, 3.0]])
        >>> top_k_accuracy(scores, torch.tensor([1, 2]), k=2)
        0.5
    """
    whole(k, "top_k_accuracy: k")
    true = single_classes("top_k_accuracy", scores, targets)
    check_batch("top_k_accuracy", scores, true)
    check_classes("top_k_accuracy", true, scores.shape[1])
    warn_of(scores.isnan().any(dim=1))
    return sum_and_count(among_best(scores, true, k))


@metric(macro_f1, greater_is_better=True, short="f1_score")
def f1(scores: Tensor, targets: Tensor, *, multilabel: bool = False) -> Tensor:
    """Return the mean over classes of F1, 2 · precision · recall / (precision + recall).

    ``(1/K) Σ_k 2 TP_k / (2 TP_k + FP_k + FN_k)`` over the classes that occur or are predicted
    ("macro"): rare classes have the same weight as common ones.

    Shape:
        As for `accuracy`.

    Args:
        scores: The output of the network, before or after Softmax; before Sigmoid.
        targets: The true classes; one that neither occurs nor is predicted does not count.
        multilabel: Whether each score is a binary decision; F1 then takes only one.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

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

    ``(1/K) Σ_k TP_k / (TP_k + FN_k)`` over the classes that occur: always predicting the same
    class gives 1/K, however common it is.

    Shape:
        As for `accuracy`.

    Args:
        scores: The output of the network, before or after Softmax; before Sigmoid.
        targets: The true classes, each with the same weight.
        multilabel: Whether each score is a binary decision; several scores are refused.

    Raises:
        ValueError: If the shapes do not match, or the batch is empty.

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
    """Return the confusion matrix: the number of examples by true and predicted class.

    Shape:
        ``(K, K)`` integers: rows are the true classes, columns the predicted ones.

    Args:
        predictions: Predicted class numbers, integers ``(N)`` or ``(N, …)``; or scores, as
            `accuracy` takes them.
        targets: The true classes.
        classes: K; None is the number of scores, or the largest class number plus 1.

    Raises:
        ValueError: If the shapes do not match, or a class is not below ``classes``.

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
    return confusions(name, predicted, true, classes or known)
