"""What Levenberg–Marquardt's matrices need, asked for before they are made."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.core.free_memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTEAD = "QuasiNewton(update='lbfgs') and ConjugateGradient need no matrix."


def require_matrix(what: str, entries: int, like: Tensor) -> None:
    """Refuse a matrix that is larger than the memory that is free.

    Args:
        what: What needs it, as the subject of a sentence.
        entries: Its size.
        like: A tensor of its kind; only the processor's memory is looked at.

    Raises:
        MemoryError: With both sizes, and what to use instead.
    """
    if like.device.type != "cpu":
        return
    try:
        require_memory(entries * like.element_size(), f"LevenbergMarquardt: {what}")
    except MemoryError as error:
        raise MemoryError(f"{error} {INSTEAD}") from None


@contextmanager
def explaining_memory(like: Tensor) -> Iterator[None]:
    """Say what a step needs when torch runs out of memory in it; other errors pass.

    Args:
        like: The weights as a vector.

    Raises:
        MemoryError: In place of torch's.
        RuntimeError: When it is about something else.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        short = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if INSTEAD in str(error) or not (short or "allocate memory" in str(error)):
            raise
        count, each = len(like), like.element_size()
        raise MemoryError(
            f"LevenbergMarquardt ran out of memory: JᵀJ of {count:,} weights takes "
            f"{count * count * each:,} bytes, and J {count * each:,} for each residual, all "
            f"at once where there are fewer residuals than weights. Give the residuals in "
            f"smaller portions; {INSTEAD}"
        ) from error
