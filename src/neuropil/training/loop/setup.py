"""From a call of `fit` or `evaluate` to the parts that carry it out."""

from __future__ import annotations

import functools
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from neuropil.training.binding import as_schedules
from neuropil.training.checkpoints.checkpoint import CheckpointError
from neuropil.training.checkpoints.resume_check import check_same, facts_of
from neuropil.training.loop.batch_preparation import (
    data_generator,
    evaluation_batches,
    placement,
    training_batches,
)
from neuropil.training.loop.batches import ArrayBatches, Batches
from neuropil.training.loop.closure_step import ClosureUpdate, needs
from neuropil.training.loop.custom_step import CustomUpdate, idle_step
from neuropil.training.loop.epochs import Fit, overriding
from neuropil.training.loop.update import GradientUpdate, Parts, Update
from neuropil.training.loop.validation import measure, scored
from neuropil.training.threads import choose_threads, threads_kept
from neuropil.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.training.trainer import Trainer


def run_fit(
    trainer: Trainer, data: Any, validation: Any, epochs: int, batch_size: int | None
) -> None:
    """Train, from checked data to final weights.

    Args:
        trainer: What is trained.
        data: What it learns from.
        validation: What it is checked on, or None.
        epochs: Passes over the data, counted from where the fit began.
        batch_size: Examples in a batch; None for what suits the optimiser.
    """
    learner = trainer.learner
    with learner.randomness, threads_kept():
        learner.data_generator = data_generator(data)
        training = training_batches(trainer, data, batch_size)
        validate = None
        if validation is not None:
            checked = evaluation_batches(trainer, validation, batch_size or 1, "validation")
            validate = functools.partial(figures, trainer, checked)
        facts = begin(trainer, training, epochs)
        set_threads(trainer, training)
        update = make_update(trainer)
        fit = Fit(trainer, update, training, validate, trainer.first_epoch + epochs, facts)
        if trainer.pending is not None:
            fit.load_state_dict(trainer.pending)
            trainer.pending = None
        trainer.update = update
        try:
            fit.run()
        finally:
            trainer.update = None
            learner.rest()
        for callback in overriding(trainer.callbacks, "on_stop"):
            callback.on_stop(trainer)


def evaluate(trainer: Trainer, data: Any, batch_size: int, title: str) -> dict[str, float]:
    """Return the loss and the metrics over some data.

    Args:
        trainer: Whose network is evaluated, as it is.
        data: What the user gave.
        batch_size: Examples at once, at least.
        title: What the data are for.
    """
    return measured(trainer, evaluation_batches(trainer, data, batch_size, title))


def figures(trainer: Trainer, batches: Batches) -> dict[str, float]:
    """Return the figures of the validation, with averaged weights where there are any."""
    average = trainer.learner.average
    if average is None:
        return measured(trainer, batches)
    average.swap()
    try:
        return measured(trainer, batches)
    finally:
        average.swap()


def measured(trainer: Trainer, batches: Batches) -> dict[str, float]:
    """Return the figures of the network as it is."""
    learner = trainer.learner
    values = values_of(trainer)
    return measure(
        learner.module,
        values,
        batches,
        trainer.metrics,
        learner.processes,
        learner.device,
        learner.views,
    )


def values_of(trainer: Trainer) -> Callable[[Any], tuple[dict[str, Tensor], Any, Any]]:
    """Return what gives scalars, scores and targets for a batch that is not learnt."""
    if trainer.objective is None:
        return lambda batch: (idle_step(trainer, batch), None, None)
    autocast = trainer.options.autocast(trainer.device)
    forward, main = trainer.learner.scores, trainer.objective.loss.main
    return scored(
        autocast(lambda *inputs: main(forward(*inputs))), trainer.objective.judge().mean
    )


