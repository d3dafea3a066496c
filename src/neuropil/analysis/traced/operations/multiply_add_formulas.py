"""Formulas for the multiply–adds of PyTorch's operations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from neuropil.analysis.traced.runs.allocator import PARTS, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Maps the arguments and the output of an operation to its multiply–adds.
Formula: TypeAlias = "Callable[[tuple[Any, ...], Any], int]"


def convolution(args: tuple[Any, ...], output: Any) -> int:
    """Convolution: C/groups · F·F for each element of the output."""
    # The weight is (K, C/groups, F, F); without K, it is the cost of one output element.
    weight = args[1]
    return output.numel() * weight.numel() // max(len(weight), 1)


def transposed_convolution(args: tuple[Any, ...], _output: Any) -> int:
    """Transposed convolution: K/groups · F·F for each element of the input."""
    return convolution(args, args[0])


def any_convolution(args: tuple[Any, ...], output: Any) -> int:
    """The operator for both convolutions."""
    return (transposed_convolution if args[6] else convolution)(args, output)


def product(left: int, right: int) -> Formula:
    """Return the formula of a matrix product: rows · inner · columns, times the batch."""

    def formula(args: tuple[Any, ...], _output: Any) -> int:
        one, other = args[left], args[right]
        if is_sparse(other) and not is_sparse(one):
            return stored_elements(other) * (one.shape[-2] if one.ndim > 1 else 1)
        return stored_elements(one) * (other.shape[-1] if other.ndim > 1 else 1)

    return formula


def grouped_product(args: tuple[Any, ...], _output: Any) -> int:
    """Grouped product: rows · inner · columns, where rows, columns or inner axis are split."""
    one, other = args[:2]
    rows_of_all = one.ndim == 3 and other.ndim == 2
    rows = one.shape[-2] * one.shape[-1] if rows_of_all else one.numel()
    return rows * other.shape[-1]


def is_sparse(tensor: Tensor) -> bool:
    """Tell whether a tensor is sparse."""
    return tensor.layout in PARTS


def stored_elements(tensor: Tensor) -> int:
    """Return the number of elements that a tensor stores."""
    return parts_of(tensor)[-1].numel() if is_sparse(tensor) else tensor.numel()


def linear(args: tuple[Any, ...], _output: Any) -> int:
    """Linear layer: inputs · outputs for each vector."""
    return args[0].numel() * (len(args[1]) if args[1].ndim > 1 else 1)


def attention(args: tuple[Any, ...], _output: Any) -> int:
    """Attention: queries · keys · (width of keys + width of values)."""
    query, key, value = args[:3]
    # For each pair, Q·Kᵀ takes the width of the keys, the weighted sum that of the values.
    queries = query.numel() // max(query.shape[-1], 1)
    return queries * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def recurrent(*places: int) -> Formula:
    """Return the formula of recurrent layers: every weight once for each vector of the input.

    Args:
        places: Positions of the weights, or of a list of them, among the arguments.
    """

    def formula(args: tuple[Any, ...], _output: Any) -> int:
        weights = tree_leaves([args[place] for place in places])
        matrices = sum(weight.numel() for weight in weights if weight.ndim > 1)
        return math.prod(args[0].shape[:-1]) * matrices

    return formula


def bilinear(args: tuple[Any, ...], output: Any) -> int:
    """Bilinear layer: N_1 · N_2 for each element of the output, then N_1 more."""
    _, first, second = args[2].shape
    return output.numel() * first * (second + 1)


def trilinear(args: tuple[Any, ...], _output: Any) -> int:
    """Kernel of `bilinear`, forward and backward: two products, the first one summed."""
    lengths: list[int] = []
    for factor, repeated in zip(args[:3], args[3:6], strict=True):
        own = iter(factor.shape)
        axes = range(factor.ndim + len(repeated))
        aligned = [1 if axis in repeated else next(own) for axis in axes]
        lengths = [max(pair) for pair in zip(lengths or aligned, aligned, strict=True)]
    last_summed = args[6][-1]
    return math.prod(lengths) + math.prod(lengths[:last_summed] + lengths[last_summed + 1 :])


def fused_attention(args: tuple[Any, ...], _output: Any) -> int:
    """Fused attention: projections to queries, keys and values, attention, last projection."""
    query, key, value, width = args[:4]
    return projected_attention(query, key, value, width) + query.numel() * width


def fused_encoder(args: tuple[Any, ...], _output: Any) -> int:
    """Fused encoder layer: fused attention and two linear layers."""
    source, width = args[:2]
    both = sum(weight.numel() for weight in (args[14], args[16]))
    tokens = source.numel() // width
    return projected_attention(source, source, source, width) + tokens * (width**2 + both)


def projected_attention(query: Tensor, key: Tensor, value: Tensor, width: int) -> int:
    """Return the cost of projections to queries, keys and values, and of all pairs."""
    projections = sum(tensor.numel() * width for tensor in (query, key, value))
    pairs = query.numel() // width * key.shape[-2]
    return projections + pairs * 2 * width


def no_sum(_args: tuple[Any, ...], output: Any) -> int:
    """Outer product that is added to another matrix: one for each element."""
    return output.numel()


def distances(args: Sequence[Any], output: Any) -> int:
    """Distances: one square for each coordinate of each pair; other powers count as none."""
    squares = len(args) < 3 or math.isclose(args[2], 2)
    return output.numel() * args[0].shape[-1] if squares else 0


def distances_within(args: Sequence[Any], output: Any) -> int:
    """Distances between the vectors of one set: one square for each coordinate of each pair."""
    squares = len(args) < 2 or math.isclose(args[1], 2)
    return output.numel() * args[0].shape[-1] if squares else 0


def convolution_of_sequences(args: tuple[Any, ...], output: Any) -> int:
    """Convolution of sequences: F · C for each output element; the weight is (F, C, K)."""
    return output.numel() * args[1].shape[0] * args[1].shape[1]


def products_of_pairs(args: tuple[Any, ...], _output: Any) -> int:
    """Scalar products along an axis: one for each pair of elements, after broadcasting."""
    return math.prod(torch.broadcast_shapes(args[0].shape, args[1].shape))


def weighted_rows(args: tuple[Any, ...], _output: Any) -> int:
    """Weighted sums of embeddings: the width per weighted row; plain sums count as none."""
    weights = next(
        (a for a in args[3:] if isinstance(a, Tensor) and a.is_floating_point()), None
    )
    return 0 if weights is None else weights.numel() * args[0].shape[-1]


def quantized_linear(args: tuple[Any, ...], output: Any) -> int:
    """Quantised linear layer with packed weights: inputs · outputs for each vector."""
    return args[0].numel() * output.shape[-1]


def quantized_convolution(args: tuple[Any, ...], output: Any) -> int:
    """Quantised convolution with packed weights: C/groups · F·F for each output element."""
    return convolution((None, args[1].unpack()[0]), output)
