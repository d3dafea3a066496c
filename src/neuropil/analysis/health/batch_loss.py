"""The loss of a batch: by default, or from a function of log-probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from torch import Tensor

from neuropil.core.loss_kinds import definition_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.core.loss_kinds import Takes


def takes_of(loss: Callable[..., Any] | None, targets: Tensor) -> Takes:
    """Return the kind of outputs a loss takes: scores, log-probabilities or values."""
    if loss is not None:
        return definition_of(loss)[0]
    return "values" if targets.is_floating_point() or targets.is_complex() else "scores"


def from_log_probabilities(loss: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a loss of log-probabilities as a function of scores, classes on axis 1 or last."""
    return lambda scores, targets: loss(
        scores.log_softmax(1 if scores.ndim > 2 else -1), targets
    )


def default_loss(outputs: Any, targets: Tensor) -> Tensor:
    """Return the cross entropy for integer targets, the squared error for others.

    Raises:
        ValueError: When the network has several outputs, or the targets do not fit its output.
    """
    if not isinstance(outputs, Tensor):
        raise ValueError(
            f"gradient_health: the network returns a {type(outputs).__name__} instead of a "
            f"tensor: pass loss=, a function of it and the targets."
        )
    if targets.is_floating_point() or targets.is_complex():
        if targets.numel() != outputs.numel():
            raise ValueError(misfit_message(outputs, targets))
        difference = outputs - targets.reshape(outputs.shape)
        return difference.abs().square() if difference.is_complex() else difference.square()
    if outputs.numel() == targets.numel():
        wanted = targets.reshape(outputs.shape).to(outputs)
        return F.binary_cross_entropy_with_logits(outputs, wanted)
    if targets.shape == (len(outputs), *outputs.shape[2:]):
        return F.cross_entropy(outputs, targets.long())
    if targets.shape == outputs.shape[:-1]:  # a sequence with its classes last
        return F.cross_entropy(outputs.flatten(0, -2), targets.flatten().long())
    raise ValueError(misfit_message(outputs, targets))


def misfit_message(outputs: Tensor, targets: Tensor) -> str:
    """Return the error message for targets that do not fit the outputs."""
    return (
        f"gradient_health: targets of shape {tuple(targets.shape)} do not fit outputs of "
        f"shape {tuple(outputs.shape)}: pass loss= with a function that compares them."
    )
