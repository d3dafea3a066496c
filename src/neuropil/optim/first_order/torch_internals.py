"""Private parts of `torch.optim`: its fused kernels, and the hooks of its steps."""

# pyright: reportPrivateUsage=false
# These private names of torch's optimisers are the same from 2.6 to 2.13.

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd import profiler
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

if TYPE_CHECKING:
    from torch.optim import Optimizer

fused_sgd = torch._fused_sgd_
fused_adam = torch._fused_adam_
fused_adamw = torch._fused_adamw_
fused_adagrad = torch._fused_adagrad_
add_all = torch._foreach_add_
signs_of = torch._foreach_sign

ONE = torch.ones(())


@functools.cache
def has_kernel(
    cls: type,
    device: torch.device,
    dtype: torch.dtype,
    grad_dtype: torch.dtype,
    *contiguous: bool,
) -> bool:
    """Tell whether the fused kernels support parameters and gradients of this kind.

    Torch's CPU kernels accept any strides, but read the memory as if it were contiguous.
    """
    return (
        cls in (torch.nn.Parameter, Tensor)
        and device.type in ("cpu", "cuda")
        and dtype.is_floating_point
        and dtype.itemsize >= 2
        and grad_dtype is dtype
        and all(contiguous)
    )


def count_up(steps: list[Tensor]) -> None:
    """Add one to each parameter's step counter."""
    if steps[0].is_cuda:
        add_all(steps, 1)
    else:
        # Takes half the time of adding the number 1, which torch converts for each counter.
        add_all(steps, [ONE] * len(steps))


def is_observed(optimizer: Optimizer) -> bool:
    """Tell whether a hook or a profiler observes the step."""
    return bool(
        profiler._is_profiler_enabled
        or optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
        or _global_optimizer_pre_hooks
        or _global_optimizer_post_hooks
    )