def begin(trainer: Trainer, training: Batches, epochs: int) -> dict[str, Any]:
    """Make what the first fit makes, or take up the state of an interrupted one.

    Returns:
        What must be the same again where this training is resumed.

    Raises:
        CheckpointError: When the folder of checkpoints holds another training, or the one that
            is resumed had other data or options.
    """
    learner, options = trainer.learner, trainer.options
    learner.scaler = learner.scaler or options.scaler(trainer.device)
    if learner.average is not None:
        learner.average.take_back()
    elif options.ema is not None:
        learner.average = WeightAverage(learner.module, options.ema)
    if not learner.schedules or isinstance(options.schedule, str):
        batches = training.count
        steps = None if batches is None else epochs * -(-batches // options.accumulate)
        learner.schedules = as_schedules(options.schedule, learner.optimizers, steps, epochs)
    for callback in overriding(trainer.callbacks, "on_start"):
        callback.on_start(trainer)
    facts = facts_of(trainer, training, epochs)
    if trainer.pending is not None:
        check_same(trainer.pending["facts"], facts)
        trainer.load_state_dict(trainer.pending)
    else:
        check_folder(trainer)
        trainer.first_epoch, trainer.stop_reason = trainer.epoch, ""
    return facts


def check_folder(trainer: Trainer) -> None:
    """Refuse to write among the checkpoints of a training that is not this one.

    Raises:
        CheckpointError: When there are such checkpoints.
    """
    kept = trainer.checkpoints
    newest = None if kept is None or trainer.steps else kept.newest()
    if trainer.learner.processes.share(newest is not None):
        raise CheckpointError(
            f"{kept and kept.folder} already holds a training's checkpoints: resume it with "
            f"fit(…, resume=True), or choose another folder."
        )


def set_threads(trainer: Trainer, training: Batches) -> None:
    """Set torch's threads as asked, or as many as suit the network and the batch."""
    learner, wanted = trainer.learner, trainer.options.threads
    if wanted == "auto":
        if learner.threads is None:
            learner.threads = learner.processes.share(fitting_threads(trainer, training))
        wanted = learner.threads
    if isinstance(wanted, int):
        torch.set_num_threads(wanted)


def fitting_threads(trainer: Trainer, training: Batches) -> int | None:
    """Return the number of threads that suits a training, None where that is not known."""
    if trainer.objective is None or trainer.options.step is not None:
        return None
    if trainer.device.type != "cpu" or not isinstance(training, ArrayBatches):
        return None
    place = placement(trainer)
    inputs = tuple(place.cast(place.move(column[:2])) for column in training.arrays.inputs)
    batch_size = min(training.batch_size, len(training.arrays))
    return choose_threads(trainer.learner.scores, inputs, batch_size)


def make_update(trainer: Trainer) -> Update:
    """Return one step of the training that the trainer's options ask for."""
    learner, options = trainer.learner, trainer.options
    bound = None if options.regularizer is None else options.regularizer.bind(learner.module)
    parts = Parts(
        parameters=learner.parameters,
        processes=learner.processes,
        device=learner.device,
        augment=options.augment,
        generator=learner.randomness.augmentation,
        penalty=bound.penalty if bound is not None and bound.penalizes else None,
        root=bound.root if bound is not None and bound.penalizes and bound.squares else None,
        project=bound.project if bound is not None and bound.projects else None,
        clip_norm=options.clip_norm,
        scaler=learner.scaler,
        autocast=options.autocast(learner.device),
        accumulate=options.accumulate,
    )
    objective = trainer.objective
    if options.step is not None or objective is None:
        return CustomUpdate(parts, trainer)
    parts.main = objective.loss.main
    parts.mixes = options.augment is not None and objective.loss.predicts == "class"
    (optimizer,) = learner.optimizers.values()
    network = learner.processes.wrap(learner.scores)
    apart = network.no_sync if isinstance(network, DistributedDataParallel) else nullcontext
    forward = torch.compile(network) if options.compile else network
    if needs(optimizer) == "gradient":
        return GradientUpdate(parts, forward, objective.mean, optimizer, apart)
    return ClosureUpdate(parts, learner.module, forward, objective, optimizer)
