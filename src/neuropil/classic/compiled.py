"""Compilation of loops by Numba, cached on disk where possible."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = TypeVar("Function", bound=Callable[..., Any])

# Options of `fastmath`: sums may be reordered, so that they are vectorised; NaN stays NaN.
REORDERED = {"reassoc", "contract", "arcp", "nsz"}


def compile_loop(**options: Any) -> Callable[[Function], Function]:
    """Return a decorator that compiles a function when it is first called.

    The compiled code is cached beside the source, or in the user's cache folder. If neither can
    be written, each process compiles again, after one warning.

    Args:
        options: Options of `numba.njit`.
    """

    def decorator(function: Function) -> Any:
        try:
            made: Any = njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # Numba found no folder that it can write to
            warn_uncached()
            made = njit(nogil=True, **options)(function)
        return made

    return decorator


# Compiles loops that reorder sums and divide without a check for 0.
fast = compile_loop(error_model="numpy", fastmath=REORDERED)


@functools.cache
def warn_uncached() -> None:
    """Warn, once per process, that compiled loops are not cached."""
    warnings.warn(
        "compiled loops cannot be cached, since neither the package's folder nor the user's "
        "cache folder can be written: each process compiles them again, which takes some "
        "seconds; set the environment variable NUMBA_CACHE_DIR to a folder.",
        RuntimeWarning,
        stacklevel=4,
    )
