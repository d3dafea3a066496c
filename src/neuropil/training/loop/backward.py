"""The way back from a loss to the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.optim.batch_method import TWICE

if TYPE_CHECKING:
    from collections.abc import Callable


def backward_on(device: torch.device, processes: int) -> Callable[[Tensor], None]:
    """Return the way back that costs least: on the CPU, where it matters, without checks.

    `Tensor.backward` looks at what it is given for as long as a small network takes to go back.
    Here it is always the same: a scalar.

    Args:
        device: Where the loss is.
        processes: How many train together.
    """
    engine = getattr(torch.autograd.Variable, "_execution_engine", None)
    if engine is None or device.type != "cpu" or processes > 1:
        return Tensor.backward
    ones: dict[torch.dtype, Tensor] = {}

    def backward(loss: Tensor) -> None:
        one = ones.get(loss.dtype)
        if one is None:
            one = ones[loss.dtype] = torch.ones((), dtype=loss.dtype)
        engine.run_backward(
            (loss,),
            (one,),
            keep_graph=False,
            create_graph=False,
            inputs=(),
            allow_unreachable=True,
            accumulate_grad=True,
        )

    return backward


def own_backward(error: RuntimeError) -> Exception:
    """Return what to say of an error on the way back."""
    if TWICE not in str(error):
        return error
    return TypeError("the loss called backward itself: leave that to the trainer.")
