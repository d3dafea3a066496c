"""Choice of the training step."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch.nn.parallel import DistributedDataParallel

from neuropil.training.loop.closure_step import ClosureUpdate, needs
from neuropil.training.loop.update import GradientUpdate, Parts, Update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.training.loop.learner import Learner
    from neuropil.training.losses.weighted_loss import Objective
    from neuropil.training.metrics.base import Metric
    from neuropil.training.trainer_options import Options


def build_update(
    options: Options, learner: Learner, objective: Objective, metrics: Sequence[Metric]
) -> Update:
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
