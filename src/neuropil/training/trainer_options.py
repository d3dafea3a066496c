"""The options of a trainer: their names, defaults and checks, once for all."""

from __future__ import annotations

import functools
import inspect
import os
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, final

import torch
from torch import Tensor

from neuropil.checks import flag, number, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from torch import nn
    from torch.optim import Optimizer

    from neuropil.training.binding import OptimizerLike, Schedule
    from neuropil.training.losses.weighted_loss import ClassWeight
    from neuropil.training.progress import Progress

# Inputs, targets and a generator, to the inputs and targets to learn from.
Augment: TypeAlias = "Callable[[Any, Any, torch.Generator], tuple[Any, Any]]"
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}

P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


@final
@dataclass(frozen=True)
class Options:
    """What a `Trainer` is made from, checked; `Trainer` documents each.

    Steps are given a `Trainer`, and callbacks are `Callback` objects.
    """

    network: nn.Module | Mapping[str, nn.Module]
    _: KW_ONLY
    loss: str | Callable[..., Any] | None = None
    optimizer: OptimizerLike | Mapping[str, Optimizer] = None
    metrics: Sequence[str | Callable[..., Any]] = ()
    regularizer: Any = None
    schedule: Schedule | Mapping[str, Any] = None
    step: Callable[[Any, Any], dict[str, Tensor]] | None = None
    callbacks: Sequence[Any] = ()
    class_weight: ClassWeight = None
    augment: Augment | None = None
    normalize: bool = True
    seed: int | None = None
    device: str | torch.device | None = None
    threads: int | str | None = "auto"
    accumulate: int = 1
    clip_norm: float | None = None
    ema: float | None = None
    mixed_precision: str | None = None
    compile: bool = False
    checkpoints: str | PathLike[str] | None = None
    checkpoint_every: int | None = None
    progress: Progress | bool | None = True

    def __post_init__(self) -> None:
        for name in ("metrics", "callbacks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        flag(self.normalize, "Trainer: normalize")
        flag(self.compile, "Trainer: compile")
        whole(self.accumulate, "accumulate")
        if self.checkpoint_every is not None:
            whole(self.checkpoint_every, "checkpoint_every")
        check_threads(self.threads)
        if self.clip_norm is not None:
            number(self.clip_norm, "Trainer: clip_norm", "(0, inf]")
        if self.ema is not None:
            number(self.ema, "Trainer: ema", "[0, 1)")
        one_of(self.mixed_precision, "Trainer: mixed_precision", (None, *PRECISIONS))
        self.check_step()

    def check_step(self) -> None:
        """Refuse options that would have no effect beside a custom step.

        Raises:
            ValueError: When there is one.
        """
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


def takes(
    options: Callable[P, T],
) -> Callable[[Callable[[Owner, T], None]], Callable[Concatenate[Owner, P], None]]:
    """Give a constructor the signature of a class of options, which it is passed; a decorator.

    The names, types and defaults are then written once, and `inspect.signature`, type checkers
    and editors show them where they are used.

    Args:
        options: The class.
    """

    def decorate(init: Callable[[Owner, T], None]) -> Callable[Concatenate[Owner, P], None]:
        @functools.wraps(init)
        def construct(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> None:
            init(self, options(*args, **kwargs))

        own = next(iter(inspect.signature(init).parameters.values()))
        shown: Any = construct
        shown.__signature__ = inspect.Signature(
            [own, *inspect.signature(options).parameters.values()], return_annotation=None
        )
        return construct

    return decorate


def check_threads(threads: Any) -> None:
    """Refuse what is no number of threads.

    Raises:
        ValueError: When it is none.
    """
    if threads is None or threads == "auto":
        return
    most = 4 * (os.cpu_count() or 1)
    if whole(threads, "threads, unless 'auto' or None,") > most:
        raise ValueError(f"threads is {threads}, far more than this machine has cores.")
