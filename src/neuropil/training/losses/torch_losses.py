"""Torch's losses, with their options, weights and reductions."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import Any, final

import torch
from torch import Tensor, nn
from typing_extensions import override

from neuropil.core.loss_kinds import KNOWN
from neuropil.training.losses.base import Custom
from neuropil.training.losses.loss_kernels import align
from neuropil.training.losses.loss_targets import (
    check_classes,
    class_targets,
    like_scores,
    single_classes,
)
from neuropil.training.named_function import name_of

# These broadcast targets of another shape: (N, 1) and (N) give (N, N).
BY_ELEMENT = (
    nn.MSELoss,
    nn.L1Loss,
    nn.SmoothL1Loss,
    nn.HuberLoss,
    nn.BCELoss,
    nn.BCEWithLogitsLoss,
    nn.SoftMarginLoss,
    nn.MultiLabelSoftMarginLoss,
    nn.HingeEmbeddingLoss,
    nn.PoissonNLLLoss,
    nn.KLDivLoss,
)
# Their mean divides by the weights of the classes, and ignores one class.
OVER_WEIGHTS = (nn.CrossEntropyLoss, nn.NLLLoss)


@final
class TorchLoss(Custom):
    """One of torch's losses, with the value that torch gives for each batch.

    The mean over a data set equals torch's mean over all its examples, also with class weights
    or an ignored class, whose means over batches are weighted alike. With ``reduction="sum"``
    the sum over a batch is minimised, and the mean is reported. Batches that are accumulated,
    or shared by several processes, have the gradient of torch's mean over all of them, and one
    without weight has the loss 0.

    Args:
        given: A module of `torch.nn`, or a function of `torch.nn.functional`, perhaps in a
            `functools.partial` that sets its options.

    Raises:
        ValueError: If the loss takes more than outputs and targets.

    Example:
        >>> weighted = TorchLoss(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0])))
        >>> weighted.mean(torch.zeros(2, 2), torch.tensor([0, 1]))
        tensor(0.6931)
        >>> weighted.takes
        'scores'
    """

    def __init__(self, given: Any) -> None:
        self.module = as_module(given)
        check_arguments(self.module)
        super().__init__(self.module)
        self.source, self.name = given, name_of(given)
        self.function = self.value_of_each
        self.reduction: str = self.module.reduction
        self.adds = self.reduction == "sum"
        self.options = [name for name in ("weight", "pos_weight") if self.option(name)]
        self.divides = self.reduction == "mean" and isinstance(self.module, OVER_WEIGHTS)
        # False once all targets are known and count alike: to count them in every batch takes
        # as long as the loss.
        self.uneven: bool | None = None

    @classmethod
    @override
    def of_function(cls, function: Any) -> TorchLoss:
        return cls(function)

    def option(self, name: str) -> bool:
        """Return whether an option is set to a tensor."""
        return getattr(self.module, name, None) is not None

    @override
    def mean_of_values(self, scores: Any, targets: Any, **options: Any) -> Tensor:
        scores, targets = self.fit(scores, targets)
        counted = self.weights_in_mean(targets)
        if counted is not None:
            # Torch's mean is NaN for a batch without weight, such as one of ignored targets.
            total = counted.sum() * (targets.numel() / len(targets))
            return self.reduced("sum")(scores, targets) / total.where(total > 0, 1.0)
        value = self.module(scores, targets, **options)
        return value.mean() if self.reduction == "none" else value

    def value_of_each(self, scores: Any, targets: Any) -> Tensor:
        """Return one value per example: the mean over its outputs, or the sum for batchmean."""
        scores, targets = self.fit(scores, targets)
        values = self.reduced("none")(scores, targets)
        if values.dim() < 2:
            return values
        values = values.flatten(1)
        return values.sum(1) if self.reduction == "batchmean" else values.mean(1)

    def reduced(self, reduction: str) -> Any:
        """Return the loss with another reduction."""
        other = copy.copy(self.module)
        other.reduction = reduction
        return other

    @override
    def weights_in_mean(self, targets: Any) -> Tensor | None:
        if not self.divides or self.uneven is False or targets.is_floating_point():
            return None
        counted = targets != self.module.ignore_index
        weight = self.module.weight
        weights = counted.float() if weight is None else weight[targets * counted] * counted
        return weights.flatten(1).mean(1) if weights.dim() > 1 else weights

    @override
    def prepare(self, targets: Tensor, scores: Any) -> Tensor:
        if isinstance(self.module, BY_ELEMENT):
            return like_scores(self.name, scores, targets)[1]
        if isinstance(self.module, nn.MultiMarginLoss):
            targets = single_classes(self.name, scores, targets)
            check_classes(self.name, targets, scores.shape[1])
        if not isinstance(self.module, OVER_WEIGHTS):
            return targets
        targets, classes = class_targets(self.name, scores, targets), scores.shape[1]
        weight = self.module.weight
        if weight is not None and weight.shape != (classes,):
            raise ValueError(
                f"{self.name}: weight needs one number for each of the {classes} classes, got "
                f"{tuple(weight.shape)}."
            )
        if not targets.is_floating_point():
            counted = targets[targets != self.module.ignore_index]
            check_classes(self.name, counted, classes)
            ignores = len(counted) < targets.numel()
            self.uneven = bool(self.uneven) or ignores or weight is not None
        return targets

    def fit(self, scores: Any, targets: Any) -> tuple[Any, Any]:
        """Return scores and targets as torch takes them, and move the weights to them."""
        if self.options and scores.dtype in (torch.bfloat16, torch.float16):
            scores = scores.float()  # torch takes the weights in the type of the scores only
        for name in self.options:
            weight = getattr(self.module, name)
            dtype = torch.float64 if scores.dtype is torch.float64 else torch.float32
            if weight.device != scores.device or weight.dtype != dtype:
                self.module = copy.deepcopy(self.module)
                self.module.register_buffer(name, weight.to(scores.device, dtype))
        if isinstance(self.module, BY_ELEMENT):
            return align(self.name, scores, targets)
        plain = targets.dtype is torch.int64 and targets.dim() == scores.dim() - 1
        if plain or isinstance(self.module, nn.MultiLabelMarginLoss):
            return scores, targets
        return scores, class_targets(self.name, scores, targets)


def as_module(given: Any) -> Any:
    """Return the torch loss for one of torch's functions with options; others unchanged.

    Example:
        >>> from torch.nn import functional as F
        >>> as_module(functools.partial(F.huber_loss, delta=2.0))
        HuberLoss()
    """
    function, options = given, {}
    while isinstance(function, functools.partial) and not function.args:
        function, options = function.func, function.keywords | options
    kind = next((kind for kind, own, _ in KNOWN if function is own), None)
    if kind is None or not set(options) <= set(inspect.signature(kind).parameters):
        return given
    return kind(**options)


def is_from_torch(loss: Any) -> bool:
    """Return whether a module is one of torch's own losses."""
    return isinstance(loss, nn.Module) and type(loss).__module__ == "torch.nn.modules.loss"


def check_arguments(loss: nn.Module) -> None:
    """Refuse a loss of torch that takes more than outputs and targets.

    Raises:
        ValueError: If it does, or has weights that must be trained.
    """
    if isinstance(loss, tuple(kind for kind, _, _ in KNOWN)):
        return
    taken = ", ".join(inspect.signature(loss.forward).parameters)
    own = "hidden values" if any(True for _ in loss.parameters()) else taken
    raise ValueError(
        f"{type(loss).__name__} takes {own}, and the loss of a trainer takes outputs and "
        f"targets: pass a function of outputs and targets that calls it, or a custom step."
    )
