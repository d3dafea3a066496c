"""Operations without matrix products, which count as no multiply–adds."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from neuropil.analysis.traced.operations.formula_table import formula_of
from neuropil.analysis.traced.operations.operation_names import name_of

if TYPE_CHECKING:
    from torch._ops import OpOverload

# Operations that move, concatenate or select elements.
MOVES = """
    as_strided as_strided_scatter alias block_diag broadcast_to broadcast_tensors cat
    _chunk_cat channel_shuffle native_channel_shuffle clone chunk col2im concat concatenate
    constant_pad_nd contiguous copy _copy_from _copy_from_and_resize _lazy_clone detach diag
    diag_embed diagonal diagonal_scatter embedding expand expand_as fill_diagonal flatten flip
    gather im2col index _unsafe_index _unsafe_masked_index index_copy index_fill
    index_put _index_put_impl _unsafe_index_put index_select lift lift_fresh masked_fill
    masked_scatter masked_select movedim narrow nonzero argwhere nonzero_numpy nonzero_static
    one_hot permute pixel_shuffle pixel_unshuffle put reflection_pad1d reflection_pad2d
    reflection_pad3d repeat repeat_interleave replication_pad1d replication_pad2d
    replication_pad3d reshape _reshape_alias resize resize_as roll rot90 scatter
    select select_scatter set slice slice_scatter split split_with_sizes squeeze stack _stack
    swapaxes swapdims t take take_along_dim to to_mkldnn _to_copy transpose tril tril_indices
    triu triu_indices type_as unbind unflatten unfold unsafe_chunk unsafe_split
    unsafe_split_with_sizes _unsafe_view unsqueeze view view_as
    _pack_padded_sequence _pad_packed_sequence max_unpool2d max_unpool3d
"""
# Operations that create tensors.
CREATION = """
    arange bartlett_window bernoulli binomial blackman_window cauchy complex empty empty_like
    empty_permuted empty_quantized empty_strided exponential eye fill from_file full full_like
    geometric hamming_window hann_window kaiser_window linspace log_normal logspace multinomial
    new_empty new_empty_strided new_full new_ones new_zeros normal ones ones_like poisson rand
    rand_like randint randint_like randn randn_like random randperm range scalar_tensor uniform
    zero zeros zeros_like _efficientzerotensor _sample_dirichlet _standard_gamma
"""
# Reductions, cumulative operations and sorting.
REDUCTIONS = """
    all amax amin aminmax _aminmax any argmax argmin argsort bincount bucketize count_nonzero
    cummax _cummax_helper cummin _cummin_helper cumprod cumsum logcumsumexp _logcumsumexp dist
    histc histogram isin kthvalue linalg_vector_norm norm native_norm logsumexp max mean median
    min mode msort nanmean nanmedian nansum prod renorm embedding_renorm searchsorted
    segment_reduce sort std std_mean sum topk trace _unique _unique2 unique_consecutive
    unique_dim unique_dim_consecutive var var_mean index_add index_reduce scatter_add
    scatter_reduce _is_all_true _is_any_true hash_tensor
