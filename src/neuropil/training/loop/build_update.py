"""Choice of the training step."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.parallel import DistributedDataParallel

from neuropil.training.loop.closure_step import ClosureUpdate, needs
from neuropil.training.loop.update import GradientUpdate, Parts, evaluation_of
from neuropil.training.losses.second_softmax import watching_first_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.score_views import Views
    from neuropil.training.losses.weighted_loss import Objective
    from neuropil.training.metrics.base import Metric
    from neuropil.training.trainer_options import Options


def build_update(
    options: Options, learner: Learner, objective: Objective, metrics: Sequence[Metric]
) -> GradientUpdate | ClosureUpdate:
    """Return the step that minimises an objective with the learner's optimiser.

    Args:
        options: The options of the trainer.
        learner: The learner.
        objective: The objective.
        metrics: The metrics to measure during training.
    """
    parts = Parts(options, learner)
    parts.metrics, parts.main = tuple(metrics), objective.loss.main
    parts.adds = objective.loss.adds
    parts.mixes = options.augment is not None and objective.loss.predicts == "class"
    (optimizer,) = learner.optimizers.values()
    network, apart = learner.scores, nullcontext
    if learner.sharded is not None:
        apart = learner.sharded.unsynchronized
    else:
        network = learner.processes.wrap(network)
        if isinstance(network, DistributedDataParallel):
            apart = network.no_sync
    forward = torch.compile(network) if options.compile else network
    if needs(optimizer) == "gradient":
        return GradientUpdate(parts, forward, objective, optimizer, apart)
    return ClosureUpdate(parts, learner.module, forward, objective, optimizer)


def watch_first_batch(update: GradientUpdate | ClosureUpdate, views: Views) -> None:
    """Make a step watch its first batch for a loss that gets probabilities for scores.

    Args:
        update: The step.
        views: The conversions from scores to the inputs of losses.
    """
    objective = update.objective
    removes = objective.loss.takes == "values" and views.of("values") is not None

    def evaluate(forward: Callable[..., Any]) -> Callable[..., Any]:
        return evaluation_of(forward, objective)

    update.evaluate = update.parts.autocast(
        watching_first_call(evaluate, update.forward, objective.loss, removes=removes)
    )
