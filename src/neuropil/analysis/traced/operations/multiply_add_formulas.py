"""Multiply–adds of each operation of PyTorch that multiplies and adds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from neuropil.analysis.traced.runs.allocator import PARTS, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# From what an operation takes and gives to its multiply–adds.
Formula: TypeAlias = "Callable[[tuple[Any, ...], Any], int]"


def convolution(args: tuple[Any, ...], output: Any) -> int:
    """C/groups · F·F for each number of the output."""
    # The weight is (K, C/groups, F, F): without K, what one number of the output takes.
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
    # Q·Kᵀ takes the width of the keys for each pair, the weighted sum that of the values.
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


def trilinear(args: tuple[Any, ...], _output: Any) -> int:
    """The same below `bilinear`, forward and backward: two products, the first summed."""
    lengths: list[int] = []
    for factor, repeated in zip(args[:3], args[3:6], strict=True):
        own = iter(factor.shape)
        axes = range(factor.ndim + len(repeated))
        aligned = [1 if axis in repeated else next(own) for axis in axes]
        lengths = [max(pair) for pair in zip(lengths or aligned, aligned, strict=True)]
    last_summed = args[6][-1]
    return math.prod(lengths) + math.prod(lengths[:last_summed] + lengths[last_summed + 1 :])


def fused_attention(args: tuple[Any, ...], _output: Any) -> int:
    """The projections of queries, keys and values, attention, and the last projection."""
    query, key, value, width = args[:4]
    return projected_attention(query, key, value, width) + query.numel() * width


def fused_encoder(args: tuple[Any, ...], _output: Any) -> int:
    """The same with the two layers after it."""
    source, width = args[:2]
    both = sum(weight.numel() for weight in (args[14], args[16]))
    tokens = source.numel() // width
    return projected_attention(source, source, source, width) + tokens * (width**2 + both)


def projected_attention(query: Tensor, key: Tensor, value: Tensor, width: int) -> int:
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
