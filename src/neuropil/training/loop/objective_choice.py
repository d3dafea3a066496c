"""Choice of the objective: the user's loss, or a default for the network and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from neuropil.training.loop.memory_examples import Arrays
from neuropil.training.loop.source_examples import SourceExamples
from neuropil.training.loop.streams import open_stream
from neuropil.training.losses.loss_targets import is_single
from neuropil.training.losses.losses import resolve
from neuropil.training.losses.weighted_loss import Objective, class_weights, default_loss

if TYPE_CHECKING:
    from neuropil.training.loop.learner import Learner
    from neuropil.training.trainer_options import Options


def choose_objective(options: Options, learner: Learner, data: Any, title: str) -> Objective:
    """Return the objective of a training.

    Args:
        options: The options of the trainer.
        learner: The learner.
        data: `Arrays`, `SourceExamples`, or an iterable of batches.
        title: Purpose of the data, for messages.

    Raises:
        ValueError: If the default loss or the class weights need targets and there are none.
    """
    loss, weights = options.loss, None
    if isinstance(loss, nn.Module):
        loss.to(learner.device)
    if loss is None or options.class_weight is not None:
        inputs, targets = some_examples(options, learner, data, title)
        scores = learner.sample_scores(inputs)
        if loss is None:
            loss = default_loss(learner.module, scores, targets)
        scores = resolve(loss).main(scores)
        weights = class_weights(options.class_weight, targets, class_count(scores))
        weights = None if weights is None else weights.to(learner.device)
    return Objective(loss, weights, learner.views)


def some_examples(options: Options, learner: Learner, data: Any, title: str) -> tuple[Any, Any]:
    """Return the inputs and targets in memory, or those of the first batch of an iterable.

    Raises:
        ValueError: If the targets are missing, or balanced class weights need all of them.
    """
    if isinstance(data, Arrays):
        inputs, targets = data.inputs, data.targets
    elif isinstance(data, SourceExamples):
        inputs, targets = data.head()
    elif isinstance(options.class_weight, str):
        raise ValueError("class_weight='balanced' needs all targets in memory.")
    else:
        batch, _, _ = next(open_stream(learner, data, title, 1).epoch())
        inputs, targets = (
            batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)
        )
    if targets is None:
        raise ValueError(
            f"the {title} data has no targets: give (inputs, targets), or a custom step that "
            f"needs none; a table or data frame goes through datasets.open(table, target=…)."
        )
    return inputs, targets


def class_count(scores: Any) -> int | None:
    """Return the number of classes that scores distinguish, 2 for a single score."""
    if not isinstance(scores, Tensor):
        return None
    return 2 if is_single(scores) else scores.shape[1]
