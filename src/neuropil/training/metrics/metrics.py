"""Registry of metrics, and conversion of a user's argument to a metric."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import nn

from neuropil.core.name_lookup import look_up
from neuropil.training.losses import losses
from neuropil.training.metrics import class_metrics, ranking_metrics, value_metrics
from neuropil.training.metrics.base import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.losses.base import Loss

# Metrics of a training, in order or by name.
Metrics: TypeAlias = (
    "Sequence[str | Callable[..., Any]] | Mapping[str, str | Callable[..., Any]]"
)
# Other columns of a training's history.
COLUMNS = ("epoch", "steps", "loss", "lr", "seconds")
METRICS = Metric.defined_in(class_metrics, ranking_metrics, value_metrics)
SHORT = {each.short: each for each in METRICS.values() if each.short}


def by_name(name: str) -> Metric:
    """Return the metric of a name.

    Args:
        name: A name such as "accuracy" or "mse"; case and underscores do not matter.

    Raises:
        ValueError: If the name is unknown; the message suggests the nearest one.

    Example:
        >>> by_name("rmse")
        root_mean_squared_error
    """
    return look_up(name, METRICS | SHORT, "metric")


def resolve(wanted: str | Callable[..., Any], loss: Loss | None = None) -> Metric:
    """Return the `Metric` for a user's argument.

    Args:
        wanted: A name, a metric, a partial of one that sets options, or any function of outputs
            and targets. If it returns one value per example, the mean is taken; if it returns a
            single number, it is called at the end with all examples. It takes the values that
            `predict` returns, unless it has an attribute ``takes = "scores"``.
        loss: The loss of the training; `binary_cross_entropy` makes each score a separate
            binary decision.

    Raises:
        ValueError: If the name is unknown, or the partial sets an unknown option.
        TypeError: If it is neither a name nor a function.

    Example:
        >>> from functools import partial
        >>> from neuropil.training import top_k_accuracy
        >>> resolve(partial(top_k_accuracy, k=3))
        top_k_accuracy(k=3)
    """
    if isinstance(wanted, str):
        wanted = by_name(wanted)
    found = Metric.of(losses.resolve(wanted) if isinstance(wanted, nn.Module) else wanted)
    decides = loss is not None and loss.predicts == "binary" and found.source is None
    if not decides or "multilabel" not in found.__signature__.parameters:
        return found
    labels = found.with_options(functools.partial(found, multilabel=True))
    labels.name = found.name
    return labels


def resolve_all(wanted: Metrics, loss: Any) -> list[Metric]:
    """Return the metrics for a user's arguments, and check the loss if there is one.

    Args:
        wanted: Names, metrics or functions, see `resolve`; or a dict of them by name.
        loss: The loss of the training, or None.

    Raises:
        ValueError: If two metrics have the same name, or one has that of another column of the
            history, such as "loss".
    """
    known = None if loss is None else losses.resolve(loss).judge
    if isinstance(wanted, Mapping):
        found = [resolve(one, known).with_name(name) for name, one in wanted.items()]
    else:
        found = [resolve(one, known) for one in wanted]
    names = [*COLUMNS, *(metric.name for metric in found)]
    if taken := [name for name in names if names.count(name) > 1]:
        raise ValueError(
            f"metrics: {taken[0]!r} names two figures: give other names, such as "
            f"metrics={{'other': {taken[0]!r}}}."
        )
    return found
