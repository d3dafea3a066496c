"""The memory that tables take."""

from __future__ import annotations

from functools import cache

import pyarrow as pa


@cache
def table_pool() -> pa.MemoryPool:
    """Return the pool for large columns; it returns memory to the system once it is free.

    The default one keeps what was freed in another thread, and small pieces between large ones,
    which doubles the memory that a table takes.
    """
    if "jemalloc" not in pa.supported_memory_backends():
        return pa.default_memory_pool()
    pa.jemalloc_set_decay_ms(0)
    return pa.jemalloc_memory_pool()
