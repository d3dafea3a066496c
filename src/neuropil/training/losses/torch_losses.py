"""Torch's own losses: what they take, and how they give one value per example."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from neuropil.training.losses.loss_targets import like_scores

if TYPE_CHECKING:
    from collections.abc import Callable


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
