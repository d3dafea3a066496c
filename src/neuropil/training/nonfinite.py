"""Errors for NaN and infinity during training, and the search for their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neuropil.training.parallel.local_part import local_part

if TYPE_CHECKING:
    from collections.abc import Callable


class NonFiniteError(ArithmeticError):
    """The training stopped because of NaN or infinity.

    Args:
        message: The message.
        epoch: The epoch, from 1.
        step: The step since the training began, from 1.
        layer: The first layer with a non-finite output, parameter or buffer; None if there is
            no such layer.
    """

    def __init__(
        self, message: str, *, epoch: int = 0, step: int = 0, layer: str | None = None
    ) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.layer = layer


class NotFinite(Exception):  # noqa: N818 - internal: `explain` turns it into an error
    """A value is NaN or infinite.

    Args:
        what: The value, such as ``"the loss is nan"``.
        step: Number of steps done before the one in which it appeared.
    """

    def __init__(self, what: str, step: int) -> None:
        super().__init__(what)
        self.what = what
        self.step = step


class StopSearch(Exception):  # noqa: N818 - not an error: it ends the search
    """Ends a forward pass at the first layer with a non-finite output."""


def explain(
    news: NotFinite,
    network: nn.Module,
    batch: Any,
    repeat: Callable[[], Any] | None,
    *,
    epoch: int,
    safe: str,
) -> NonFiniteError:
    """Return the error that reports where NaN or infinity first appeared.

    Args:
        news: The value and the step.
        network: The network, in the mode in which it failed.
        batch: The current batch.
        repeat: Repeats the forward pass on that batch; None if this process alone cannot.
        epoch: The epoch, from 1.
        safe: A sentence about the last good checkpoint.
    """
    layer, sentence = None, "The layer cannot be found where weights are sharded."
    if repeat is not None:
        layer, sentence = find_layer(network, batch, repeat)
    step = news.step + 1
    return NonFiniteError(
        f"epoch {epoch}, step {step}: {news.what}. {sentence} {safe}A lower lr or clip_norm "
        f"may help.",
        epoch=epoch,
        step=step,
        layer=layer,
    )


def find_layer(
    network: nn.Module, batch: Any, repeat: Callable[[], Any]
) -> tuple[str | None, str]:
    """Return the first layer with a non-finite output, and a sentence about the cause.

    Args:
        network: The network, in the mode in which it failed.
        batch: The current batch.
        repeat: Repeats the forward pass on that batch.
    """
    inputs = batch[0] if isinstance(batch, tuple) else batch
    row = first_bad_row(inputs) if isinstance(inputs, Tensor) else None
    if row is not None:
        return None, f"Row {row} of the inputs in this batch is not finite."
    found: list[str] = []
    handles = [
        module.register_forward_hook(watcher(name, found))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    try:
        with torch.no_grad():
            repeat()
    except StopSearch:
        pass
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0], f"The first layer with a non-finite output is {found[0]}{found[1]}."
    name = bad_state(network)
    if name is not None:
        return name.rpartition(".")[0], f"{name} is not finite."
    return None, "All layers have finite outputs: the cause is the loss or the targets."


def watcher(name: str, found: list[str]) -> Any:
    """Return a forward hook that ends the pass at a non-finite output."""

    def hook(module: nn.Module, _: Any, output: Any) -> None:
        values = output if isinstance(output, tuple | list) else (output,)
        if all(map(is_finite, values)):
            return
        own = bad_state(module)
        found[:] = [name or type(module).__name__, f" (its {own} is not finite)" if own else ""]
        raise StopSearch

    return hook


def bad_state(module: nn.Module) -> str | None:
    """Return the name of the first parameter or buffer that is not finite."""
    state = [*module.named_parameters(), *module.named_buffers()]
    return next((name for name, value in state if not is_finite(value)), None)


def first_bad_row(value: Any) -> int | None:
    """Return the index of the first row (axis 0) that contains NaN or infinity."""
    if is_finite(value):
        return None
    rows = torch.isfinite(value.reshape(len(value), -1)).all(dim=1)
    return int((~rows).nonzero()[0])


def is_finite(value: Any) -> bool:
    """Return whether all numbers of a tensor are finite; True for other objects."""
    if not isinstance(value, Tensor) or not (value.is_floating_point() or value.is_complex()):
        return True
    return bool(torch.isfinite(local_part(value)).all())
