"""Computation for a few pictures at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# Numbers in the pictures of a part: of single precision, they fit into the cache of a core.
MOST = 2**18


def in_parts(function: Callable[..., Tensor], *batches: Tensor) -> Tensor:
    """Return the result of a function of batches; on a CPU a few pictures at a time.

    The intermediate results of a part stay in the cache. Those of a whole batch are also so
    large that the system takes their memory back each time and clears it for the next one,
    which can take longer than the computation.

    Args:
        function: Returns one result per picture, which does not depend on other pictures.
        *batches: Its arguments, with the pictures along axis 0; the first decides on the parts.
    """
    first = batches[0]
    count = max(1, MOST // max(1, first[:1].numel()))
    if first.device.type != "cpu" or len(first) <= count:
        return function(*batches)
    part = function(*(batch[:count] for batch in batches))
    result = part.new_empty(len(first), *part.shape[1:])
    result[:count] = part
    for start in range(count, len(first), count):
        places = slice(start, start + count)
        result[places] = function(*(batch[places] for batch in batches))
    return result
