"""The inputs of losses and metrics: a network's scores, or the values from `predict`."""

from __future__ import annotations

import functools
from typing import Any, Literal, TypeAlias

import torch.nn.functional as F
from torch import nn

Takes: TypeAlias = Literal["scores", "values", "log_probabilities"]
Predicts: TypeAlias = Literal["class", "binary", "value"]
Definition: TypeAlias = "tuple[Takes, Predicts]"

TAKES = ("scores", "values", "log_probabilities")
OF_CLASSES: Definition = ("scores", "class")
OF_DECISIONS: Definition = ("scores", "binary")
OF_DISTANCES: Definition = ("scores", "value")
OF_LOGARITHMS: Definition = ("log_probabilities", "class")
OF_PROBABILITIES: Definition = ("values", "binary")
OF_VALUES: Definition = ("values", "value")
# Torch's losses of outputs and targets: the class, the function, and what they take.
KNOWN: list[tuple[Any, Any, Definition]] = [
    (nn.CrossEntropyLoss, F.cross_entropy, OF_CLASSES),
    (nn.MultiMarginLoss, F.multi_margin_loss, OF_CLASSES),
    (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, OF_DECISIONS),
    (nn.SoftMarginLoss, F.soft_margin_loss, OF_DECISIONS),
    (nn.MultiLabelSoftMarginLoss, F.multilabel_soft_margin_loss, OF_DECISIONS),
    (nn.MultiLabelMarginLoss, F.multilabel_margin_loss, OF_DECISIONS),
    (nn.HingeEmbeddingLoss, F.hinge_embedding_loss, OF_DISTANCES),
    (nn.BCELoss, F.binary_cross_entropy, OF_PROBABILITIES),
    (nn.NLLLoss, F.nll_loss, OF_LOGARITHMS),
    (nn.KLDivLoss, F.kl_div, OF_LOGARITHMS),
    (nn.MSELoss, F.mse_loss, OF_VALUES),
    (nn.L1Loss, F.l1_loss, OF_VALUES),
    (nn.SmoothL1Loss, F.smooth_l1_loss, OF_VALUES),
    (nn.HuberLoss, F.huber_loss, OF_VALUES),
    (nn.PoissonNLLLoss, F.poisson_nll_loss, OF_VALUES),
]


def definition_of(function: Any) -> Definition:
    """Return the kind of inputs of a function of outputs and targets, and of its predictions.

    Args:
        function: One of torch's losses, or a user's function, which takes values unless it has
            an attribute `takes`.

    Raises:
        ValueError: When that attribute has an unknown value.
    """
    while isinstance(function, functools.partial):
        function = function.func
    takes, predicts = next(
        (own for kind, plain, own in KNOWN if function is plain or isinstance(function, kind)),
        OF_VALUES,
    )
    takes = getattr(function, "takes", takes)
    if takes not in TAKES:
        raise ValueError(
            f"`takes` of a function must be one of {', '.join(TAKES)}, got {takes!r}."
        )
    return takes, predicts
