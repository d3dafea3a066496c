"""Two processes that train together, forked so that PyTorch is imported once for all."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def fork_two(function: Callable[[], int | None]) -> list[int]:
    """Call a function in two forks of this process, with the variables that torchrun sets.

    Returns the exit statuses, as `os.waitpid` gives them. When one fork dies of a signal or
    ends with an error, the other is left to notice that by itself.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    group |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    children = []
    for rank in ("0", "1"):
        child = os.fork()
        if child == 0:
            os.environ.update(group, RANK=rank, LOCAL_RANK=rank)
            code = 1
            try:
                code = function() or 0
            except BaseException:
                traceback.print_exc()
            from neuropil.training.processes import leave

            leave()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        children.append(child)
    return [os.waitpid(child, 0)[1] for child in children]
