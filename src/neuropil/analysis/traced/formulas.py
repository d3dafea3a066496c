"""Multiply–adds of each operation of PyTorch that multiplies and adds."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from neuropil.analysis.traced.allocator import PARTS, parts_of
from neuropil.analysis.traced.operations import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch._ops import OpOverload

# From what an operation takes and gives to its multiply–adds.
Formula: TypeAlias = "Callable[[tuple[Any, ...], Any], int]"


def convolution(args: tuple[Any, ...], output: Any) -> int:
    """C/groups · F·F for each number of the output."""
    weight = args[1]
    return output.numel() * weight.numel() // max(len(weight), 1)


def transposed_convolution(args: tuple[Any, ...], _output: Any) -> int:
    """K/groups · F·F for each number of the input."""
    return convolution(args, args[0])


def any_convolution(args: tuple[Any, ...], output: Any) -> int:
    """Either of these."""
    return (transposed_convolution if args[6] else convolution)(args, output)


def product(left: int, right: int) -> Formula:
    """Rows · inner · columns of a product of two of the arguments, one or many of them."""

    def formula(args: tuple[Any, ...], _output: Any) -> int:
        one, other = args[left], args[right]
        if is_sparse(other) and not is_sparse(one):
            return stored(other) * (one.shape[-2] if one.ndim > 1 else 1)
        return stored(one) * (other.shape[-1] if other.ndim > 1 else 1)

    return formula


def grouped_product(args: tuple[Any, ...], _output: Any) -> int:
    """Rows · inner · columns, where each row, column or inner place belongs to one group."""
    one, other = args[:2]
    rows_of_all = one.ndim == 3 and other.ndim == 2
    rows = one.shape[-2] * one.shape[-1] if rows_of_all else one.numel()
    return rows * other.shape[-1]


def is_sparse(tensor: Tensor) -> bool:
    """Tell whether a tensor holds only some of its numbers."""
    return tensor.layout in PARTS


def stored(tensor: Tensor) -> int:
    """Return how many numbers a tensor holds: of a sparse one those that are there."""
    return parts_of(tensor)[-1].numel() if is_sparse(tensor) else tensor.numel()


def linear(args: tuple[Any, ...], _output: Any) -> int:
    """Inputs · outputs for each vector."""
    return args[0].numel() * (len(args[1]) if args[1].ndim > 1 else 1)


def attention(args: tuple[Any, ...], _output: Any) -> int:
    """Queries · keys · (width of keys + width of values)."""
    query, key, value = args[:3]
    queries = query.numel() // max(query.shape[-1], 1)
    return queries * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def recurrent(args: tuple[Any, ...], _output: Any) -> int:
    """Every weight once for each step of each sequence."""
    steps = args[0].numel() // max(args[0].shape[-1], 1)
    return steps * matrices(args[2])


def packed_recurrent(args: tuple[Any, ...], _output: Any) -> int:
    """Every weight once for each step, of sequences that are packed together."""
    return len(args[0]) * matrices(args[3])


def recurrent_layer(args: tuple[Any, ...], _output: Any) -> int:
    """The same for one layer, as a fused kernel takes it."""
    return args[0].numel() // max(args[0].shape[-1], 1) * matrices(args[1:5])


def recurrent_cell(args: tuple[Any, ...], _output: Any) -> int:
    """The same for one step."""
    return len(args[0]) * matrices(args[2:4])


def matrices(weights: Any) -> int:
    """The numbers in all matrices among some weights."""
    return sum(weight.numel() for weight in weights if weight.ndim > 1)


def bilinear(args: tuple[Any, ...], output: Any) -> int:
    """N_1 · N_2 for each number of the output, then N_1 more."""
    _, first, second = args[2].shape
    return output.numel() * first * (second + 1)


def trilinear(args: tuple[Any, ...], output: Any) -> int:
    """The same below `bilinear`."""
    _, first, second = args[1].shape[-3:]
    return output.numel() * first * (second + 1)


def fused_attention(args: tuple[Any, ...], _output: Any) -> int:
    """The projections of queries, keys and values, attention, and the last projection."""
    query, key, value, width = args[:4]
    return attended(query, key, value, width) + query.numel() * width


def fused_encoder(args: tuple[Any, ...], _output: Any) -> int:
    """The same with the two layers behind it."""
    source, width = args[:2]
    both = sum(weight.numel() for weight in (args[14], args[16]))
    tokens = source.numel() // width
    return attended(source, source, source, width) + tokens * (width**2 + both)


def attended(query: Tensor, key: Tensor, value: Tensor, width: int) -> int:
    """Projections to queries, keys and values, and all pairs of them."""
    projections = sum(tensor.numel() * width for tensor in (query, key, value))
    pairs = query.numel() // width * key.shape[-2]
    return projections + pairs * 2 * width


def no_sum(_args: tuple[Any, ...], output: Any) -> int:
    """An outer product that is added to what it is given."""
    return output.numel()


def distances(args: Sequence[Any], output: Any) -> int:
    """A square for each number of each pair of vectors; other powers count as none."""
    squares = len(args) < 3 or math.isclose(args[2], 2)
    return output.numel() * args[0].shape[-1] if squares else 0


def distances_within(args: Sequence[Any], output: Any) -> int:
    """The same for each pair of one set of vectors."""
    squares = len(args) < 2 or math.isclose(args[1], 2)
    return output.numel() * args[0].shape[-1] if squares else 0


def convolution_of_sequences(args: tuple[Any, ...], output: Any) -> int:
    """F · C for each number of the output; the weight is (F, C, K)."""
    return output.numel() * args[1].shape[0] * args[1].shape[1]


def products_of_pairs(args: tuple[Any, ...], _output: Any) -> int:
    """One for each pair of numbers, of vectors that are stretched to each other."""
    return math.prod(torch.broadcast_shapes(args[0].shape, args[1].shape))


def weighted_rows(args: tuple[Any, ...], _output: Any) -> int:
    """Columns for each row that is weighted; sums of rows count as none."""
    weights = next(
        (a for a in args[3:] if isinstance(a, Tensor) and a.is_floating_point()), None
    )
    return 0 if weights is None else weights.numel() * args[0].shape[-1]


def quantized_linear(args: tuple[Any, ...], output: Any) -> int:
    """Inputs · outputs for each vector; the weights are packed."""
    return args[0].numel() * output.shape[-1]


def quantized_convolution(args: tuple[Any, ...], output: Any) -> int:
    """C/groups · F·F for each number of the output; the weights are packed."""
    weight = args[1].unpack()[0]
    return output.numel() * weight.numel() // max(len(weight), 1)


def multiply_adds(formula: Formula, args: Sequence[Any], output: Any) -> int:
    """Return the multiply–adds of an operation.

    A product of complex numbers is four of real ones; of nested tensors each counts by itself.
    """
    tensors = [a for a in args if isinstance(a, Tensor)]
    if any(tensor.is_nested for tensor in tensors):
        pieces = zip(*(unbound(value) for value in (*args, output)), strict=False)
        return sum(multiply_adds(formula, some, last) for *some, last in pieces)
    complex_ = any(tensor.is_complex() for tensor in tensors)
    return formula(tuple(args), output) * (4 if complex_ else 1)


def unbound(value: Any) -> Iterable[Any]:
    """Return the tensors of a nested one, or anything else again and again."""
    nested = isinstance(value, Tensor) and value.is_nested
    return value.unbind() if nested else itertools.repeat(value)


BY_NAME: dict[str, Formula] = {
    "convolution": any_convolution,
    "convolution_overrideable": any_convolution,
    "_convolution": any_convolution,
    "conv1d": convolution,
    "conv2d": convolution,
    "conv3d": convolution,
    "conv_transpose1d": transposed_convolution,
    "conv_transpose2d": transposed_convolution,
    "conv_transpose3d": transposed_convolution,
    "mkldnn_convolution": convolution,
    "cudnn_convolution": convolution,
    "cudnn_convolution_relu": convolution,
    "cudnn_convolution_transpose": transposed_convolution,
    "miopen_convolution": convolution,
    "miopen_convolution_transpose": transposed_convolution,
    "_conv_depthwise2d": convolution,
    "conv_depthwise3d": convolution,
    "_nnpack_spatial_convolution": convolution,
    "_slow_conv2d_forward": convolution,
    "slow_conv3d_forward": convolution,
    "slow_conv_dilated2d": convolution,
    "slow_conv_dilated3d": convolution,
    "slow_conv_transpose2d": transposed_convolution,
    "slow_conv_transpose3d": transposed_convolution,
    "mkldnn_linear": linear,
    "linear": linear,
    "mm": product(0, 1),
    "bmm": product(0, 1),
    "mv": product(0, 1),
    "dot": product(0, 1),
    "vdot": product(0, 1),
    "_int_mm": product(0, 1),
    "_sparse_addmm": product(1, 2),
    "sspaddmm": product(1, 2),
    "hspmm": product(0, 1),
    "_grouped_mm": grouped_product,
    "_scaled_grouped_mm": grouped_product,
    "linalg_vecdot": products_of_pairs,
    "cosine_similarity": products_of_pairs,
    "conv_tbc": convolution_of_sequences,
    "_euclidean_dist": distances,
    "_pdist_forward": distances_within,
    "embedding_bag": weighted_rows,
    "_embedding_bag": weighted_rows,
    "_embedding_bag_forward_only": weighted_rows,
    "_scaled_mm": product(0, 1),
    "addmm": product(1, 2),
    "_addmm_activation": product(1, 2),
    "addmv": product(1, 2),
    "addbmm": product(1, 2),
    "baddbmm": product(1, 2),
    "addr": no_sum,
    "bilinear": bilinear,
    "_trilinear": trilinear,
    "_cdist_forward": distances,
    "scaled_dot_product_attention": attention,
    "_scaled_dot_product_attention_math": attention,
    "_scaled_dot_product_attention_math_for_mps": attention,
    "_scaled_dot_product_flash_attention": attention,
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "_scaled_dot_product_efficient_attention": attention,
    "_scaled_dot_product_cudnn_attention": attention,
    "_scaled_dot_product_fused_attention_overrideable": attention,
    "_native_multi_head_attention": fused_attention,
    "_transformer_encoder_layer_fwd": fused_encoder,
    "mkldnn_rnn_layer": recurrent_layer,
    "lstm_cell": recurrent_cell,
    "gru_cell": recurrent_cell,
    "rnn_tanh_cell": recurrent_cell,
    "rnn_relu_cell": recurrent_cell,
}
RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


QUANTIZED: dict[str, Formula] = {
    **dict.fromkeys(
        ("linear", "linear_relu", "linear_dynamic", "linear_relu_dynamic"), quantized_linear
    ),
    **dict.fromkeys(
        (f"conv{rank}d{rest}" for rank in (1, 2, 3) for rest in ("", "_relu", "_dynamic")),
        quantized_convolution,
    ),
}


@functools.cache
def formula_of(operation: OpOverload) -> Formula | None:
    """Return how an operation's multiply–adds are counted; ``None`` where it has none."""
    name = name_of(operation)
    if name.space == "quantized":
        return QUANTIZED.get(name.name)
    if name.space != "aten":
        return None
    if name.name in RECURRENT:
        return packed_recurrent if name.overload == "data" else recurrent
    return BY_NAME.get(name.name)
