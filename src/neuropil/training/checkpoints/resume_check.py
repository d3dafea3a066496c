"""Checks that a training is resumed with the same data and options."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from neuropil.optim.torch_schedulers import Schedule, Warmup
from neuropil.training.binding import ONLY
from neuropil.training.checkpoints.checkpoint import CheckpointError

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import LRScheduler

    from neuropil.training.loop.batches import Batches
    from neuropil.training.loop.learner import Learner
    from neuropil.training.trainer_options import Options

# Options of the trainer that affect its results, besides seed, optimiser and schedule.
OPTIONS = (
    "loss", "metrics", "regularizer", "class_weight", "augment", "normalize", "accumulate",
    "clip_norm", "ema", "mixed_precision",
)  # fmt: skip
# Constructor arguments of torch's schedules, which do not change during the training.
FIXED = (
    "total_steps", "T_max", "T_0", "T_mult", "eta_min", "step_size", "milestones", "gamma",
    "total_iters", "power", "start_factor", "end_factor", "factor", "patience", "max_lr",
)  # fmt: skip
SHOWN = 80


def facts_of(
    options: Options, learner: Learner, training: Batches, epochs: int
) -> dict[str, Any]:
    """Return the facts that determine a training, as plain data.

    Args:
        options: The options of the trainer.
        learner: The learner, with its schedules created.
        training: The training batches.
        epochs: Number of passes over the data, included if a schedule is stretched over them.
    """
    facts: dict[str, Any] = {
        **training.facts(),
        "processes": learner.processes.count,
        "seed": learner.randomness.given,
        **{name: as_plain(getattr(options, name)) for name in OPTIONS},
    }
    for name, optimizer in learner.optimizers.items():
        end = "" if name == ONLY else f" of {name}"
        facts[f"optimizer{end}"] = type(optimizer).__name__
        for option, value in optimizer.defaults.items():
            facts[f"{option}{end}"] = as_plain(value)
    if is_stretched(options.schedule):
        facts["epochs"] = epochs
    for name, (schedule, _) in learner.schedules.items():
        end = "" if name == ONLY else f" of {name}"
        facts[f"schedule{end}"] = schedule_text(schedule)
    return facts


def check_same(then: dict[str, Any], now: dict[str, Any]) -> None:
    """Refuse to resume a training with data or options that differ from its own.

    Args:
        then: The facts in the checkpoint.
        now: The facts of the trainer that resumes it.

    Raises:
        CheckpointError: If one differs.
    """
    for name in dict.fromkeys([*then, *now]):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if name == "processes":
            warnings.warn(
                f"the interrupted training had {name}={before}, this one has {name}={after}: "
                f"the last bits of the results differ, and so do dropout and augmentation.",
                stacklevel=2,
            )
            continue
        if name == "epochs" and before and after:
            raise CheckpointError(
                f"the interrupted training had epochs={before}, over which its schedule is "
                f"stretched, and this one has epochs={after}: resume it with epochs={before}; "
                f"a further fit(…, epochs=…) then restarts the schedule."
            )
        raise CheckpointError(
            f"the interrupted training had {name}={shorten(before)}, this one has "
            f"{name}={shorten(after)}: it can only be resumed with the same."
        )


def is_stretched(given: Any) -> bool:
    """Return whether a schedule was given by name, and is stretched over the training."""
    every = given.values() if isinstance(given, Mapping) else (given,)
    return any(isinstance(each, str) for each in every)


def schedule_text(schedule: LRScheduler) -> str:
    """Return a schedule's type and options as text, without its progress."""
    if isinstance(schedule, Warmup):
        then = "" if schedule.then is None else f", then {schedule_text(schedule.then)}"
        return f"Warmup(length={schedule.length}, start={schedule.start}{then})"
    if isinstance(schedule, Schedule):
        return ", ".join(dict.fromkeys(map(as_plain, schedule.lr_lambdas)))
    fixed = {name: getattr(schedule, name) for name in FIXED if hasattr(schedule, name)}
    return f"{type(schedule).__name__}({', '.join(f'{k}={v}' for k, v in fixed.items())})"


def as_plain(value: Any) -> Any:
    """Return an option as plain data that is the same in every process."""
    match value:
        case np.generic():
            plain = value.item()
        case None | bool() | int() | float() | str():
            plain = value
        case Tensor():
            plain = value.tolist()
        case list() | tuple():
            plain = [as_plain(item) for item in value]
        case dict():
            plain = {str(key): as_plain(item) for key, item in value.items()}
        case _ if hasattr(value, "__qualname__"):
            plain = f"{value.__module__}.{value.__qualname__}"
        case _:
            text = repr(value)  # not if it contains an address, which differs in each process
            plain = type(value).__qualname__ if " at 0x" in text else text
    return plain


def shorten(value: Any) -> str:
    """Return a fact as text, cut to the length of a line."""
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
