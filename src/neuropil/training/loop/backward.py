"""The backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.optim.batch_method import TWICE

if TYPE_CHECKING:
    from collections.abc import Callable


def backward_on(device: torch.device, processes: int) -> Callable[[Tensor], None]:
    """Return the fastest backward function: on the CPU, one without argument checks.

    The checks of `Tensor.backward` take as long as the backward pass of a small network. Here
    the loss is always a scalar, so they are not needed.

    Args:
        device: Device of the loss.
        processes: Number of processes that train together.
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
    """Return the error to raise for an error in the backward pass."""
    if TWICE not in str(error):
        return error
    return TypeError("the loss function called backward: leave that to the trainer.")
