"""Kernels that PyTorch chooses on a real device but not on the meta device."""

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
def hold_setting(
    users: list[object], start: Callable[[], None], stop: Callable[[], None]
) -> Iterator[None]:
    """Change a global PyTorch setting until the last thread that needs it has finished."""
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


def fast_attention_kernels() -> contextlib.AbstractContextManager[None]:
    """Run attention without the table of all query–key pairs, as on a real device.

    On the meta device, PyTorch computes the plain formula, which keeps that table for the
    backward pass. Every real device uses a fused kernel that keeps one number per query.
    PyTorch's modes do not reach calls inside its own functions, so the function itself is
    replaced meanwhile. Tensors on real devices are not affected, on any thread.
    """
    set_attention = functools.partial(setattr, F, "scaled_dot_product_attention")
    start, stop = (
        functools.partial(set_attention, f) for f in (attention_of_devices, attention)
    )
    return hold_setting(fast_users, start, stop)


@contextlib.contextmanager
def without_fast_paths() -> Iterator[None]:
    """Disable the fast path of transformer layers and run compiled code eagerly.

    The fused transformer kernel would skip padded positions; without it, every figure follows
    from the shapes alone.
    """

    def start() -> None:
        allowed.append(torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)

    def stop() -> None:
        torch.backends.mha.set_fastpath_enabled(allowed.pop())

    # If the compiler was never loaded, nothing was compiled.
    compiler = "torch._dynamo" in sys.modules
    eager = torch.compiler.set_stance("force_eager") if compiler else contextlib.nullcontext()
    with hold_setting(slow_users, start, stop), eager:
        yield


@functools.wraps(attention)
def attention_of_devices(*args: Any, **kwargs: Any) -> Tensor:
    """Return the output of attention, from the kernel that a real device would choose."""
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
    """Return the output of fused attention; ``None`` where PyTorch would not use it."""
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
