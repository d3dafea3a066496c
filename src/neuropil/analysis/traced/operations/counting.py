"""How the multiply–adds of each operation are counted."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from torch import Tensor

from neuropil.analysis.traced.operations import formulas
from neuropil.analysis.traced.operations.operation_names import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch._ops import OpOverload

    from neuropil.analysis.traced.operations.formulas import Formula


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
    "convolution": formulas.any_convolution,
    "convolution_overrideable": formulas.any_convolution,
    "_convolution": formulas.any_convolution,
    "conv1d": formulas.convolution,
    "conv2d": formulas.convolution,
    "conv3d": formulas.convolution,
    "conv_transpose1d": formulas.transposed_convolution,
    "conv_transpose2d": formulas.transposed_convolution,
    "conv_transpose3d": formulas.transposed_convolution,
    "mkldnn_convolution": formulas.convolution,
    "cudnn_convolution": formulas.convolution,
    "cudnn_convolution_relu": formulas.convolution,
    "cudnn_convolution_transpose": formulas.transposed_convolution,
    "miopen_convolution": formulas.convolution,
    "miopen_convolution_transpose": formulas.transposed_convolution,
    "_conv_depthwise2d": formulas.convolution,
    "conv_depthwise3d": formulas.convolution,
    "_nnpack_spatial_convolution": formulas.convolution,
    "_slow_conv2d_forward": formulas.convolution,
    "slow_conv3d_forward": formulas.convolution,
    "slow_conv_dilated2d": formulas.convolution,
    "slow_conv_dilated3d": formulas.convolution,
    "slow_conv_transpose2d": formulas.transposed_convolution,
    "slow_conv_transpose3d": formulas.transposed_convolution,
    "mkldnn_linear": formulas.linear,
    "linear": formulas.linear,
    "mm": formulas.product(0, 1),
    "bmm": formulas.product(0, 1),
    "mv": formulas.product(0, 1),
    "dot": formulas.product(0, 1),
    "vdot": formulas.product(0, 1),
    "_int_mm": formulas.product(0, 1),
    "_sparse_addmm": formulas.product(1, 2),
    "sspaddmm": formulas.product(1, 2),
    "hspmm": formulas.product(0, 1),
    "_grouped_mm": formulas.grouped_product,
    "_scaled_grouped_mm": formulas.grouped_product,
    "linalg_vecdot": formulas.products_of_pairs,
    "cosine_similarity": formulas.products_of_pairs,
    "conv_tbc": formulas.convolution_of_sequences,
    "_euclidean_dist": formulas.distances,
    "_pdist_forward": formulas.distances_within,
    "embedding_bag": formulas.weighted_rows,
    "_embedding_bag": formulas.weighted_rows,
    "_embedding_bag_forward_only": formulas.weighted_rows,
    "_scaled_mm": formulas.product(0, 1),
    "addmm": formulas.product(1, 2),
    "_addmm_activation": formulas.product(1, 2),
    "addmv": formulas.product(1, 2),
    "addbmm": formulas.product(1, 2),
    "baddbmm": formulas.product(1, 2),
    "addr": formulas.no_sum,
    "bilinear": formulas.bilinear,
    "_trilinear": formulas.trilinear,
    "_cdist_forward": formulas.distances,
    "scaled_dot_product_attention": formulas.attention,
    "_scaled_dot_product_attention_math": formulas.attention,
    "_scaled_dot_product_attention_math_for_mps": formulas.attention,
    "_scaled_dot_product_flash_attention": formulas.attention,
    "_scaled_dot_product_flash_attention_for_cpu": formulas.attention,
    "_scaled_dot_product_efficient_attention": formulas.attention,
    "_scaled_dot_product_cudnn_attention": formulas.attention,
    "_scaled_dot_product_fused_attention_overrideable": formulas.attention,
    "_native_multi_head_attention": formulas.fused_attention,
    "_transformer_encoder_layer_fwd": formulas.fused_encoder,
    "mkldnn_rnn_layer": formulas.recurrent_layer,
    "lstm_cell": formulas.recurrent_cell,
    "gru_cell": formulas.recurrent_cell,
    "rnn_tanh_cell": formulas.recurrent_cell,
    "rnn_relu_cell": formulas.recurrent_cell,
}
RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


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
    """Return how an operation's multiply–adds are counted; ``None`` where it has none."""
    name = name_of(operation)
    if name.space == "quantized":
        return QUANTIZED.get(name.name)
    if name.space != "aten":
        return None
    if name.name in RECURRENT:
        return formulas.packed_recurrent if name.overload == "data" else formulas.recurrent
    return BY_NAME.get(name.name)