"""
# Operations that the literature counts as none: pooling, normalisation, activations, scaling.
CHEAP = """
    adaptive_avg_pool1d _adaptive_avg_pool2d adaptive_avg_pool2d _adaptive_avg_pool3d
    adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d avg_pool1d
    avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool3d max_pool1d
    max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d
    max_pool3d_with_indices mkldnn_max_pool2d mkldnn_max_pool3d mkldnn_adaptive_avg_pool2d
    alpha_dropout dropout feature_dropout feature_alpha_dropout native_dropout _masked_scale
    batch_norm _batch_norm_no_update _batch_norm_with_update
    _batch_norm_with_update_functional _batch_norm_impl_index cudnn_batch_norm
    miopen_batch_norm native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_functional _native_batch_norm_legit_no_training group_norm
    native_group_norm instance_norm layer_norm native_layer_norm rms_norm _fused_rms_norm
    _weight_norm _weight_norm_interface
    _add_relu glu hardswish log_sigmoid_forward log_softmax _log_softmax prelu _prelu_kernel
    rrelu_with_noise rrelu_with_noise_functional _safe_softmax softmax _softmax
    _masked_softmax floor_divide hardshrink remainder rrelu rsub softshrink isclose
    allclose equal polar positive _conj
    cudnn_grid_sampler grid_sampler grid_sampler_2d grid_sampler_3d
    _grid_sampler_2d_cpu_fallback _upsample_bicubic2d_aa _upsample_bilinear2d_aa
    _upsample_lanczos2d_aa _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d upsample_bicubic2d upsample_bilinear2d upsample_linear1d
    upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d
    _thnn_fused_gru_cell _thnn_fused_lstm_cell
    binary_cross_entropy binary_cross_entropy_with_logits _ctc_loss huber_loss mse_loss
    multi_margin_loss multilabel_margin_loss_forward nll_loss_forward nll_loss2d_forward
    smooth_l1_loss soft_margin_loss
    quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic dequantize int_repr
    fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask
    _fake_quantize_learnable_per_channel_affine _fake_quantize_learnable_per_tensor_affine
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
"""
# Operations on the tensor objects themselves, or that hand data to Python.
TENSOR_HANDLING = """
    _assert_async _assert_scalar _assert_tensor_metadata _functional_assert_async
    _functional_assert_scalar _functional_sym_constrain_range
    _functional_sym_constrain_range_for_size sym_constrain_range
    sym_constrain_range_for_size _local_scalar_dense item is_nonzero is_same_size is_set_to
    is_coalesced is_pinned _pin_memory dense_dim sparse_dim _dimI _dimV _nnz _indices _values
    indices values crow_indices col_indices ccol_indices row_indices _coalesce _coalesced
    coalesce size sym_size stride sym_stride numel sym_numel q_scale q_zero_point qscheme
    q_per_channel_axis q_per_channel_scales q_per_channel_zero_points record_stream
    sparse_coo_tensor sparse_compressed_tensor sparse_mask sparse_resize
    sparse_resize_and_clear _sparse_coo_tensor_with_dims
    _sparse_coo_tensor_with_dims_and_tensors
    _sparse_broadcast_to _sparse_sum _sparse_softmax _sparse_log_softmax copy_sparse_to_sparse
    to_sparse _to_sparse _to_sparse_bsc _to_sparse_bsr _to_sparse_csc _to_sparse_csr to_dense
    _to_dense to_padded_tensor _validate_compressed_sparse_indices
    _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo
    _nested_from_padded _nested_from_padded_tensor _nested_get_lengths
    _nested_get_max_seqlen _nested_get_min_seqlen _nested_get_offsets _nested_get_ragged_idx
    _nested_get_values _nested_get_jagged_dummy _nested_tensor_from_mask
    _nested_tensor_from_mask_left_aligned _nested_tensor_from_tensor_list _nested_tensor_size
    _nested_tensor_softmax_with_shape _nested_tensor_storage_offsets _nested_tensor_strides
    _nested_view_from_buffer _nested_view_from_jagged _jagged_to_padded_dense_forward
    _padded_dense_to_jagged_forward view_as_real view_as_complex
"""
FREE = frozenset((MOVES + CREATION + REDUCTIONS + CHEAP + TENSOR_HANDLING).split())
# Namespaces of PyTorch that only handle tensors; below, the cheap quantised operations.
FREE_SPACES = frozenset({"prim", "profiler", "_c10d_functional", "c10d"})
QUANTIZED = """
    add add_relu add_out mul mul_relu mul_out cat cat_relu batch_norm batch_norm1d batch_norm2d
    batch_norm3d batch_norm_relu layer_norm group_norm instance_norm leaky_relu relu6 hardswish
    sigmoid celu elu softmax dropout max_pool1d max_pool2d embedding_byte embedding_4bit
"""
FREE_QUANTIZED = frozenset(QUANTIZED.split())


@functools.cache
def may_multiply(operation: OpOverload) -> bool:
    """Tell whether an operation may have multiply–adds that no formula counts.

    This holds for every operation that is not known to be cheap, so that operations of other
    libraries, or of a later PyTorch, do not silently count as none.
    """
    name = name_of(operation)
    if formula_of(operation) is not None or name.space in FREE_SPACES:
        return False
    if name.space != "aten":
        return name.space != "quantized" or name.name not in FREE_QUANTIZED
    if name.name.startswith("_foreach_"):
        return all(map(costs, forms_of(name.name.removeprefix("_foreach_"))))
    # Each view has a variant with the suffix "_copy".
    names = {name.name, name.name.removesuffix("_copy")}
    return not (torch.Tag.pointwise in operation.tags or names & FREE)


def costs(operation: OpOverload) -> bool:
    """Tell whether an operation is counted, or would be if it had a formula."""
    return formula_of(operation) is not None or may_multiply(operation)


def forms_of(name: str) -> list[OpOverload]:
    """Return all overloads of one of PyTorch's own operations."""
    packet = getattr(torch.ops.aten, name, None)
    return [getattr(packet, form) for form in packet.overloads()] if packet else []
