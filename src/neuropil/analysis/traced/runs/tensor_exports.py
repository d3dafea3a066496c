"""Detection of data that leave PyTorch for Python or another library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from neuropil.analysis.traced.run_record import Step

if TYPE_CHECKING:
    from neuropil.analysis.traced.runs.tracer import Tracer


class ExportRecorder(TorchFunctionMode):
    """Records where data leave PyTorch, since no operation is dispatched for that.

    Args:
        tracer: The tracer that keeps the record.
    """

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in EXPORTING_METHODS and isinstance(args[0], Tensor):
            tracer = self.tracer
            read = torch.ops.aten._local_scalar_dense.default
            value = tracer.value(args[0])
            tracer.steps.append(Step(read, (value,), {}, (), tracer.stack[-1].place))
            if name != "tolist":
                tracer.exports.add(f"Tensor.{name}")
        return func(*args, **(kwargs or {}))


EXPORTING_METHODS = frozenset({"numpy", "__array__", "tolist", "__dlpack__"})
