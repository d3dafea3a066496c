"""Kernels that PyTorch takes for numbers, and not without them."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

attention = F.scaled_dot_product_attention
lock = threading.Lock()
fast_users: list[object] = []
slow_users: list[object] = []
allowed: list[bool] = []


@contextlib.contextmanager
def while_used(
    users: list[object], start: Callable[[], None], stop: Callable[[], None]
) -> Iterator[None]:
    """Keep a setting of PyTorch's changed until the last thread that needs it has finished."""
    user = object()
    with lock:
        if not users:
            start()
        users.append(user)
    try:
        yield
    finally:
        with lock:
            users.remove(user)
            if not users:
                stop()


def kernels_of_devices() -> contextlib.AbstractContextManager[None]:
    """Run attention without the table of all pairs, as PyTorch does on a real device.

    Without numbers PyTorch takes the formula as it is written, which keeps that table for the
    backward pass; on every device with numbers it takes a kernel that keeps a number a query.
    No mode of PyTorch reaches calls within its own functions, so its name leads elsewhere for
    a while; tensors with numbers are not concerned, on whichever thread.
    """
    set_attention = functools.partial(setattr, F, "scaled_dot_product_attention")
    start, stop = (functools.partial(set_attention, f) for f in (fast_or_written, attention))
    return while_used(fast_users, start, stop)


@contextlib.contextmanager
def part_by_part() -> Iterator[None]:
    """Run transformers' layers by their parts, and what is compiled as it is written.

    A layer's one kernel would skip what a mask pads; so a figure follows from shapes alone.
    """

    def start() -> None:
        allowed.append(torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)

    def stop() -> None:
        torch.backends.mha.set_fastpath_enabled(allowed.pop())

    # Nothing was compiled where the compiler was never loaded.
    compiler = "torch._dynamo" in sys.modules
    eager = torch.compiler.set_stance("force_eager") if compiler else contextlib.nullcontext()
    with while_used(slow_users, start, stop), eager:
        yield


@functools.wraps(attention)
def fast_or_written(*args: Any, **kwargs: Any) -> Tensor:
    """Return the output of attention by whichever kernel a device would take."""
    output = fast_attention(*args, **kwargs)
    return attention(*args, **kwargs) if output is None else output


def fast_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,  # noqa: FBT001, FBT002 - the function's own signature
    scale: float | None = None,
    enable_gqa: bool = False,  # noqa: FBT001, FBT002
) -> Tensor | None:
    """Return the output of attention; ``None`` where no fast kernel would be taken."""
    widths = {tensor.shape[-1] for tensor in (query, key, value)}
    ranks = {tensor.ndim for tensor in (query, key, value)}
    plain = query.is_meta and ranks == {4} and len(widths) == 1 and not enable_gqa
    if not plain or dropout_p or (attn_mask is not None and attn_mask.requires_grad):
        return None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype)
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    output, _ = kernel(query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale)
    return output
