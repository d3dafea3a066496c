"""Compiled loops, kept on disk where there is a place for them."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., Any])


def compile_loop(**options: Any) -> Callable[[Function], Function]:
    """Return a decorator that compiles a function when it is first called.

    What was compiled is kept beside the source, or in the user's folder for caches. Where
    neither can be written, each process compiles anew, and one warning says so.

    Args:
        options: For `numba.njit`.
    """

    def decorator(function: Function) -> Any:
        try:
            made: Any = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # Numba found no folder that it can write to
            warn_uncached()
            made = njit(nogil=True, **options)(function)
        return made

    return decorator


@functools.cache
def warn_uncached() -> None:
    """Warn, once per process, that nothing is kept."""
    warnings.warn(
        "compiled loops cannot be kept, since neither the package's folder nor the user's "
        "folder for caches can be written: each process compiles them anew, which takes some "
        "seconds; the variable NUMBA_CACHE_DIR may name a folder.",
        RuntimeWarning,
        stacklevel=4,
    )
