"""Checks of the memory that Levenberg–Marquardt's matrices need."""

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
    """Check that a matrix fits into the free memory.

    Args:
        what: The name of the matrix, as the subject of a sentence.
        entries: The number of its entries.
        like: A tensor of the same dtype and device; only the CPU's memory is checked.

    Raises:
        MemoryError: If it does not fit; the message has both sizes and an alternative.
    """
    if like.device.type != "cpu":
        return
    try:
        require_memory(entries * like.element_size(), f"LevenbergMarquardt: {what}")
    except MemoryError as error:
        raise MemoryError(f"{error} {INSTEAD}") from None


@contextmanager
def explaining_memory(like: Tensor) -> Iterator[None]:
    """Explain the memory that a step needs if torch runs out of it; other errors pass.

    Args:
        like: The weights as a vector.

    Raises:
        MemoryError: If memory ran out.
        RuntimeError: If torch failed for another reason.
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
            f"at once if there are fewer residuals than weights. Return the residuals in "
            f"smaller portions; {INSTEAD}"
        ) from error
