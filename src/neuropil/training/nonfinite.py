"""When numbers stop being numbers: say when and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable


class NonFiniteError(ArithmeticError):
    """A training met NaN or infinity and stopped.

    Args:
        message: What happened, for a person.
        epoch: The epoch, from 1.
        step: The step since the training began, from 1.
        layer: The first layer that gave or held such a number; None where no layer did.
    """

    def __init__(
        self, message: str, *, epoch: int = 0, step: int = 0, layer: str | None = None
    ) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.layer = layer


class NotFinite(Exception):  # noqa: N818 - it only carries the news to who can explain it
    """A number is none any more.

    Args:
        what: Which one, such as ``"the loss is nan"``.
        step: Steps done before the one that showed it.
    """

    def __init__(self, what: str, step: int) -> None:
        super().__init__(what)
        self.what = what
        self.step = step


class Found(Exception):  # noqa: N818 - no error: it ends the search
    """Raised inside a forward pass at the first layer that is sought."""


def explain(
    news: NotFinite,
    network: nn.Module,
    batch: Any,
    look: Callable[[], Any],
    *,
    epoch: int,
    safe: str,
) -> NonFiniteError:
    """Return the error that tells a person where numbers stopped being numbers.

    Args:
        news: What was seen.
        network: The network, in the mode in which it failed.
        batch: What it was given last.
        look: Runs it forward on that once more.
        epoch: The epoch, from 1.
        safe: A sentence about what was kept.
    """
    layer, sentence = culprit(network, batch, look)
    step = news.step + 1
    return NonFiniteError(
        f"epoch {epoch}, step {step}: {news.what}. {sentence} {safe}A lower lr or clip_norm "
        f"may help.",
        epoch=epoch,
        step=step,
        layer=layer,
    )


def culprit(network: nn.Module, batch: Any, look: Callable[[], Any]) -> tuple[str | None, str]:
    """Return the first layer of a forward pass that is not finite, and a sentence about it.

    Args:
        network: The network, in the mode in which it failed.
        batch: What it was given.
        look: Runs it forward on that once more.
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
            look()
    except Found:
        pass
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0], f"The first layer with a non-finite output is {found[0]}{found[1]}."
    name = bad_state(network)
    if name is not None:
        return name.rpartition(".")[0], f"{name} is not finite."
    return None, "All layers gave finite outputs: the loss or the targets did it."


def watcher(name: str, found: list[str]) -> Any:
    """Return a hook that ends the pass at a non-finite output."""

    def hook(module: nn.Module, _: Any, output: Any) -> None:
        values = output if isinstance(output, tuple | list) else (output,)
        if all(map(is_finite, values)):
            return
        own = bad_state(module)
        found[:] = [name or type(module).__name__, f" (its {own} is not finite)" if own else ""]
        raise Found

    return hook


def bad_state(module: nn.Module) -> str | None:
    """Return the name of the first parameter or buffer that is not finite."""
    state = [*module.named_parameters(), *module.named_buffers()]
    return next((name for name, value in state if not is_finite(value)), None)


def first_bad_row(value: Any) -> int | None:
    """Return the first row along axis 0 that holds NaN or infinity."""
    if is_finite(value):
        return None
    rows = torch.isfinite(value.reshape(len(value), -1)).all(dim=1)
    return int((~rows).nonzero()[0])


def is_finite(value: Any) -> bool:
    """Tell whether a tensor holds finite numbers only; whatever is no tensor does."""
    if not isinstance(value, Tensor) or not (value.is_floating_point() or value.is_complex()):
        return True
    return bool(torch.isfinite(value).all())
