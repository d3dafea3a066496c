"""Table of the receptive-field rule of each operation, by name."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive import concatenation_rules as concatenation
from neuropil.analysis.traced.receptive import elementwise_rules as elementwise
from neuropil.analysis.traced.receptive import indexing_rules as indexing
from neuropil.analysis.traced.receptive import mixing_rules as mixing
from neuropil.analysis.traced.receptive import rearrangement_rules as rearrangement
from neuropil.analysis.traced.receptive import window_rules as windows
from neuropil.analysis.traced.receptive.operands import unknown

if TYPE_CHECKING:
    from torch._ops import OpOverload

    from neuropil.analysis.traced.receptive.operands import Rule

GROUPS: dict[Rule, str] = {
    elementwise.elementwise: "hardswish _prelu_kernel rrelu rrelu_with_noise floor_divide "
    "remainder fmod softshrink hardshrink square bernoulli normal isclose rsub masked_fill "
    "complex polar log_sigmoid_forward",
    elementwise.loss: "mse_loss huber_loss smooth_l1_loss soft_margin_loss "
    "binary_cross_entropy binary_cross_entropy_with_logits",
    elementwise.first_only: "batch_norm native_batch_norm _native_batch_norm_legit "
    "_native_batch_norm_legit_no_training _batch_norm_with_update cudnn_batch_norm "
    "miopen_batch_norm layer_norm native_layer_norm group_norm native_group_norm "
    "instance_norm rms_norm _fused_rms_norm dropout native_dropout alpha_dropout "
    "feature_dropout expand expand_as broadcast_to to _to_copy contiguous detach alias "
    "lift_fresh clone type_as _conj positive prelu tril triu isin bucketize "
    "masked_scatter index_fill index_copy index_add index_reduce index_put _unsafe_index_put "
    "_index_put_impl scatter scatter_add scatter_reduce put",
    elementwise.second_only: "copy",
    elementwise.sees_nothing: "zeros_like ones_like full_like empty_like rand_like randn_like "
    "new_zeros new_ones new_full new_empty new_empty_strided zero uniform exponential "
    "geometric cauchy log_normal random size sym_size stride sym_stride numel sym_numel",
    elementwise.fill: "fill",
    elementwise.same_order: "view _unsafe_view reshape flatten unflatten squeeze unsqueeze "
    "view_as _reshape_alias",
    rearrangement.permute: "permute",
    rearrangement.transpose: "transpose t swapaxes swapdims",
    rearrangement.slice_: "slice",
    rearrangement.select: "select",
    rearrangement.split: "split chunk split_with_sizes unsafe_split unsafe_split_with_sizes",
    rearrangement.unbind: "unbind",
    rearrangement.flip: "flip",
    rearrangement.roll: "roll",
    rearrangement.repeat: "repeat",
    concatenation.cat: "cat concat concatenate",
    concatenation.stack: "stack",
    windows.convolution: "conv1d conv2d conv3d",
    windows.transposed_convolution: "conv_transpose1d conv_transpose2d conv_transpose3d",
    windows.any_convolution: "convolution _convolution convolution_overrideable",
    windows.pooling(1): "max_pool1d avg_pool1d max_pool1d_with_indices",
    windows.pooling(2): "max_pool2d avg_pool2d max_pool2d_with_indices",
    windows.pooling(3): "max_pool3d avg_pool3d max_pool3d_with_indices",
    windows.adaptive_pooling(1): "adaptive_avg_pool1d adaptive_max_pool1d",
    windows.adaptive_pooling(2): "adaptive_avg_pool2d _adaptive_avg_pool2d adaptive_max_pool2d",
    windows.adaptive_pooling(3): "adaptive_avg_pool3d _adaptive_avg_pool3d adaptive_max_pool3d",
    windows.pad: "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
    "replication_pad1d replication_pad2d replication_pad3d",
    windows.unfold: "unfold",
    windows.pixel_shuffle: "pixel_shuffle",
    windows.pixel_unshuffle: "pixel_unshuffle",
    mixing.reduction(1): "mean sum amax amin max min var std var_mean std_mean logsumexp "
    "prod nanmean nansum all any argmax argmin median nanmedian count_nonzero",
    mixing.reduction(1, -1): "mode",
    mixing.reduction(2, -1): "kthvalue",
    mixing.reduction(9): "aminmax",
    mixing.mix(1): "sort argsort softmax _softmax _safe_softmax log_softmax _log_softmax",
    mixing.mix(2): "topk",
    mixing.mix(9): "linear multinomial",
    mixing.mix(9, 0): "msort",
    mixing.mix(9, 1): "channel_shuffle native_channel_shuffle",
    indexing.cumulative: "cumsum cumprod cummax cummin logcumsumexp",
    indexing.gather: "gather",
    indexing.index_select: "index_select",
    indexing.index_with: "index _unsafe_index",
    indexing.take: "take",
    indexing.unpool(2): "max_unpool2d",
    indexing.unpool(3): "max_unpool3d",
    indexing.search_sorted: "searchsorted",
    indexing.depends_on_everything: "nonzero nonzero_static nonzero_numpy argwhere "
    "_unique _unique2 unique_dim unique_consecutive unique_dim_consecutive bincount histc "
    "masked_select embedding_bag _embedding_bag _embedding_bag_forward_only "
    "repeat_interleave trace vdot",
    indexing.one_hot: "one_hot",
    mixing.norm: "norm linalg_vector_norm",
    mixing.glu: "glu",
    mixing.product(0): "mm bmm mv dot",
    mixing.product(1): "addmm baddbmm addmv",
    mixing.vector_products(2, -1): "linalg_vecdot",
    mixing.vector_products(2, 1): "cosine_similarity",
    mixing.bilinear: "bilinear",
    mixing.pairwise_distances: "_cdist_forward _euclidean_dist",
    mixing.attention: "scaled_dot_product_attention "
    "_scaled_dot_product_flash_attention_for_cpu",
    mixing.recurrent: "lstm gru rnn_tanh rnn_relu",
    elementwise.embedding: "embedding",
}  # fmt: skip
for rank, suffix in ((1, "1d"), (2, "2d"), (3, "3d")):
    GROUPS[windows.upsampling("nearest", rank)] = f"upsample_nearest{suffix}"
    GROUPS[windows.upsampling("nearest-exact", rank)] = f"_upsample_nearest_exact{suffix}"
GROUPS[windows.upsampling("linear", 1)] = "upsample_linear1d"
GROUPS[windows.upsampling("linear", 2)] = "upsample_bilinear2d"
GROUPS[windows.upsampling("linear", 3)] = "upsample_trilinear3d"
GROUPS[windows.upsampling("cubic", 2)] = "upsample_bicubic2d"

BY_NAME: dict[str, Rule] = {
    name: rule for rule, names in GROUPS.items() for name in names.split()
}

# Operations that use only the shape or type of their further operands, or overwrite them.
SHAPE_ONLY = frozenset(
    {"type_as", "to", "view_as", "expand_as", "reshape_as", "copy", "resize_as"}
).union(GROUPS[elementwise.sees_nothing].split())

# Operations that only view or copy data are drawn as lines in a diagram.
LINES = frozenset(
    name
    for rule in (
        *(elementwise.same_order, elementwise.sees_nothing, rearrangement.permute),
        *(rearrangement.transpose, rearrangement.slice_, rearrangement.select),
        *(rearrangement.split, rearrangement.unbind),
    )
    for name in GROUPS[rule].split()
).union(["clone", "detach", "contiguous", "to", "expand", "expand_as", "broadcast_to"])


@functools.cache
def rule_of(operation: OpOverload) -> Rule:
    """Return the receptive-field rule of an operation."""
    name = name_of(operation)
    rule = BY_NAME.get(name.name) if name.space == "aten" else None
    if rule is None:
        return elementwise.elementwise if torch.Tag.pointwise in operation.tags else unknown
    # Packed sequences have lost their axes.
    packed = rule is mixing.recurrent and name.overload != "input"
    return unknown if packed else rule
