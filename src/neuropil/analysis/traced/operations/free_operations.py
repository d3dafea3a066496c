"""Operations without matrix products, which count as no multiply–adds."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from neuropil.analysis.traced.operations.formula_table import formula_of
from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive.rule_table import BY_NAME

if TYPE_CHECKING:
    from torch._ops import OpOverload

# An operation with a receptive-field rule is cheap unless it has a formula; the lists name the
# others. Operations that move, concatenate or select elements:
MOVES = """
    as_strided as_strided_scatter block_diag broadcast_tensors _chunk_cat col2im _copy_from
    _copy_from_and_resize _lazy_clone diag diag_embed diagonal diagonal_scatter fill_diagonal
    im2col _unsafe_masked_index lift movedim narrow resize resize_as rot90 select_scatter set
    slice_scatter _stack take_along_dim to_mkldnn tril_indices triu_indices unsafe_chunk
    _pack_padded_sequence _pad_packed_sequence
"""
# Operations that create tensors.
CREATION = """
    arange bartlett_window binomial blackman_window empty empty_permuted empty_quantized
    empty_strided eye from_file full hamming_window hann_window kaiser_window linspace logspace
    ones poisson rand randint randint_like randn randperm range scalar_tensor zeros
    _efficientzerotensor _sample_dirichlet _standard_gamma
"""
# Reductions, cumulative operations and sorting.
REDUCTIONS = """
    _aminmax _cummax_helper _cummin_helper _logcumsumexp dist histogram native_norm renorm
    embedding_renorm segment_reduce _is_all_true _is_any_true hash_tensor
"""
# Operations that the literature counts as none: pooling, normalisation, activations, scaling.
CHEAP = """
    fractional_max_pool2d fractional_max_pool3d mkldnn_max_pool2d mkldnn_max_pool3d
    mkldnn_adaptive_avg_pool2d feature_alpha_dropout _masked_scale _batch_norm_no_update
    _batch_norm_with_update_functional _batch_norm_impl_index
    _native_batch_norm_legit_functional _weight_norm _weight_norm_interface _add_relu
    rrelu_with_noise_functional _masked_softmax allclose equal cudnn_grid_sampler grid_sampler
    grid_sampler_2d grid_sampler_3d _grid_sampler_2d_cpu_fallback _upsample_bicubic2d_aa
    _upsample_bilinear2d_aa _upsample_lanczos2d_aa _thnn_fused_gru_cell _thnn_fused_lstm_cell
    _ctc_loss multi_margin_loss multilabel_margin_loss_forward nll_loss_forward
    nll_loss2d_forward quantize_per_channel quantize_per_tensor quantize_per_tensor_dynamic
    dequantize int_repr fake_quantize_per_channel_affine_cachemask
    fake_quantize_per_tensor_affine_cachemask _fake_quantize_learnable_per_channel_affine
    _fake_quantize_learnable_per_tensor_affine
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
"""
# Operations on the tensor objects themselves, or that hand data to Python.
TENSOR_HANDLING = """
    _assert_async _assert_scalar _assert_tensor_metadata _functional_assert_async
    _functional_assert_scalar _functional_sym_constrain_range
    _functional_sym_constrain_range_for_size sym_constrain_range sym_constrain_range_for_size
    _local_scalar_dense item is_nonzero is_same_size is_set_to is_coalesced is_pinned
    _pin_memory dense_dim sparse_dim _dimI _dimV _nnz _indices _values indices values
    crow_indices col_indices ccol_indices row_indices _coalesce _coalesced coalesce q_scale
    q_zero_point qscheme q_per_channel_axis q_per_channel_scales q_per_channel_zero_points
    record_stream sparse_coo_tensor sparse_compressed_tensor sparse_mask sparse_resize
    sparse_resize_and_clear _sparse_coo_tensor_with_dims
    _sparse_coo_tensor_with_dims_and_tensors _sparse_broadcast_to _sparse_sum _sparse_softmax
    _sparse_log_softmax copy_sparse_to_sparse to_sparse _to_sparse _to_sparse_bsc _to_sparse_bsr
    _to_sparse_csc _to_sparse_csr to_dense _to_dense to_padded_tensor
    _validate_compressed_sparse_indices _convert_indices_from_coo_to_csr
    _convert_indices_from_csr_to_coo _nested_from_padded _nested_from_padded_tensor
    _nested_get_lengths _nested_get_max_seqlen _nested_get_min_seqlen _nested_get_offsets
    _nested_get_ragged_idx _nested_get_values _nested_get_jagged_dummy _nested_tensor_from_mask
    _nested_tensor_from_mask_left_aligned _nested_tensor_from_tensor_list _nested_tensor_size
    _nested_tensor_softmax_with_shape _nested_tensor_storage_offsets _nested_tensor_strides
    _nested_view_from_buffer _nested_view_from_jagged _jagged_to_padded_dense_forward
    _padded_dense_to_jagged_forward view_as_real view_as_complex
"""
LISTED = frozenset((MOVES + CREATION + REDUCTIONS + CHEAP + TENSOR_HANDLING).split())
FREE = LISTED | BY_NAME.keys()
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
