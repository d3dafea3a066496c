"""Conversion of torch's losses to functions with one value per example."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from neuropil.training.losses.loss_targets import like_scores

if TYPE_CHECKING:
    from collections.abc import Callable


# These broadcast targets of another shape: (N, 1) and (N) give (N, N).
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
# Their mean divides by the weights of the examples, or ignores some examples.
OVER_WEIGHTS = (nn.CrossEntropyLoss, nn.NLLLoss)


def one_value_each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with one value per example for a torch loss that returns their mean.

    Args:
        function: A torch loss; other functions are returned unchanged.

    Raises:
        ValueError: If its mean is not the mean of the values of the examples.
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
    """Refuse a mean that is not the mean of the values of the examples.

    Raises:
        ValueError: If examples have different weights, or some are ignored.
    """
    if loss.weight is not None or loss.ignore_index >= 0:
        raise ValueError(
            f"{name} with weight or ignore_index divides by the weights in each batch, so its "
            f"mean depends on the batches: pass class_weight=… to the trainer instead."
        )
