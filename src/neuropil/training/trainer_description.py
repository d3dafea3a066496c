"""A trainer as text and as HTML: what it trains, how, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuropil.notebook_html import facts, notebook_page
from neuropil.text import cut, number_of
from neuropil.training.named_function import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 400
# Options that are shown if they are set.
SHOWN = {
    "step": "Step",
    "schedule": "Schedule",
    "regularizer": "Regularizer",
    "metrics": "Metrics",
    "callbacks": "Callbacks",
    "class_weight": "Class weights",
    "augment": "Augmentation",
    "clip_norm": "Largest gradient norm",
    "ema": "Weight average",
    "mixed_precision": "Precision",
}


def as_html(trainer: Any) -> str:
    """Return a table of the parts of a training, and of its progress."""
    return notebook_page(facts(parts_of(trainer).items()))


def as_text(trainer: Any) -> str:
    """Return the parts of a training and its progress, one on each line."""
    lines = [f"  {title.lower()}: {text}" for title, text in parts_of(trainer).items()]
    return "\n".join(["Trainer", *lines])


def parts_of(trainer: Any) -> dict[str, str]:
    """Return the parts of a training that are set, and its progress, by title.

    Args:
        trainer: The `Trainer`.
    """
    options = trainer.options
    shown = {title: text_of(getattr(options, name)) for name, title in SHOWN.items()}
    pairs = {
        **named(options.network, "Network", text_of_network),
        "Loss": text_of_loss(trainer),
        **named(trainer.optimizer, "Optimizer", text_of_optimizer),
        **shown,
        "Batch size": "" if trainer.batch_size is None else f"{trainer.batch_size:,}",
        "Device": str(trainer.device),
        "Done": f"{number_of(trainer.epoch, 'epoch')} · {number_of(trainer.steps, 'step')}",
        "Stopped": trainer.stop_reason,
    }
    return {title: cut(text, LONGEST) for title, text in pairs.items() if text}


def named(value: Any, title: str, function: Callable[[Any], str]) -> dict[str, str]:
    """Return the text of a part by its title, or of several by the title and their names."""
    if isinstance(value, Mapping):
        return {f"{title} {name}": function(each) for name, each in value.items()}
    return {title: function(value)}


def text_of_network(network: Any) -> str:
    """Return a network on one line, with its number of parameters."""
    count = sum(parameter.numel() for parameter in network.parameters())
    # A long network is printed in brackets, over several lines.
    text = " ".join(repr(network).split()).removeprefix("( ").removesuffix(" )")
    return f"{cut(text, LONGEST // 2)} · {count:,} parameters"


def text_of_loss(trainer: Any) -> str:
    """Return the loss; before the first fit, what decides it."""
    options = trainer.options
    if trainer.objective is not None:
        return name_of(trainer.objective.loss)
    if options.loss is not None:
        return text_of(options.loss)
    return "" if options.step is not None else "the default for the last layer and the targets"


def text_of_optimizer(optimizer: Any) -> str:
    """Return an optimiser with its learning rate at the start."""
    group = optimizer.param_groups[0]
    rate = group.get("initial_lr", group.get("lr"))
    return type(optimizer).__name__ + ("" if rate is None else f"(lr={rate:.4g})")


def text_of(value: Any) -> str:
    """Return the value of an option; functions and callbacks by their names."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return " · ".join(f"{name}: {text_of(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " · ".join(map(text_of, value))
    named = callable(value) or type(value).__repr__ is object.__repr__
    return name_of(value) if named else str(value)
