"""Fast output shapes of the most common operations on the meta device.

They take a tenth of the time that PyTorch's own meta kernels take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch._ops import OpOverload

aten = torch.ops.aten


def fast_output(operation: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return an operation's output on the meta device; ``None`` leaves it to PyTorch.

    Invalid arguments are also left to PyTorch, whose error messages are the best.
    """
    rule = RULES.get(operation)
    if rule is None or (kwargs and rule is not elementwise):
        return None
    for value in args:
        for tensor in value if isinstance(value, tuple | list) else (value,):
            if isinstance(tensor, Tensor) and not is_plain(tensor, rule):
                return None
    return rule(*args)


def is_plain(tensor: Tensor, rule: Callable[..., Any]) -> bool:
    """Tell whether a rule may take a tensor.

    Only PyTorch knows which outputs preserve other memory formats. The output of a matrix
    product is contiguous in any case.
    """
    return tensor.is_meta and (rule is addmm or tensor.is_contiguous())


def convolution(
    x: Tensor,
    weight: Tensor,
    _bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    *rest: Any,
) -> Tensor | None:
    """Return a convolution's output; ``None`` leaves transposed and unusual ones to PyTorch."""
    transposed = len(rest) == 3 and rest[0]
    groups = rest[-1] if rest else 1
    fits = x.ndim == weight.ndim and x.shape[1] == weight.shape[1] * groups
    if transposed or not fits or isinstance(padding, str):
        return None
    lengths = windows(x, weight.shape[2:], stride, padding, dilation)
    return None if lengths is None else x.new_empty((x.shape[0], weight.shape[0], *lengths))


def windows(
    x: Tensor, sizes: Sequence[int], stride: Any, padding: Any, dilation: Any
) -> list[int] | None:
    """Return the number of windows along each axis; ``None`` where one does not fit."""
    lengths = []
    for axis, size in enumerate(sizes):
        extent = at(dilation, axis) * (size - 1) + 1
        room = x.shape[axis + 2] + 2 * at(padding, axis) - extent
        if room < 0:
            return None
        lengths.append(room // at(stride, axis) + 1)
    return lengths


def max_pooling(
    x: Tensor,
    size: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    *ceil_mode: object,
) -> tuple[Tensor, Tensor] | None:
    """Return the output and indices of max pooling; PyTorch's kernel would load SymPy."""
    sizes = (at(size, 0), at(size, 1))
    room = all(2 * at(padding, axis) <= sizes[axis] for axis in (0, 1))
    lengths = windows(x, sizes, stride or sizes, padding, dilation) if x.ndim == 4 else None
    if any(ceil_mode) or not room or lengths is None:
        return None
    shape = (*x.shape[:2], *lengths)
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int64)


def at(option: Any, axis: int) -> int:
    """Return the value of an option for one axis; one number may hold for all axes."""
    if isinstance(option, int):
        return option
    return option[axis] if len(option) > 1 else option[0]


def batch_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, *_: Any
) -> Tensor | None:
    """Return the output of batch normalisation; ``None`` if the statistics do not fit."""
    channels = x.shape[1] if x.ndim > 1 else 1
    fit = all(len(t) == channels for t in (weight, bias, mean) if t is not None)
    return x.new_empty(x.shape) if fit else None


