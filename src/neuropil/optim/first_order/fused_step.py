"""Optimiser steps that call torch's fused kernels directly.

`torch.optim` spends 40 to 250 µs of Python on each step of a small network: it opens a profiler
range, looks for hooks, sorts tensors by device, and loops over parameters. If none of that is
needed, one kernel call makes the same update. Everything else is left to torch: sparse or
strided gradients, capturable or differentiable steps, gradient scaling, parameters on several
devices, and the first step, which creates the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from typing_extensions import override

from neuropil.optim.first_order.base import FirstOrder
from neuropil.optim.first_order.torch_internals import has_kernel, is_observed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# One list of tensors per column: parameters, gradients, and each kind of state.
Columns: TypeAlias = list[list[Tensor]]


class DirectStep(FirstOrder):
    """A first-order optimiser that has a fused kernel.

    A subclass names the state that its kernel needs and calls the kernel in `launch`.
    """

    def state_names(self, group: dict[str, Any]) -> Sequence[str]:
        """Return the names of the state that the kernel takes, in its order."""
        raise NotImplementedError

    def supports(self, columns: Columns) -> bool:  # noqa: ARG002 - for subclasses
        """Tell whether the kernel supports the device of these tensors."""
        return True

    def launch(self, group: dict[str, Any], columns: Columns) -> None:
        """Update one group's parameters in place."""
        raise NotImplementedError

    @override
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: Evaluates the loss and returns it; rarely needed.

        Returns:
            The result of the closure, or None.
        """
        return (observed_update if is_observed(self) else update)(self, closure)

    # Torch wraps a `step` without this mark in the profiling that this file exists to avoid.
    step.__dict__["hooked"] = True

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of another run, from any device.

        Args:
            state_dict: The result of `state_dict`.
        """
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            # `choose_kernel` may have set the flag on a GPU; on a CPU it does not apply.
            if self.defaults["fused"] is None and not all_on_cuda(group["params"]):
                group["fused"] = None


def update(optimizer: DirectStep, closure: Callable[[], Any] | None) -> Any:
    """Make one step, with the fused kernels if possible, otherwise with torch's own step."""
    # `GradScaler` passes `found_inf` as an attribute, which only torch's own step reads.
    if "found_inf" in optimizer.__dict__ or torch.compiler.is_compiling():
        return torch_step(optimizer, closure)
    loss = None
    if closure is not None:
        with torch.enable_grad():
            loss = closure()
    work: list[tuple[dict[str, Any], Columns]] = []
    for group in optimizer.param_groups:
        columns = gather(optimizer, group)
        if columns is None:
            torch_step(optimizer, None)
            return loss
        work.append((group, columns))
    with torch.no_grad():
        for group, columns in work:
            if columns[0]:
                optimizer.launch(group, columns)
    return loss


# With the profiler's range and the hooks around it, as torch does for every optimiser.
observed_update = torch.optim.Optimizer.profile_hook_step(update)


def torch_step(optimizer: DirectStep, closure: Callable[[], Any] | None) -> Any:
    """Make torch's own step, without its hooks, which have been called already."""
    for group in optimizer.param_groups:
        choose_kernel(optimizer, group)
    bound: Any = super(DirectStep, optimizer).step
    step = bound.__func__
    return (step.__wrapped__ if getattr(step, "hooked", False) else step)(optimizer, closure)


def choose_kernel(optimizer: DirectStep, group: dict[str, Any]) -> None:
    """Choose the fused kernel before the first step on a GPU, where its counters are stored."""
    free = group["fused"] is None and not group["foreach"] and not group["differentiable"]
    fresh = not any(optimizer.state.get(parameter) for parameter in group["params"])
    if free and fresh and all_on_cuda(group["params"]):
        group["fused"] = all(parameter.is_floating_point() for parameter in group["params"])


def all_on_cuda(params: Sequence[Tensor]) -> bool:
    """Tell whether all parameters are on GPUs."""
    return all(parameter.is_cuda for parameter in params)


def gather(optimizer: DirectStep, group: dict[str, Any]) -> Columns | None:
    """Return the kernel's arguments, or None if torch must make the step."""
    if not is_plain(group):
        return None
    params = [parameter for parameter in group["params"] if parameter.grad is not None]
    grads = [parameter.grad for parameter in params]
    kinds = {
        (type(p), p.device, p.dtype, g.dtype, p.is_contiguous(), is_contiguous(g))
        for p, g in zip(params, grads, strict=True)
    }
    if not (len(kinds) <= 1 and all(has_kernel(*kind) for kind in kinds)):
        return None
    columns = [params, grads]
    states = [optimizer.state.get(parameter, {}) for parameter in params]
    try:
        columns += [[state[name] for state in states] for name in optimizer.state_names(group)]
    except KeyError:  # the first step of a parameter
        return None
    return columns if not params or optimizer.supports(columns) else None


def is_contiguous(gradient: Tensor) -> bool:
    """Tell whether a gradient is dense and contiguous; a sparse one has no strides."""
    return gradient.layout is torch.strided and gradient.is_contiguous()


def is_plain(group: dict[str, Any]) -> bool:
    """Tell whether a group uses no option that needs torch's own step."""
    return not (
        group["fused"] is False
        or group["foreach"] is not None
        or group["differentiable"]
        or group.get("capturable")
        or isinstance(group["lr"], Tensor)
    )
