"""Numbers that leave PyTorch for Python or another library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.analysis.traced.run_record import Step

if TYPE_CHECKING:
    from neuropil.analysis.traced.runs.tracer import Tracer


class Leaving(TorchFunctionMode):
    """Notes where numbers leave PyTorch, which no operation shows.

    Args:
        tracer: Where it is noted.
    """

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in LEAVING and isinstance(args[0], Tensor):
            tracer = self.tracer
            read = torch.ops.aten._local_scalar_dense.default
            value = tracer.value(args[0])
            tracer.steps.append(Step(read, (value,), {}, (), tracer.stack[-1].place))
            if name != "tolist":
                tracer.left.add(f"Tensor.{name}")
        return func(*args, **(kwargs or {}))


LEAVING = frozenset({"numpy", "__array__", "tolist", "__dlpack__"})
