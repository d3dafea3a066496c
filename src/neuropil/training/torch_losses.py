"""Torch's own losses: what they take, and how they give one value per example."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from neuropil.training.targets import like_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.training.loss import Predicts
    from neuropil.training.views import Takes

Definition: TypeAlias = "tuple[Takes, Predicts]"

TAKES = ("scores", "values", "log_probabilities")
OF_CLASSES: Definition = ("scores", "class")
OF_DECISIONS: Definition = ("scores", "binary")
OF_LOGARITHMS: Definition = ("log_probabilities", "class")
OF_PROBABILITIES: Definition = ("values", "binary")
OF_VALUES: Definition = ("values", "value")
# Every other function is one of values.
KNOWN: list[tuple[Any, Any, Definition]] = [
    (nn.CrossEntropyLoss, F.cross_entropy, OF_CLASSES),
    (nn.MultiMarginLoss, F.multi_margin_loss, OF_CLASSES),
    (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, OF_DECISIONS),
    (nn.SoftMarginLoss, F.soft_margin_loss, OF_DECISIONS),
    (nn.MultiLabelSoftMarginLoss, F.multilabel_soft_margin_loss, OF_DECISIONS),
    (nn.MultiLabelMarginLoss, F.multilabel_margin_loss, OF_DECISIONS),
    (nn.BCELoss, F.binary_cross_entropy, OF_PROBABILITIES),
    (nn.NLLLoss, F.nll_loss, OF_LOGARITHMS),
    (nn.KLDivLoss, F.kl_div, OF_LOGARITHMS),
]
# These would broadcast targets of another shape: (N, 1) against (N) gives (N, N).
BY_ELEMENT = (
    nn.MSELoss,
    nn.L1Loss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
    nn.SoftMarginLoss,
    nn.PoissonNLLLoss,
    nn.KLDivLoss,
)
# Their mean is over the weights of the examples, or leaves some out.
OVER_WEIGHTS = (nn.CrossEntropyLoss, nn.NLLLoss)


def definition_of(function: Any) -> Definition:
    """Return what a function of outputs and targets takes, and what it predicts.

    Args:
        function: One of torch's losses, or a user's, which may say it by an attribute `takes`.

    Raises:
        ValueError: When that attribute is something else.
    """
    while isinstance(function, functools.partial):
        function = function.func
    takes, predicts = next(
        (own for kind, plain, own in KNOWN if function is plain or isinstance(function, kind)),
        OF_VALUES,
    )
    takes = getattr(function, "takes", takes)
    if takes not in TAKES:
        raise ValueError(f"what a function takes is one of {', '.join(TAKES)}, got {takes!r}.")
    return takes, predicts


def one_value_each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives one value per example where torch's loss gives their mean.

    Args:
        function: A torch loss; others are returned as they are.

    Raises:
        ValueError: When its mean is another one than that of the examples' values.
    """
    given: Any = function
    own = isinstance(function, nn.Module) and type(function).__module__.startswith("torch.nn.")
    if not own or getattr(function, "reduction", "sum") == "sum":
        return function
    name = type(function).__name__
    if isinstance(function, OVER_WEIGHTS) and given.reduction == "mean":
        check_mean(name, function)
    each = copy.copy(given)
    each.reduction = "none"
    adds = given.reduction == "batchmean"

    def values(outputs: Any, targets: Any) -> Tensor:
        if isinstance(given, BY_ELEMENT):
            outputs, targets = like_scores(name, outputs, targets)
        found = each(outputs, targets)
        if found.dim() < 2:
            return found
        found = found.flatten(1)
        return found.sum(1) if adds else found.mean(1)

    return values


def check_mean(name: str, loss: Any) -> None:
    """Refuse a mean that is not that of the examples' values.

    Raises:
        ValueError: When examples weigh differently, or some are left out.
    """
    if loss.weight is not None or loss.ignore_index >= 0:
        raise ValueError(
            f"{name} with weight or ignore_index divides by the weights in each batch, so its "
            f"mean depends on how the examples are cut: give class_weight=… to the trainer."
        )
