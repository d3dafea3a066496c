"""Table of the multiply–add formula of each operation."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from torch import Tensor

from neuropil.analysis.traced.operations import multiply_add_formulas as formulas
from neuropil.analysis.traced.operations.operation_names import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch._ops import OpOverload

    from neuropil.analysis.traced.operations.multiply_add_formulas import Formula


def multiply_adds(formula: Formula, args: Sequence[Any], output: Any) -> int:
    """Return the multiply–adds of an operation.

    A product of complex numbers counts as four real ones. For nested tensors, the sum is taken
    over their components.
    """
    tensors = [a for a in args if isinstance(a, Tensor)]
    if any(tensor.is_nested for tensor in tensors):
        pieces = zip(*(components(value) for value in (*args, output)), strict=False)
        return sum(multiply_adds(formula, some, last) for *some, last in pieces)
    complex_ = any(tensor.is_complex() for tensor in tensors)
    return formula(tuple(args), output) * (4 if complex_ else 1)


def components(value: Any) -> Iterable[Any]:
    """Return the components of a nested tensor; any other value, repeated endlessly."""
    nested = isinstance(value, Tensor) and value.is_nested
    return value.unbind() if nested else itertools.repeat(value)


GROUPS: dict[Formula, str] = {
    formulas.any_convolution: "convolution convolution_overrideable _convolution",
    formulas.convolution: """
        conv1d conv2d conv3d mkldnn_convolution cudnn_convolution cudnn_convolution_relu
        miopen_convolution _conv_depthwise2d conv_depthwise3d
        _nnpack_spatial_convolution _slow_conv2d_forward slow_conv3d_forward
        slow_conv_dilated2d slow_conv_dilated3d
    """,
    formulas.transposed_convolution: """
        conv_transpose1d conv_transpose2d conv_transpose3d cudnn_convolution_transpose
        miopen_convolution_transpose slow_conv_transpose2d slow_conv_transpose3d
    """,
    formulas.linear: "mkldnn_linear linear",
    formulas.product(0, 1): "mm bmm mv dot vdot _int_mm hspmm _scaled_mm",
    formulas.product(1, 2): """
        _sparse_addmm sspaddmm addmm _addmm_activation addmv addbmm baddbmm
    """,
    formulas.grouped_product: "_grouped_mm _scaled_grouped_mm",
    formulas.products_of_pairs: "linalg_vecdot cosine_similarity",
    formulas.convolution_of_sequences: "conv_tbc",
    formulas.distances: "_euclidean_dist _cdist_forward",
    formulas.distances_within: "_pdist_forward",
    formulas.weighted_rows: "embedding_bag _embedding_bag _embedding_bag_forward_only",
    formulas.no_sum: "addr",
    formulas.bilinear: "bilinear",
    formulas.trilinear: "_trilinear",
    formulas.attention: """
        scaled_dot_product_attention _scaled_dot_product_attention_math
        _scaled_dot_product_attention_math_for_mps _scaled_dot_product_flash_attention
        _scaled_dot_product_flash_attention_for_cpu
        _scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention
        _scaled_dot_product_fused_attention_overrideable
    """,
    formulas.fused_attention: "_native_multi_head_attention",
    formulas.fused_encoder: "_transformer_encoder_layer_fwd",
    formulas.recurrent(1, 2, 3, 4): "mkldnn_rnn_layer",
    formulas.recurrent(2, 3): "lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell",
}
BY_NAME = {name: formula for formula, names in GROUPS.items() for name in names.split()}
RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
PADDED, PACKED = formulas.recurrent(2), formulas.recurrent(3)


QUANTIZED: dict[str, Formula] = {
    **dict.fromkeys(
        ("linear", "linear_relu", "linear_dynamic", "linear_relu_dynamic"),
        formulas.quantized_linear,
    ),
    **dict.fromkeys(
        (f"conv{rank}d{rest}" for rank in (1, 2, 3) for rest in ("", "_relu", "_dynamic")),
        formulas.quantized_convolution,
    ),
}


@functools.cache
def formula_of(operation: OpOverload) -> Formula | None:
    """Return the multiply–add formula of an operation; ``None`` where it has none."""
    name = name_of(operation)
    if name.space == "quantized":
        return QUANTIZED.get(name.name)
    if name.space != "aten":
        return None
    if name.name in RECURRENT:
        return PACKED if name.overload == "data" else PADDED
    return BY_NAME.get(name.name)
