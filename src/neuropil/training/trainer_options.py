"""What the trainer's options may be."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from neuropil.core.shape import whole_number
from neuropil.training.callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.loop.update import Augment
    from neuropil.training.losses.weighted_loss import ClassWeight
    from neuropil.training.trainer import Trainer

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@final
@dataclass(frozen=True)
class Options:
    """The options of a `Trainer`, which documents them, checked."""

    loss: str | Callable[..., Any] | None
    metrics: Sequence[str | Callable[..., Any]]
    regularizer: Any
    schedule: Any
    step: Callable[[Trainer, Any], dict[str, Tensor]] | None
    callbacks: Sequence[Any]
    class_weight: ClassWeight
    augment: Augment | None
    normalize: bool
    threads: int | str | None
    accumulate: int
    clip_norm: float | None
    ema: float | None
    mixed_precision: str | None
    compile: bool
    checkpoint_every: int | None

    def __post_init__(self) -> None:
        whole_number(self.accumulate, "accumulate")
        if self.checkpoint_every is not None:
            whole_number(self.checkpoint_every, "checkpoint_every")
        check_threads(self.threads)
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm must be a number above 0, got {self.clip_norm!r}.")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema is a decay in [0, 1), such as 0.999, got {self.ema!r}.")
        if self.mixed_precision not in {None, *PRECISIONS}:
            raise ValueError(
                f"mixed_precision is one of {list(PRECISIONS)} or None, got "
                f"{self.mixed_precision!r}."
            )
        self.check_combinations()

    def check_combinations(self) -> None:
        """Refuse options that exclude each other.

        Raises:
            TypeError: When a callback is no `Callback`.
            ValueError: When an option would have no effect beside a custom step.
        """
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must be Callback objects, got {callback!r}.")
        if self.step is None:
            return
        if self.compile:
            raise ValueError(
                "compile has no effect on a custom step: compile the networks in it."
            )
        if self.loss is None and (self.metrics or self.class_weight is not None):
            raise ValueError(
                "metrics and class_weight need a loss beside a custom step; without one, "
                "return the figures from the step."
            )

    def autocast(self, device: torch.device) -> Callable[[Callable[..., Any]], Any]:
        """Return what makes a function run in mixed precision, or leaves it as it is."""
        if self.mixed_precision is None:
            return lambda function: function
        return torch.autocast(device.type, PRECISIONS[self.mixed_precision])

    def scaler(self, device: torch.device) -> torch.amp.GradScaler | None:
        """Return what keeps small gradients from vanishing in half precision."""
        if self.mixed_precision != "fp16":
            return None
        return torch.amp.GradScaler(device.type)


def check_threads(threads: Any) -> None:
    """Refuse what is no number of threads.

    Raises:
        ValueError: When it is none.
    """
    if threads is None or threads == "auto":
        return
    most = 4 * (os.cpu_count() or 1)
    if whole_number(threads, "threads, unless 'auto' or None,") > most:
        raise ValueError(f"threads is {threads}, far more than this machine has cores.")
