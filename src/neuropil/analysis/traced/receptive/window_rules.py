"""Receptive-field rules of convolution, pooling and other operations with windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.analysis.traced.operations.operation_names import name_of
from neuropil.analysis.traced.receptive.axis_views import Seen, View, make_view
from neuropil.analysis.traced.receptive.axis_windows import (
    Cells,
    Motion,
    apply_windows,
    blocks,
    copies,
    shift,
    upsample,
    window_motion,
)
from neuropil.analysis.traced.receptive.regions import Regions
from neuropil.analysis.traced.receptive.view_shapes import (
    reduce_axes,
    union_of_groups,
    with_shape,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuropil.analysis.traced.receptive.operands import Operands, Result, Rule
    from neuropil.analysis.traced.receptive.regions import Reduction, Sizes


def per_axis(options: Any, rank: int, default: int) -> list[int]:
    """Return the value of an option for each axis."""
    if isinstance(options, int):
        return [options] * rank
    options = [*options] if options is not None else []
    if not options:
        return [default] * rank
    return options if len(options) == rank else options * rank


def convolution(operands: Operands) -> Result:
    """Rule of convolution: windows along the last axes, over all channels of a group."""
    return convolve(operands, 5, 6)


def transposed_convolution(operands: Operands) -> Result:
    """Rule of transposed convolution, whose output padding precedes its groups."""
    return convolve(operands, 7, 6, transposed=True)


def any_convolution(operands: Operands) -> Result:
    """Rule of the operator for both convolutions."""
    return convolve(operands, 5, 8, transposed=bool(operands.argument(6, "transposed")))


def convolve(
    operands: Operands, dilation: int, groups: int, *, transposed: bool = False
) -> Result:
    """Return the receptive fields after a convolution.

    Args:
        operands: The operation.
        dilation: Position of the dilation among the arguments.
        groups: Position of the groups among the arguments.
        transposed: Whether it is transposed.
    """
    weight = operands.step.args[1].shape
    rank = len(weight) - 2
    strides = per_axis(operands.argument(3, "stride", 1), rank, 1)
    padding = operands.argument(4, "padding", 0)
    dilations = per_axis(operands.argument(dilation, "dilation", 1), rank, 1)
    if isinstance(padding, str):
        extents = [d * (f - 1) for d, f in zip(dilations, weight[2:], strict=True)]
        # PyTorch puts the odd zero at the end.
        padding = [extent // 2 if padding == "same" else 0 for extent in extents]
    options = zip(weight[2:], strides, per_axis(padding, rank, 0), dilations, strict=True)
    motions = [window_motion(*option, transposed=transposed) for option in options]
    # For a transposed convolution in groups, a rare case, each output counts as seeing all.
    return filter_channels(
        operands, motions, 1 if transposed else operands.argument(groups, "groups", 1)
    )


def filter_channels(operands: Operands, motions: Sequence[Motion], groups: int) -> Seen | None:
    """Return the receptive fields through windows over all channels of a group."""
    seen, shape = operands.of(operands.x), operands.x.shape
    channels = len(shape) - len(motions) - 1
    return slide(
        operands, motions, mix_channels(seen, channels, groups, shape, operands.target)
    )


def mix_channels(
    seen: Seen | None, axis: int, groups: int, shape: Sizes, target: Sizes
) -> Seen | None:
    """Return the fields of outputs each of which depends on all channels of its group."""
    if isinstance(seen, View):
        if groups == 1 or seen.labels.shape[axis] == 1:
            return reduce_axes(seen, [axis], shape)
        seen_by_group = seen.labels.swapaxes(axis, -1)
        front = seen_by_group.shape[:-1]
        rows = seen_by_group.reshape(-1, shape[axis] // groups)
        return union_of_groups(
            seen,
            rows,
            shape,
            lambda labels: (
                labels.reshape(*front, groups)
                .swapaxes(axis, -1)
                .repeat(target[axis] // groups, axis)
            ),
        )
    if not isinstance(seen, Regions):
        return seen

    def change(array: Any, join: Reduction) -> Any:
        if array.shape[axis] == 1:
            return array
        by_group = array.reshape(
            *array.shape[:axis], groups, shape[axis] // groups, *array.shape[axis + 1 :]
        )
        array = join(by_group, axis=axis + 1)
        return array.repeat(target[axis] // groups, axis) if groups > 1 else array

    return seen.map(change)


def pooling(rank: int) -> Rule:
    """Return the rule of pooling along the last `rank` axes."""

    def rule(operands: Operands) -> Result:
        name = name_of(operands.step.operation).name
        sizes = per_axis(operands.argument(1, "kernel_size"), rank, 1)
        strides = per_axis(operands.argument(2, "stride", ()), rank, 0)
        strides = [stride or size for stride, size in zip(strides, sizes, strict=True)]
        padding = per_axis(operands.argument(3, "padding", 0), rank, 0)
        dilation: Any = 1 if "avg" in name else operands.argument(4, "dilation", 1)
        dilations = per_axis(dilation, rank, 1)
        options = zip(sizes, strides, padding, dilations, strict=True)
        motions = [window_motion(*option) for option in options]
        return slide(operands, motions, operands.of(operands.x))

    return rule


def slide(operands: Operands, motions: Sequence[Motion], seen: Seen | None) -> Seen | None:
    """Return the fields through windows along the last axes, separately for each channel."""
    rank = len(operands.x.shape)
    axes = range(rank - len(motions), rank)
    return apply_windows(operands, seen, dict(zip(axes, motions, strict=True)), operands.target)


def adaptive_pooling(rank: int) -> Rule:
    """Return the rule of adaptive pooling along the last `rank` axes."""
    return lambda operands: slide(operands, [Cells()] * rank, operands.of(operands.x))


def upsampling(kind: str, rank: int) -> Rule:
    """Return the rule of interpolation along the last `rank` axes."""

    def rule(operands: Operands) -> Result:
        # The overload "vec" of the operation takes all scale factors in one argument.
        smooth = kind in {"linear", "cubic"}
        corners = smooth and bool(operands.argument(2, "align_corners"))
        names = ("scales",) if rank == 1 else ("scales_d", "scales_h", "scales_w")[-rank:]
        scales = [operands.argument(2 + smooth + i, name) for i, name in enumerate(names)]
        if name_of(operands.step.operation).overload == "vec":
            scales = operands.argument(2 + smooth, "scale_factors") or [None] * rank
        lengths = zip(operands.x.shape[-rank:], operands.target[-rank:], scales, strict=True)
        motions = [
            upsample(kind, inner, outer, corners=corners, scale=scale)
            for inner, outer, scale in lengths
        ]
        return slide(operands, motions, operands.of(operands.x))

    return rule


def pad(operands: Operands) -> Result:
    """Rule of padding the last axes."""
    pads = operands.step.args[1]
    seen, shape = operands.of(operands.x), operands.x.shape
    motions = {
        len(shape) - 1 - i: shift(-start)
        for i, start in enumerate(pads[::2])
        if start or pads[2 * i + 1]
    }
    if isinstance(seen, View):
        others = {axis for axis in motions if axis not in seen.axes}
        if others:
            seen = pad_channels(seen, others, shape, operands.target, motions)
        motions = {axis: motion for axis, motion in motions.items() if axis not in others}
    return apply_windows(operands, seen, motions, operands.target)


def pad_channels(
    view: View, axes: set[int], shape: Sizes, target: Sizes, motions: Mapping[int, Any]
) -> View:
    """Return a view with channels added that see nothing."""
    labels, kinds = view.labels, [*view.kinds, None]
    for axis in axes:
        start = -int(motions[axis].reach.start)
        full = np.broadcast_to(
            labels, (*labels.shape[:axis], shape[axis], *labels.shape[axis + 1 :])
        )
        widths = [(0, 0)] * labels.ndim
        widths[axis] = max(start, 0), max(target[axis] - shape[axis] - start, 0)
        labels = np.pad(full, widths, constant_values=len(kinds) - 1)
        labels = labels.take(range(max(-start, 0), max(-start, 0) + target[axis]), axis)
    return make_view(view.axes, kinds, labels, view.lengths)


def unfold(operands: Operands) -> Result:
    """Rule of unfolding: windows along one axis become a new axis."""
    seen, rank = operands.of(operands.x), len(operands.x.shape)
    if seen is None or not rank:
        return seen
    axis = operands.argument(1, "dimension") % rank
    window = window_motion(operands.argument(2, "size"), operands.argument(3, "step"))
    target = operands.target[:-1]
    return with_shape(
        apply_windows(operands, seen, {axis: window}, target), target, (*target, 1)
    )


def pixel_shuffle(operands: Operands) -> Result:
    """Rule of the pixel shuffle: channels become positions."""
    factor = operands.argument(1, "upscale_factor")
    return filter_channels(operands, [copies(factor)] * 2, 1)


def pixel_unshuffle(operands: Operands) -> Result:
    """Rule of the inverse pixel shuffle: positions become channels."""
    factor = operands.argument(1, "downscale_factor")
    return filter_channels(operands, [blocks(factor)] * 2, 1)