def native_batch_norm(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor | None,
    _variance: Tensor | None,
    training: bool,  # noqa: FBT001 - the operation's own signature
    *_: Any,
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return the output and the statistics that are kept for the backward pass."""
    output = batch_norm(x, weight, bias, mean)
    if output is None:
        return None
    like = x if weight is None else weight
    kept = x.shape[1] if training else 0
    return output, like.new_empty(kept), like.new_empty(kept)


def batch_norm_backward(
    _gradient: Tensor, x: Tensor, weight: Tensor | None, *rest: Any
) -> tuple[Tensor | None, ...]:
    """Return the requested gradients."""
    return gradients(x, x if weight is None else weight, (x.shape[1],), rest[-1])


def gradients(
    x: Tensor, like: Tensor, shape: Sequence[int], wants: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return the requested gradients of the input, the weight and the bias of a normalisation.

    Args:
        x: The input.
        like: Tensor of the type of the weight.
        shape: Shape of the weight and the bias.
        wants: Which gradients are requested.
    """
    shapes = (x, x.shape), (like, shape), (like, shape)
    return tuple(
        tensor.new_empty(own) if wanted else None
        for (tensor, own), wanted in zip(shapes, wants, strict=True)
    )


def layer_norm(x: Tensor, shape: Sequence[int], *_: Any) -> Tensor | None:
    """Return the output of a normalisation along the last axes."""
    return x.new_empty(x.shape) if tuple(x.shape[-len(shape) :]) == tuple(shape) else None


def native_layer_norm(
    x: Tensor, shape: Sequence[int], *_: Any
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return the output and the statistics that are kept for the backward pass."""
    output = layer_norm(x, shape)
    if output is None:
        return None
    kept = (*x.shape[: -len(shape)], *(1 for _ in shape))
    return output, x.new_empty(kept), x.new_empty(kept)


def layer_norm_backward(
    _gradient: Tensor, x: Tensor, shape: Sequence[int], *rest: Any
) -> tuple[Tensor | None, ...]:
    """Return the requested gradients."""
    return gradients(x, x, shape, rest[-1])


def linear(x: Tensor, weight: Tensor, _bias: Tensor | None = None) -> Tensor | None:
    """Return the output of a linear layer."""
    fits = weight.ndim == 2 and x.ndim and x.shape[-1] == weight.shape[1]
    return x.new_empty((*x.shape[:-1], weight.shape[0])) if fits else None


def addmm(_bias: Tensor, left: Tensor, right: Tensor) -> Tensor | None:
    """Return the output of a matrix product."""
    fits = left.ndim == right.ndim == 2 and left.shape[1] == right.shape[0]
    return left.new_empty((left.shape[0], right.shape[1])) if fits else None


def lstm(x: Tensor, states: Any, weights: Any, *rest: Any) -> tuple[Tensor, ...] | None:
    """Return the outputs and last states of a recurrent layer."""
    if x.ndim != 3 or weights[0].shape[-1] != x.shape[-1]:
        return None
    width = states[0].shape[-1] * (1 + bool(rest[4]))
    return x.new_empty((*x.shape[:-1], width)), *(
        state.new_empty(state.shape) for state in states
    )


def recurrent(x: Tensor, state: Tensor, weights: Any, *rest: Any) -> tuple[Tensor, ...] | None:
    """Return the outputs and the last state of a recurrent layer with one state."""
    return lstm(x, (state,), weights, *rest)


def cat(tensors: Sequence[Tensor], axis: int = 0) -> Tensor | None:
    """Return the output of concatenation along an axis."""
    first = tensors[0]
    axis %= max(first.ndim, 1)
    around = first.shape[:axis], first.shape[axis + 1 :]
    for tensor in tensors:
        same = tensor.ndim == first.ndim and tensor.dtype == first.dtype
        if not same or (tensor.shape[:axis], tensor.shape[axis + 1 :]) != around:
            return None
    length = sum(tensor.shape[axis] for tensor in tensors)
    return first.new_empty((*around[0], length, *around[1]))


def elementwise(x: Tensor, *rest: Any) -> Tensor | None:
    """Return the output of an elementwise operation on tensors of one shape and type."""
    return x.new_empty(x.shape) if all_like(x, rest) else None


def softmax(x: Tensor, axis: int, dtype: torch.dtype | None = None) -> Tensor | None:
    """Return the output of softmax; PyTorch's kernel would load SymPy, a third of a second."""
    return elementwise(x) if dtype is None and -x.ndim <= axis < x.ndim else None


def largest(x: Tensor, size: Any, *options: Any) -> Tensor | None:
    """Return the output of max pooling without indices."""
    found = max_pooling(x, size, *options)
    return None if found is None else found[0]


def mean(x: Tensor, axes: Sequence[int] | None, *options: object) -> Tensor | None:
    """Return the mean over axes; PyTorch's kernel would load its compiler, a second."""
    own = {axis % x.ndim for axis in axes or () if -x.ndim <= axis < x.ndim}
    keepdim, dtype = [*options, None, None][:2]
    if not axes or len(own) != len(axes) or dtype is not None or not x.is_floating_point():
        return None
    lengths = [1 if axis in own else n for axis, n in enumerate(x.shape)]
    return x.new_empty([n for axis, n in enumerate(lengths) if keepdim or axis not in own])


def elementwise_in_place(x: Tensor, *rest: Any) -> Tensor | None:
    """Return the output of an elementwise operation that writes into its first argument."""
    return x if all_like(x, rest) else None


def all_like(x: Tensor, others: Sequence[Any]) -> bool:
    """Tell whether all tensors have the shape and the floating-point type of the first."""
    return x.is_floating_point() and all(
        other.shape == x.shape and other.dtype == x.dtype
        for other in others
        if isinstance(other, Tensor)
    )


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.conv1d.default: convolution,
    aten.conv2d.default: convolution,
    aten.conv3d.default: convolution,
    aten.convolution.default: convolution,
    aten.batch_norm.default: batch_norm,
    aten.native_batch_norm.default: native_batch_norm,
    aten.native_batch_norm_backward.default: batch_norm_backward,
    aten.layer_norm.default: layer_norm,
    aten.native_layer_norm.default: native_layer_norm,
    aten.native_layer_norm_backward.default: layer_norm_backward,
    aten.linear.default: linear,
    aten.softmax.int: softmax,
    aten.mean.dim: mean,
    aten.max_pool2d.default: largest,
    aten.max_pool2d_with_indices.default: max_pooling,
    aten.addmm.default: addmm,
    aten.lstm.input: lstm,
    aten.gru.input: recurrent,
    aten.rnn_tanh.input: recurrent,
    aten.rnn_relu.input: recurrent,
    aten.cat.default: cat,
}
ELEMENTWISE = (
    *("add.Tensor", "sub.Tensor", "mul.Tensor", "mul.Scalar", "div.Tensor", "div.Scalar"),
    *("relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "hardtanh", "hardswish", "elu"),
    *("hardsigmoid", "leaky_relu", "mish", "softplus", "_softmax", "_safe_softmax"),
    *("threshold_backward", "gelu_backward", "silu_backward", "sigmoid_backward"),
    *("tanh_backward", "hardtanh_backward", "hardswish_backward", "elu_backward"),
    *("hardsigmoid_backward", "leaky_relu_backward"),
)
IN_PLACE = (
    *("add_.Tensor", "sub_.Tensor", "mul_.Tensor", "div_.Tensor", "relu_", "relu6_", "silu_"),
    *("hardtanh_", "hardswish_", "hardsigmoid_", "sigmoid_", "tanh_", "elu_", "leaky_relu_"),
)
for names, shared in ((ELEMENTWISE, elementwise), (IN_PLACE, elementwise_in_place)):
    for name in names:
        packet, _, overload = name.partition(".")
        found = getattr(getattr(aten, packet, None), overload or "default", None)
        if found is not None:
            RULES[found] = shared
