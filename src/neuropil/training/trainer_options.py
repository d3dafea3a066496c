"""The options of a trainer: names, defaults and checks."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, final

import torch
from torch import Tensor

from neuropil.checks import Rules, check_options, choice, flag, interval, optional, whole
from neuropil.text import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from os import PathLike

    from torch import nn
    from torch.optim import Optimizer

    from neuropil.training.binding import OptimizerLike, Schedule
    from neuropil.training.losses.weighted_loss import ClassWeight
    from neuropil.training.metrics.metrics import Metrics
    from neuropil.training.progress import Progress

# A function from inputs, targets and a generator to augmented inputs and targets.
Augment: TypeAlias = "Callable[[Any, Any, torch.Generator], tuple[Any, Any]]"
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}

P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


def thread_count(value: Any, what: str) -> int | str | None:
    """Return a number of threads that this machine can use, ``"auto"`` or None.

    Raises:
        ValueError: If it is something else.
    """
    if value is None or value == "auto":
        return value
    most = 4 * (os.cpu_count() or 1)
    return whole(value, f"{what}, unless 'auto' or None,", maximum=most)


RULES: Rules = {
    "normalize": flag,
    "compile": flag,
    "shard": flag,
    "accumulate": whole,
    "checkpoint_every": optional(whole),
    "threads": thread_count,
    "workers": optional(functools.partial(whole, minimum=0)),
    "clip_norm": optional(interval("(0, inf]")),
    "ema": optional(interval("[0, 1)")),
    "mixed_precision": optional(choice(*PRECISIONS)),
}


@final
@dataclass(frozen=True)
class Options:
    """The checked options of a `Trainer`, which documents them.

    A custom step receives the `Trainer`; callbacks are `Callback` objects.
    """

    network: nn.Module | Mapping[str, nn.Module]
    _: KW_ONLY
    loss: str | Callable[..., Any] | None = None
    optimizer: OptimizerLike | Mapping[str, Optimizer] = None
    metrics: Metrics = ()
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
    workers: int | None = None
    accumulate: int = 1
    clip_norm: float | None = None
    ema: float | None = None
    mixed_precision: str | None = None
    compile: bool = False
    shard: bool = False
    checkpoints: str | PathLike[str] | None = None
    checkpoint_every: int | None = None
    progress: Progress | bool | None = True

    def __post_init__(self) -> None:
        if isinstance(self.metrics, str) or callable(self.metrics):
            raise TypeError(f"metrics must be a list or a dict, got {self.metrics!r}.")
        own: Any = self.metrics
        own = dict(own) if isinstance(own, Mapping) else tuple(own)
        object.__setattr__(self, "metrics", own)
        object.__setattr__(self, "callbacks", tuple(self.callbacks))
        check_options("Trainer", vars(self), RULES)
        self.check_step()

    def check_step(self) -> None:
        """Refuse options that have no effect together with a custom step.

        Raises:
            ValueError: If there is one.
        """
        if self.step is None:
            return
        if self.compile:
            raise ValueError(
                "compile has no effect on a custom step: compile the networks in it."
            )
        if self.loss is None and (self.metrics or self.class_weight is not None):
            raise ValueError(
                "metrics and class_weight need a loss when there is a custom step: give "
                "loss=…, or return the figures from the step."
            )

    def autocast(self, device: torch.device) -> Callable[[Callable[..., Any]], Any]:
        """Return a decorator that runs a function in mixed precision, if that is on."""
        if self.mixed_precision is None:
            return lambda function: function
        return torch.autocast(device.type, PRECISIONS[self.mixed_precision])

    def scaler(self, device: torch.device) -> torch.amp.GradScaler | None:
        """Return the gradient scaler for fp16, which keeps small gradients from underflow."""
        if self.mixed_precision != "fp16":
            return None
        return torch.amp.GradScaler(device.type)


def takes(
    options: Callable[P, T],
) -> Callable[[Callable[[Owner, T], None]], Callable[Concatenate[Owner, P], None]]:
    """Decorate a constructor that takes an options object, so that it takes the options.

    The names, types and defaults are then written once, and `inspect.signature`, type checkers
    and editors show them for the constructor.

    Args:
        options: The class of the options.
    """

    def decorate(init: Callable[[Owner, T], None]) -> Callable[Concatenate[Owner, P], None]:
        @functools.wraps(init)
        def construct(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> None:
            check_names(type(self).__name__, kwargs, parameters)
            init(self, options(*args, **kwargs))

        parameters = inspect.signature(options).parameters
        own = next(iter(inspect.signature(init).parameters.values()))
        shown: Any = construct
        shown.__signature__ = inspect.Signature(
            [own, *parameters.values()], return_annotation=None
        )
        return construct

    return decorate


ELSEWHERE = {
    "lr": "The learning rate belongs to the optimiser, as in optimizer=Adam(…, lr=0.01)",
    "epochs": "Give it to fit, as in trainer.fit(data, epochs=10)",
    "batch_size": "Give it to fit, as in trainer.fit(data, batch_size=32)",
    "validation": "Give it to fit, as in trainer.fit(data, validation=…)",
    "patience": "Give it to EarlyStopping, as in callbacks=[EarlyStopping(patience=5)]",
}
"""Where to give what is often looked for among the options."""


def check_names(owner: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Check the names of options.

    Args:
        owner: The name of the class, for the message.
        given: The options.
        known: The names of those that exist.

    Raises:
        TypeError: If a name is not among `known`.
    """
    for name in given:
        if name not in known:
            hint = f" {ELSEWHERE[name]}." if name in ELSEWHERE else nearest(name, known)
            raise TypeError(f"{owner} has no option {name!r}.{hint}")
