"""The step that a trainer's options ask for."""

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


def build_parts(options: Options, learner: Learner) -> Parts:
    """Return what every kind of step is made of."""
    wanted = options.regularizer
    bound = None if wanted is None else wanted.bind(learner.module)
    penalty = bound if bound is not None and bound.penalizes else None
    return Parts(
        parameters=learner.parameters,
        processes=learner.processes,
        device=learner.device,
        augment=options.augment,
        generator=learner.randomness.augmentation,
        penalty=None if penalty is None else penalty.penalty,
        root=penalty.root if penalty is not None and penalty.squares else None,
        project=bound.project if bound is not None and bound.projects else None,
        clip_norm=options.clip_norm,
        scaler=learner.scaler,
        autocast=options.autocast(learner.device),
        accumulate=options.accumulate,
    )


def build_update(
    options: Options, learner: Learner, objective: Objective, metrics: Sequence[Metric]
) -> Update:
    """Return the usual step: one that moves the weights against the gradient of an objective.

    Args:
        options: The trainer's.
        learner: What is trained.
        objective: What is minimised.
        metrics: What is measured beside it.
    """
    parts = build_parts(options, learner)
    parts.metrics, parts.main = tuple(metrics), objective.loss.main
    parts.mixes = options.augment is not None and objective.loss.predicts == "class"
    (optimizer,) = learner.optimizers.values()
    network = learner.processes.wrap(learner.scores)
    apart = network.no_sync if isinstance(network, DistributedDataParallel) else nullcontext
    forward = torch.compile(network) if options.compile else network
    if needs(optimizer) == "gradient":
        return GradientUpdate(parts, forward, objective.mean, optimizer, apart)
    return ClosureUpdate(parts, learner.module, forward, objective, optimizer)
