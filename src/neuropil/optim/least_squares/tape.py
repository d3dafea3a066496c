"""Record a closure's run: the functions that it calls, and where it uses the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LINEAR = ("input", "weight", "bias")
CONVOLUTION = (*LINEAR, "stride", "padding", "dilation", "groups")
NAMES: dict[Any, tuple[str, ...]] = {
    F.linear: LINEAR,
    torch.conv1d: CONVOLUTION,
    torch.conv2d: CONVOLUTION,
    torch.conv3d: CONVOLUTION,
}
PLAIN = {bool, int, float, str}


class Product(NamedTuple):
    """One call of a linear map or a convolution with weights that are parameters.

    Attributes:
        input: The other factor, with the batch axis first.
        output: The result, as an edge of the autograd graph.
        output_shape: The shape of the result.
        weight: Position of the weight among the parameters; None if it is not one of them.
        bias: Position of the bias among the parameters; None if it is not one of them.
        window: Stride, padding, dilation and groups of a convolution; None for a linear map.
    """

    input: Tensor
    output: GradientEdge
    output_shape: torch.Size
    weight: int | None
    bias: int | None
    window: tuple[Any, ...] | None


@final
class Tape(TorchFunctionMode):
    """A context that records calls of torch functions and products with parameters.

    Args:
        parameters: The parameters to look for.

    Attributes:
        calls: Functions and their plain arguments, in the order of the calls.
        products: The products with parameters, in the order of the calls.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        super().__init__()
        self.places = {id(p): place for place, p in enumerate(parameters)}
        self.clear()

    def clear(self) -> None:
        """Drop the records, and with them the autograd graph."""
        self.calls: list[Any] = []
        self.products: list[Product] = []

    @override
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        value = func(*args, **named)
        self.calls.append(func)
        self.calls += [a for a in (*args, *named.values()) if a.__class__ in PLAIN]
        if func in NAMES:
            given = dict(zip(NAMES[func], args, strict=False)) | named
            self.note(given, value, convolves=NAMES[func] is CONVOLUTION)
        return value

    def note(self, given: dict[str, Any], output: Tensor, *, convolves: bool) -> None:
        """Record a product if its weight or bias is one of the parameters."""
        weight = self.places.get(id(given["weight"]))
        bias = self.places.get(id(given.get("bias")))
        if (weight is None and bias is None) or not output.requires_grad:
            return
        window = tuple(given.get(name, DEFAULTS[name]) for name in CONVOLUTION[3:])
        self.products.append(
            Product(
                given["input"].detach(),
                # Not the tensor itself: an activation may overwrite it in place.
                get_gradient_edge(output),
                output.shape,
                weight,
                bias,
                window if convolves else None,
            )
        )


DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
